/* accounts.c - see store/accounts.h. */
#include "store/memory/engine.h"

#include "store/memory/declared.h"

enum err
memory_accounts_exists(struct db *db, struct str name, bool *exists)
{
    declared_account(db, __func__, name);
    *exists = state_has_account(db, name);
    return ERR_OK;
}

enum err
memory_accounts_add(struct tx *tx, struct str name)
{
    struct account_row row = {name};
    enum err err;

    if (state_has_account(tx->db, name))
        return ERR_OK;
    err = state_keep(tx->db, &row.name);
    return err == ERR_OK ? state_add(tx->db, ACCOUNT, &row) : err;
}
