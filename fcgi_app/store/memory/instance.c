/* instance.c - see store/instance.h. */
#include "store/memory/declared.h"
#include "store/memory/engine.h"

enum err
memory_instance_get(struct db *db, struct instance *instance)
{
    declared_open(db, __func__);
    *instance = state_of(db)->instance;
    return ERR_OK;
}

/* There is no disk to probe, so this only stores the tick. */
enum err
memory_instance_probe(struct tx *tx, int64_t bytes)
{
    (void)bytes;
    state_of(tx->db)->touched = true;
    return ERR_OK;
}
