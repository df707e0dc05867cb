/* outbox.c - see outbox.h. Must not know which engine it calls. */
#include "store/outbox.h"

#include "store/engine.h"

enum err
outbox_add(struct tx *tx, enum change_event event, const struct conversation *c, int64_t seq,
           struct str username)
{
    return tx->db->engine->outbox_add(tx, event, c, seq, username);
}

enum err
outbox_add_reaction(struct tx *tx, const struct conversation *c, const struct change *reaction)
{
    return tx->db->engine->outbox_add_reaction(tx, c, reaction);
}

enum err
outbox_after(struct db *db, int64_t id, int limit, bool (*each)(void *arg, const struct change *change),
             void *arg)
{
    return db->engine->outbox_after(db, id, limit, each, arg);
}

enum err
outbox_oldest(struct db *db, int64_t *id)
{
    return db->engine->outbox_oldest(db, id);
}
