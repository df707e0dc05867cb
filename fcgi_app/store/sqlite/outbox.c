/* outbox.c - see store/outbox.h. */
#include "store/sqlite/outbox.h"

#include "store/sqlite/accounts.h"
#include "model/ids.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/instance.h"

/*
 * Adds a change of the conversation at its present version. *what has the event and its further
 * members.
 */
static enum err
add(struct tx *tx, const struct conversation *c, const struct change *what)
{
    struct stmt *s = db_use(tx->db, SQL_OUTBOX_ADD);

    db_bind_int(s, 1, ++tx->counters->last_change);
    db_bind_text(s, 2, str_c(change_event_names[what->event]));
    db_bind_int(s, 3, c->id);
    db_bind_int(s, 4, c->version);
    db_bind_int(s, 5, tx->tick);
    db_bind_int(s, 6, what->seq);
    accounts_bind(tx->db, s, 7, what->username);
    db_bind_text(s, 8, what->emoji);
    db_bind_int(s, 9, what->added);
    db_bind_int(s, 10, (int64_t)tx->payer);
    return db_run(s);
}

enum err
sqlite_outbox_add(struct tx *tx, enum change_event event, const struct conversation *c, int64_t seq,
                  struct str username)
{
    return add(tx, c, &(struct change){.event = event, .seq = seq, .username = username});
}

enum err
sqlite_outbox_add_reaction(struct tx *tx, const struct conversation *c, const struct change *reaction)
{
    struct change what = *reaction;

    what.event = EVENT_MESSAGE_UPDATED;
    return add(tx, c, &what);
}

static enum change_event
event_of(struct str name)
{
    int event = 0;

    while (event < EVENT_COUNT && !str_is(name, change_event_names[event]))
        event++;
    return (enum change_event)event;
}

/* Returns the current row; its strings live until the next step. */
static struct change
change_of(struct stmt *s)
{
    return (struct change){
        .id = db_int(s, 0),
        .event = event_of(db_text(s, 1)),
        .conversation = ids_conversation(db_int(s, 2)),
        .version = db_int(s, 3),
        .tick = db_int(s, 4),
        .seq = db_int(s, 5),
        .username = db_text(s, 6),
        .emoji = db_text(s, 7),
        .added = db_int(s, 8) != 0,
        .payer = (uint64_t)db_int(s, 9),
    };
}

enum err
sqlite_outbox_after(struct db *db, struct arena *arena, struct outbox_walk *walk)
{
    struct stmt *s = db_use(db, SQL_OUTBOX_AFTER);
    enum err err = ERR_OK;

    walk->count = 0;
    walk->changes = arena_alloc(arena, (size_t)walk->rows * sizeof(*walk->changes));
    if (walk->changes == NULL)
        return ERR_MEMORY;
    db_bind_int(s, 1, walk->after);
    db_bind_int(s, 2, walk->rows);
    while (err == ERR_OK && db_next(s, &err)) {
        struct change *change = &walk->changes[walk->count++];

        *change = change_of(s);
        walk->after = change->id;
        err = outbox_keep(arena, change);
    }
    db_done(s);
    return err;
}

enum err
sqlite_outbox_oldest(struct db *db, int64_t *id)
{
    struct stmt *s = db_use(db, SQL_OUTBOX_OLDEST);
    bool row;
    enum err err = db_step(s, &row);

    *id = row ? db_int(s, 0) : 0;
    db_done(s);
    return err;
}

enum err
outbox_trim(struct db *db, int64_t id)
{
    struct stmt *s = db_use(db, SQL_OUTBOX_TRIM);

    db_bind_int(s, 1, id);
    return db_run(s);
}
