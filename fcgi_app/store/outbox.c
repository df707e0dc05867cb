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

/* An absent string stays absent. */
static enum err
keep(struct arena *arena, struct str *s)
{
    if (s->p == NULL)
        return ERR_OK;
    *s = arena_copy(arena, *s);
    return s->p == NULL ? ERR_MEMORY : ERR_OK;
}

enum err
outbox_keep(struct arena *arena, struct change *change)
{
    enum err err = keep(arena, &change->username);

    return err == ERR_OK ? keep(arena, &change->emoji) : err;
}

enum err
outbox_after(struct db *db, struct arena *arena, struct outbox_walk *walk)
{
    return db->engine->outbox_after(db, arena, walk);
}

enum err
outbox_oldest(struct db *db, int64_t *id)
{
    return db->engine->outbox_oldest(db, id);
}
