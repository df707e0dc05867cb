/* accounts.c - see store/accounts.h. */
#include "store/pg/engine.h"

#include "store/pg/ahead.h"
#include "store/pg/instance.h"

enum err
pg_accounts_exists(struct db *db, struct str name, bool *exists)
{
    const struct pg_known_account *known = pg_ahead_account(db, name);
    struct pg_stmt *s;
    enum err err;

    if (known != NULL) {
        *exists = known->id != 0;
        return ERR_OK;
    }
    s = pg_use(db, PG_ACCOUNT_EXISTS);
    pg_bind_text(s, 1, name);
    err = pg_step(s, exists);
    pg_done(s);
    return err;
}

enum err
pg_accounts_add(struct tx *tx, struct str name)
{
    struct pg_known_account *known = pg_ahead_account(tx->db, name);
    struct pg_stmt *s;
    bool exists;
    enum err err = pg_accounts_exists(tx->db, name, &exists);

    if (err != ERR_OK || exists)
        return err;
    if (known != NULL)
        known->id = tx->counters->last_account_id + 1;
    s = pg_use(tx->db, PG_ACCOUNT_ADD);
    pg_bind_int(s, 1, ++tx->counters->last_account_id);
    pg_bind_text(s, 2, name);
    pg_bind_int(s, 3, tx->tick);
    return pg_queue(s);
}
