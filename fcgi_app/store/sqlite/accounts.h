/*
 * accounts.h - users as this engine knows them: by number. The face and the API know them by name.
 *
 * Only account, and the copies that schema/sqlite/0009_users.sql tells of, hold a name. A statement
 * that is about a user is given the number; a statement that reads a user's rows reads the name
 * through it.
 */
#ifndef IMD_STORE_SQLITE_ACCOUNTS_H
#define IMD_STORE_SQLITE_ACCOUNTS_H

#include "store/accounts.h"
#include "store/sqlite/db.h"

/*
 * Returns in *number the user's account.id; 0: no user has that name. Costs one look-up for a name
 * that was not asked for lately in the same transaction. ERR_STORAGE.
 */
enum err accounts_number(struct db *db, struct str name, int64_t *number);
/*
 * Returns in *name the name of the user with the number, which must exist. It is valid until the
 * next call. Costs a look-up only if the connection has not read it lately. ERR_STORAGE.
 */
enum err accounts_name(struct db *db, int64_t number, struct str *name);
/*
 * Binds the user's number: 0, which no row holds, if no user has that name; NULL if the name is
 * absent. A failure shows at the statement's step.
 */
void accounts_bind(struct db *db, struct stmt *s, int parameter, struct str name);

#endif
