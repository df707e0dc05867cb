/* markers.c - see store/markers.h. Must not know what may be read. */
#include "store/sqlite/engine.h"

#include "store/sqlite/accounts.h"
#include "model/ids.h"

enum err
sqlite_markers_get(struct db *db, int32_t conversation, struct str username, int64_t *seq)
{
    struct stmt *s = db_use(db, SQL_READ_MARKER_GET);
    bool row;
    enum err err;

    db_bind_int(s, 1, conversation);
    accounts_bind(db, s, 2, username);
    err = db_step(s, &row);
    *seq = row ? db_int(s, 0) : 0;
    db_done(s);
    return err;
}

enum err
sqlite_markers_set(struct tx *tx, int32_t conversation, struct str username, int64_t seq)
{
    struct stmt *s = db_use(tx->db, SQL_READ_MARKER_SET);

    db_bind_int(s, 1, conversation);
    accounts_bind(tx->db, s, 2, username);
    db_bind_int(s, 3, seq);
    db_bind_int(s, 4, tx->tick);
    return db_run(s);
}

enum err
sqlite_markers_of_conversation(struct db *db, struct arena *arena, int32_t conversation,
                               struct read_marker **markers, size_t *count)
{
    struct stmt *s = db_use(db, SQL_READ_MARKER_OF_CONVERSATION);
    enum err err = ERR_OK;

    *markers = NULL;
    *count = 0;
    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, MEMBERS_FEW);
    while (db_next(s, &err)) {
        struct read_marker *m;

        *markers = arena_grow(arena, *markers, *count, sizeof(**markers));
        if (*markers == NULL) {
            err = ERR_MEMORY;
            break;
        }
        m = &(*markers)[(*count)++];
        *m = (struct read_marker){arena_copy(arena, db_text(s, 0)), db_int(s, 1)};
        if (m->username.p == NULL) {
            err = ERR_MEMORY;
            break;
        }
    }
    db_done(s);
    return err;
}

enum err
sqlite_markers_moved(struct db *db, struct arena *arena, struct moved_walk *walk)
{
    struct stmt *s = db_use(db, SQL_READ_MARKER_MOVED);
    enum err err = ERR_OK;

    walk->count = 0;
    walk->moved = arena_alloc(arena, (size_t)walk->rows * sizeof(*walk->moved));
    if (walk->moved == NULL)
        return ERR_MEMORY;
    accounts_bind(db, s, 1, walk->username);
    db_bind_int(s, 2, walk->from);
    db_bind_int(s, 3, walk->beyond);
    db_bind_int(s, 4, walk->rows);
    while (db_next(s, &err)) {
        walk->beyond = ids_conversation(db_int(s, 0));
        walk->from = db_int(s, 2);
        walk->moved[walk->count++] = (struct moved_marker){walk->beyond, db_int(s, 1)};
    }
    db_done(s);
    return err;
}
