/* outbox.c - see store/outbox.h. */
#include "store/memory/engine.h"

#include "store/memory/declared.h"

static enum err
add(struct tx *tx, const struct conversation *c, const struct change *what)
{
    struct outbox_row row = {*what};
    enum err err = state_keep(tx->db, &row.change.username);

    if (err == ERR_OK)
        err = state_keep(tx->db, &row.change.emoji);
    if (err != ERR_OK)
        return err;
    row.change.id = ++tx->counters->last_change;
    row.change.conversation = c->id;
    row.change.version = c->version;
    row.change.tick = tx->tick;
    row.change.payer = tx->payer;
    return state_add(tx->db, OUTBOX, &row);
}

enum err
memory_outbox_add(struct tx *tx, enum change_event event, const struct conversation *c, int64_t seq,
                  struct str username)
{
    return add(tx, c, &(struct change){.event = event, .seq = seq, .username = username});
}

enum err
memory_outbox_add_reaction(struct tx *tx, const struct conversation *c, const struct change *reaction)
{
    return add(tx, c,
               &(struct change){
                   .event = EVENT_MESSAGE_UPDATED,
                   .seq = reaction->seq,
                   .username = reaction->username,
                   .emoji = reaction->emoji,
                   .added = reaction->added,
               });
}

enum err
memory_outbox_after(struct db *db, struct arena *arena, struct outbox_walk *walk)
{
    const struct table *t = state_table(db, OUTBOX);
    enum err err = ERR_OK;

    declared_open(db, __func__);
    walk->count = 0;
    walk->changes = arena_alloc(arena, (size_t)walk->rows * sizeof(*walk->changes));
    if (walk->changes == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; err == ERR_OK && i < t->count && walk->count < (size_t)walk->rows; i++) {
        const struct outbox_row *row = table_row(t, i);
        struct change *change = &walk->changes[walk->count];

        if (row->change.id <= walk->after)
            continue;
        *change = row->change;
        walk->after = change->id;
        walk->count++;
        err = outbox_keep(arena, change);
    }
    return err;
}

enum err
memory_outbox_oldest(struct db *db, int64_t *id)
{
    const struct table *t = state_table(db, OUTBOX);

    declared_open(db, __func__);
    *id = t->count == 0 ? 0 : ((const struct outbox_row *)table_row(t, 0))->change.id;
    return ERR_OK;
}
