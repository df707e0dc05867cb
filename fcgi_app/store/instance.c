/* instance.c - see instance.h. Must not know which engine it calls. */
#include "store/instance.h"

#include "store/engine.h"

enum err
instance_get(struct db *db, struct instance *instance)
{
    return db->engine->instance_get(db, instance);
}

enum err
instance_probe(struct tx *tx, int64_t bytes)
{
    return tx->db->engine->instance_probe(tx, bytes);
}
