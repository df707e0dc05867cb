/* markers.c - see store/markers.h. */
#include "store/memory/engine.h"

#include <stdlib.h>
#include "store/memberships.h"
#include "store/memory/declared.h"

static struct marker_row *
find(struct db *db, int32_t conversation, struct str username)
{
    const struct marker_row wanted = {.conversation = conversation, .username = username};

    return table_get(state_table(db, MARKER), &wanted);
}

enum err
memory_markers_get(struct db *db, int32_t conversation, struct str username, int64_t *seq)
{
    const struct marker_row *row = find(db, conversation, username);

    declared_marker(db, __func__, conversation, username);
    *seq = row == NULL ? 0 : row->seq;
    return ERR_OK;
}

enum err
memory_markers_set(struct tx *tx, int32_t conversation, struct str username, int64_t seq)
{
    struct marker_row *row = find(tx->db, conversation, username);
    struct marker_row added = {conversation, username, seq, tx->tick};
    enum err err;

    if (row != NULL) {
        err = state_change(tx->db, MARKER, row);
        if (err == ERR_OK)
            *row = (struct marker_row){conversation, row->username, seq, tx->tick};
        return err;
    }
    if (state_conversation(tx->db, conversation) == NULL || !state_has_account(tx->db, username))
        return ERR_STORAGE;
    err = state_keep(tx->db, &added.username);
    return err == ERR_OK ? state_add(tx->db, MARKER, &added) : err;
}

static bool
is_present(struct db *db, const struct marker_row *row)
{
    int64_t joined_version;
    bool is_member;

    memory_memberships_current(db, row->conversation, row->username, &joined_version, &is_member);
    return is_member;
}

enum err
memory_markers_of_conversation(struct db *db, struct arena *arena, int32_t conversation,
                               struct read_marker **markers, size_t *count)
{
    const struct table *t = state_table(db, MARKER);
    const struct marker_row first = {.conversation = conversation, .username = str_c("")};

    declared_open(db, __func__);
    *markers = NULL;
    *count = 0;
    for (size_t i = table_find(t, &first); i < t->count && *count < MEMBERS_FEW; i++) {
        const struct marker_row *row = table_row(t, i);
        struct read_marker *m;

        if (row->conversation != conversation)
            break;
        if (!is_present(db, row))
            continue;
        *markers = arena_grow(arena, *markers, *count, sizeof(**markers));
        if (*markers == NULL)
            return ERR_MEMORY;
        m = &(*markers)[(*count)++];
        *m = (struct read_marker){arena_copy(arena, row->username), row->seq};
        if (m->username.p == NULL)
            return ERR_MEMORY;
    }
    return ERR_OK;
}

static int
earliest_first(const void *a, const void *b)
{
    const struct marker_row *const *x = a;
    const struct marker_row *const *y = b;

    if ((*x)->moved_at != (*y)->moved_at)
        return (*x)->moved_at < (*y)->moved_at ? -1 : 1;
    return ((*x)->conversation > (*y)->conversation) - ((*x)->conversation < (*y)->conversation);
}

/* True if the walk has not come to the marker yet. */
static bool
is_ahead(struct db *db, const struct moved_walk *walk, const struct marker_row *row)
{
    if (!str_eq(row->username, walk->username) || row->moved_at < walk->from)
        return false;
    return (row->moved_at > walk->from || row->conversation > walk->beyond) && is_present(db, row);
}

enum err
memory_markers_moved(struct db *db, struct arena *arena, struct moved_walk *walk)
{
    const struct table *t = state_table(db, MARKER);
    const struct marker_row **rows = arena_alloc(arena, (t->count + 1) * sizeof(struct marker_row *));
    size_t count = 0;

    declared_open(db, __func__);
    walk->count = 0;
    walk->moved = arena_alloc(arena, (size_t)walk->rows * sizeof(*walk->moved));
    if (rows == NULL || walk->moved == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < t->count; i++)
        if (is_ahead(db, walk, table_row(t, i)))
            rows[count++] = table_row(t, i);
    qsort(rows, count, sizeof(struct marker_row *), earliest_first);
    for (size_t i = 0; i < count && i < (size_t)walk->rows; i++) {
        int32_t id = rows[i]->conversation;

        walk->moved[walk->count++] =
            (struct moved_marker){id, state_conversation(db, id)->conversation.updated_at};
        walk->from = rows[i]->moved_at;
        walk->beyond = id;
    }
    return ERR_OK;
}
