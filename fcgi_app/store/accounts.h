/* accounts.h - the table account: all users. */
#ifndef IMD_STORE_ACCOUNTS_H
#define IMD_STORE_ACCOUNTS_H

#include "base/str.h"
#include "store/tx.h"

/* Returns in *exists whether there is a user of that name. Needs no transaction. */
enum err accounts_exists(struct db *db, struct str name, bool *exists);
/* Adds the user, unless there is one of that name. Needs a write transaction. */
enum err accounts_add(struct tx *tx, struct str name);

#endif
