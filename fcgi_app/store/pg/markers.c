/* markers.c - see store/markers.h. Must not know what may be read. */
#include "store/pg/engine.h"

#include "store/pg/behind.h"
#include "model/ids.h"

enum err
pg_markers_get(struct db *db, int32_t conversation, struct str username, int64_t *seq)
{
    const struct pg_known_marker *known = pg_ahead_marker(db, conversation, username);
    struct pg_stmt *s;
    bool row;
    enum err err;

    if (known != NULL) {
        *seq = known->seq;
        return ERR_OK;
    }
    s = pg_use(db, PG_READ_MARKER_GET);
    pg_bind_int(s, 1, conversation);
    pg_bind_text(s, 2, username);
    err = pg_step(s, &row);
    *seq = row ? pg_int(s, 0) : 0;
    pg_done(s);
    return err;
}

enum err
pg_markers_set(struct tx *tx, int32_t conversation, struct str username, int64_t seq)
{
    struct pg_stmt *s;

    if (pg_behind_mark(tx, conversation, username, seq))
        return ERR_OK;
    s = pg_use(tx->db, PG_READ_MARKER_SET);
    pg_bind_int(s, 1, conversation);
    pg_bind_text(s, 2, username);
    pg_bind_int(s, 3, seq);
    pg_bind_int(s, 4, tx->tick);
    return pg_queue(s);
}

enum err
pg_markers_of_conversation(struct db *db, struct arena *arena, int32_t conversation,
                           struct read_marker **markers, size_t *count)
{
    struct pg_stmt *s = pg_use(db, PG_READ_MARKER_OF_CONVERSATION);
    enum err err = ERR_OK;

    *markers = NULL;
    *count = 0;
    pg_bind_int(s, 1, conversation);
    pg_bind_int(s, 2, MEMBERS_FEW);
    while (pg_next(s, &err)) {
        struct read_marker *m;

        *markers = arena_grow(arena, *markers, *count, sizeof(**markers));
        if (*markers == NULL) {
            err = ERR_MEMORY;
            break;
        }
        m = &(*markers)[(*count)++];
        *m = (struct read_marker){arena_copy(arena, pg_text(s, 0)), pg_int(s, 1)};
        if (m->username.p == NULL) {
            err = ERR_MEMORY;
            break;
        }
    }
    pg_done(s);
    return err;
}

enum err
pg_markers_moved(struct db *db, struct arena *arena, struct moved_walk *walk)
{
    struct pg_stmt *s = pg_use(db, PG_READ_MARKER_MOVED);
    enum err err = ERR_OK;

    walk->count = 0;
    walk->moved = arena_alloc(arena, (size_t)walk->rows * sizeof(*walk->moved));
    if (walk->moved == NULL)
        return ERR_MEMORY;
    pg_bind_text(s, 1, walk->username);
    pg_bind_int(s, 2, walk->from);
    pg_bind_int(s, 3, walk->beyond);
    pg_bind_int(s, 4, walk->rows);
    while (pg_next(s, &err)) {
        walk->beyond = ids_conversation(pg_int(s, 0));
        walk->from = pg_int(s, 2);
        walk->moved[walk->count++] = (struct moved_marker){walk->beyond, pg_int(s, 1)};
    }
    pg_done(s);
    return err;
}
