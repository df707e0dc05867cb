/* outbox.c - see store/outbox.h. */
#include "store/pg/outbox.h"

#include "model/ids.h"
#include "store/pg/behind.h"
#include "store/pg/engine.h"
#include "store/pg/instance.h"

/*
 * Adds a change of the conversation at its present version. *what has the event and its further
 * members.
 */
static enum err
add(struct tx *tx, const struct conversation *c, struct change what)
{
    struct pg_stmt *s;

    what.id = ++tx->counters->last_change;
    what.conversation = c->id;
    what.version = c->version;
    what.tick = tx->tick;
    if (pg_behind_change(tx, &what))
        return ERR_OK;
    s = pg_use(tx->db, PG_OUTBOX_ADD);
    pg_bind_int(s, 1, what.id);
    pg_bind_text(s, 2, str_c(change_event_names[what.event]));
    pg_bind_int(s, 3, what.conversation);
    pg_bind_int(s, 4, what.version);
    pg_bind_int(s, 5, what.tick);
    pg_bind_int(s, 6, what.seq);
    pg_bind_text(s, 7, what.username);
    pg_bind_text(s, 8, what.emoji);
    pg_bind_bool(s, 9, what.added);
    pg_bind_int(s, 10, (int64_t)tx->payer);
    return pg_queue(s);
}

enum err
pg_outbox_add(struct tx *tx, enum change_event event, const struct conversation *c, int64_t seq,
              struct str username)
{
    return add(tx, c, (struct change){.event = event, .seq = seq, .username = username});
}

enum err
pg_outbox_add_reaction(struct tx *tx, const struct conversation *c, const struct change *reaction)
{
    struct change what = *reaction;

    what.event = EVENT_MESSAGE_UPDATED;
    return add(tx, c, what);
}

static enum change_event
event_of(struct str name)
{
    int event = 0;

    while (event < EVENT_COUNT && !str_is(name, change_event_names[event]))
        event++;
    return (enum change_event)event;
}

/* Returns the current row. Its strings are valid until the next step. */
static struct change
change_of(struct pg_stmt *s)
{
    return (struct change){
        .id = pg_int(s, 0),
        .event = event_of(pg_text(s, 1)),
        .conversation = ids_conversation(pg_int(s, 2)),
        .version = pg_int(s, 3),
        .tick = pg_int(s, 4),
        .seq = pg_int(s, 5),
        .username = pg_text(s, 6),
        .emoji = pg_text(s, 7),
        .added = pg_int(s, 8) != 0,
        .payer = (uint64_t)pg_int(s, 9),
    };
}

enum err
pg_outbox_after(struct db *db, struct arena *arena, struct outbox_walk *walk)
{
    struct pg_stmt *s = pg_use(db, PG_OUTBOX_AFTER);
    enum err err = ERR_OK;

    walk->count = 0;
    walk->changes = arena_alloc(arena, (size_t)walk->rows * sizeof(*walk->changes));
    if (walk->changes == NULL)
        return ERR_MEMORY;
    pg_bind_int(s, 1, walk->after);
    pg_bind_int(s, 2, walk->rows);
    while (err == ERR_OK && pg_next(s, &err)) {
        struct change *change = &walk->changes[walk->count++];

        *change = change_of(s);
        walk->after = change->id;
        err = outbox_keep(arena, change);
    }
    pg_done(s);
    return err;
}

enum err
pg_outbox_oldest(struct db *db, int64_t *id)
{
    struct pg_stmt *s = pg_use(db, PG_OUTBOX_OLDEST);
    bool row;
    enum err err = pg_step(s, &row);

    *id = row ? pg_int(s, 0) : 0;
    pg_done(s);
    return err;
}

enum err
pg_outbox_notify(struct db *db, int64_t id)
{
    struct pg_stmt *s = pg_use(db, PG_LEAD_NOTIFY);

    pg_bind_int(s, 1, id);
    return pg_queue(s);
}

enum err
pg_outbox_trim(struct db *db, int64_t id)
{
    struct pg_stmt *s = pg_use(db, PG_OUTBOX_TRIM);

    pg_bind_int(s, 1, id);
    return pg_queue(s);
}
