/* markers.c - see store/markers.h. */
#include "store/markers.h"

#include "store/memberships.h"
#include "store/memory/declared.h"

static struct marker_row *
find(struct db *db, int32_t conversation, struct str username)
{
    const struct marker_row wanted = {.conversation = conversation, .username = username};

    return table_get(&db->tables[MARKER], &wanted);
}

enum err
markers_get(struct db *db, int32_t conversation, struct str username, int64_t *seq)
{
    const struct marker_row *row = find(db, conversation, username);

    declared_marker(db, __func__, conversation, username);
    *seq = row == NULL ? 0 : row->seq;
    return ERR_OK;
}

enum err
markers_set(struct tx *tx, int32_t conversation, struct str username, int64_t seq)
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

    memberships_current(db, row->conversation, row->username, &joined_version, &is_member);
    return is_member;
}

enum err
markers_of_conversation(struct db *db, struct arena *arena, int32_t conversation,
                        struct read_marker **markers, size_t *count)
{
    const struct table *t = &db->tables[MARKER];
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

enum err
markers_moved(struct db *db, struct str username, int64_t after,
              bool (*each)(void *arg, int32_t conversation, int64_t updated_at), void *arg)
{
    const struct table *t = &db->tables[MARKER];

    declared_open(db, __func__);
    for (size_t i = 0; i < t->count; i++) {
        const struct marker_row *row = table_row(t, i);

        if (str_eq(row->username, username) && row->moved_at > after && is_present(db, row) &&
            !each(arg, row->conversation, state_conversation(db, row->conversation)->conversation.updated_at))
            break;
    }
    return ERR_OK;
}
