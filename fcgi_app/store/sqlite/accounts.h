/*
 * accounts.h - users inside this engine are numbers. The interface and the API name them.
 *
 * Only the table account and the copies described in schema/sqlite/0009_users.sql hold names.
 * Statements about a user take the number. Statements that return a user's rows return the number
 * too, and accounts_name() translates it.
 */
#ifndef IMD_STORE_SQLITE_ACCOUNTS_H
#define IMD_STORE_SQLITE_ACCOUNTS_H

#include "store/accounts.h"
#include "store/sqlite/db.h"

/*
 * Returns in *number the user's account.id, or 0 if no user has that name. Costs one look-up,
 * unless the name was looked up recently in the same transaction. ERR_STORAGE.
 */
enum err accounts_number(struct db *db, struct str name, int64_t *number);
/*
 * Returns in *name the name of the user with the number, which must exist. It is valid until the
 * next call. Costs a look-up only if the connection has not read it lately. ERR_STORAGE.
 */
enum err accounts_name(struct db *db, int64_t number, struct str *name);
/*
 * Binds the user's number. Binds 0, which no row holds, if no user has that name, and NULL if the
 * name is absent. A failure is returned by the statement's next step.
 */
void accounts_bind(struct db *db, struct stmt *s, int parameter, struct str name);

#endif
