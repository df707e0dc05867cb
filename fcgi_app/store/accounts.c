/* accounts.c - see accounts.h. Must not know which engine it calls. */
#include "store/accounts.h"

#include "store/engine.h"

enum err
accounts_exists(struct db *db, struct str name, bool *exists)
{
    return db->engine->accounts_exists(db, name, exists);
}

enum err
accounts_add(struct tx *tx, struct str name)
{
    return tx->db->engine->accounts_add(tx, name);
}
