/* accounts.h - the table account: the users there are. */
#ifndef IMD_STORE_ACCOUNTS_H
#define IMD_STORE_ACCOUNTS_H

#include "base/str.h"
#include "store/tx.h"

/* Needs no transaction. */
enum err accounts_exists(struct db *db, struct str name, bool *exists);
/* Adds it where it is missing. Needs a write transaction. */
enum err accounts_add(struct tx *tx, struct str name);

#endif
