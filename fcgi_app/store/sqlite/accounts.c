/* accounts.c - see accounts.h. */
#include "store/accounts.h"

#include "store/sqlite/db.h"
enum err
accounts_exists(struct db *db, struct str name, bool *exists)
{
    struct stmt *s = db_use(db, SQL_ACCOUNT_EXISTS);
    enum err err;

    db_bind_text(s, 1, name);
    err = db_step(s, exists);
    db_done(s);
    return err;
}

enum err
accounts_add(struct tx *tx, struct str name)
{
    struct stmt *s = db_use(tx->db, SQL_ACCOUNT_ADD);

    db_bind_text(s, 1, name);
    db_bind_int(s, 2, tx->tick);
    return db_run(s);
}
