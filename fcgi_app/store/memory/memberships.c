/*
 * memberships.c - see store/memberships.h. Must not know what a stay allows its user.
 *
 * To find a user's conversations, this reads all stays. active_at is always the conversation's
 * updated_at.
 */
#include "store/memory/engine.h"

#include <stdlib.h>
#include "store/memory/declared.h"

/*
 * Returns the index of the conversation's first stay, and in *end the index after its last. They
 * are ordered by user and version.
 */
static size_t
find_stays(const struct db *db, int32_t conversation, size_t *end)
{
    const struct table *t = state_table(db, STAY);
    const struct stay_row first = {.conversation = conversation, .username = str_c("")};
    const struct stay_row next = {.conversation = conversation, .username = str_c("\xff")};

    *end = table_find(t, &next);
    return table_find(t, &first);
}

static struct stay_row *
stay_at(const struct db *db, size_t i)
{
    return table_row(state_table(db, STAY), i);
}

/* Does the same for the stays of one user. */
static size_t
find_stays_of(const struct db *db, int32_t conversation, struct str username, size_t *end)
{
    const struct table *t = state_table(db, STAY);
    const struct stay_row first = {.conversation = conversation, .username = username};
    const struct stay_row next = {
        .conversation = conversation, .username = username, .joined_version = INT64_MAX};

    *end = table_find(t, &next);
    return table_find(t, &first);
}

/* Returns the user's last stay; NULL: they never were a member. */
static struct stay_row *
find_last(const struct db *db, int32_t conversation, struct str username)
{
    size_t end;
    size_t first = find_stays_of(db, conversation, username, &end);

    return first < end ? stay_at(db, end - 1) : NULL;
}

static bool
is_present(const struct stay_row *row)
{
    return row->left_version == 0;
}

enum err
memory_memberships_last(struct db *db, int32_t conversation, struct str username, struct stay *stay,
                        bool *found)
{
    const struct stay_row *row = find_last(db, conversation, username);

    declared_stay(db, __func__, conversation, username);
    *found = row != NULL;
    if (*found)
        *stay = (struct stay){
            .joined_version = row->joined_version,
            .after = row->after,
            .until = row->until,
            .left_version = row->left_version,
            .left_at = row->left_at,
            .since_at = row->since_at,
            .role = row->role,
            .removed = row->removed,
        };
    return ERR_OK;
}

enum err
memory_memberships_current(struct db *db, int32_t conversation, struct str username, int64_t *joined_version,
                           bool *is_member)
{
    const struct stay_row *row = find_last(db, conversation, username);

    declared_stay(db, __func__, conversation, username);
    *is_member = row != NULL && is_present(row);
    if (*is_member)
        *joined_version = row->joined_version;
    return ERR_OK;
}

enum err
memory_memberships_role(struct db *db, int32_t conversation, struct str username, enum role *role)
{
    const struct stay_row *row = find_last(db, conversation, username);

    declared_stay(db, __func__, conversation, username);
    *role = row != NULL && is_present(row) ? row->role : ROLE_NONE;
    return ERR_OK;
}

enum err
memory_memberships_first(struct db *db, int32_t conversation, struct str username, int64_t *joined_version)
{
    size_t end;
    size_t first = find_stays_of(db, conversation, username, &end);

    declared_open(db, __func__);
    *joined_version = first < end ? stay_at(db, first)->joined_version : 0;
    return ERR_OK;
}

enum err
memory_memberships_span(struct db *db, int32_t conversation, struct str username, int64_t seq,
                        struct span *span)
{
    size_t end;
    size_t i = find_stays_of(db, conversation, username, &end);

    declared_open(db, __func__);
    *span = (struct span){0, INT64_MAX, false};
    for (; i < end; i++) {
        const struct stay_row *row = stay_at(db, i);

        if (seq <= row->after) {
            span->until = row->after;
            return ERR_OK;
        }
        if (seq <= row->until) {
            *span = (struct span){row->after, row->until, true};
            return ERR_OK;
        }
        span->after = row->until;
    }
    return ERR_OK;
}

enum err
memory_memberships_past_before(struct db *db, int32_t conversation, struct str username, int64_t seq,
                               struct span *span)
{
    size_t end;
    size_t first = find_stays_of(db, conversation, username, &end);

    declared_open(db, __func__);
    *span = (struct span){0};
    while (end > first && !span->received) {
        const struct stay_row *row = stay_at(db, --end);

        if (!is_present(row) && row->until > row->after && row->after < seq)
            *span = (struct span){row->after, row->until, true};
    }
    return ERR_OK;
}

/* Returns the present member with the role who has been there longest; NULL: there is none. */
static const struct stay_row *
find_oldest(const struct db *db, int32_t conversation, enum role role)
{
    const struct stay_row *oldest = NULL;
    size_t end;

    for (size_t i = find_stays(db, conversation, &end); i < end; i++) {
        const struct stay_row *row = stay_at(db, i);

        if (is_present(row) && row->role == role &&
            (oldest == NULL || row->joined_version < oldest->joined_version))
            oldest = row;
    }
    return oldest;
}

static enum err
copy_name(struct arena *arena, const struct stay_row *row, struct str *username)
{
    *username = (struct str){0};
    if (row == NULL)
        return ERR_OK;
    *username = arena_copy(arena, row->username);
    return username->p == NULL ? ERR_MEMORY : ERR_OK;
}

enum err
memory_memberships_owner(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    declared_owner(db, __func__, conversation);
    return copy_name(arena, find_oldest(db, conversation, ROLE_OWNER), username);
}

enum err
memory_memberships_heir(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    const struct stay_row *heir = find_oldest(db, conversation, ROLE_ADMIN);

    declared_heir(db, __func__, conversation);
    if (heir == NULL)
        heir = find_oldest(db, conversation, ROLE_MEMBER);
    return copy_name(arena, heir, username);
}

enum err
memory_memberships_add(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    struct stay_row *before = find_last(tx->db, c->id, username);
    struct stay_row row = {
        .conversation = c->id,
        .username = username,
        .joined_version = c->version,
        .version = c->version,
        .after = c->last_seq,
        .until = INT64_MAX,
        .since_at = before == NULL ? tx->tick : before->since_at,
        .role = role,
    };
    enum err err = ERR_OK;

    /* The stay that this one supersedes. In a new conversation there is none. */
    if (c->version > 1)
        declared_stay(tx->db, __func__, c->id, username);
    if (state_conversation(tx->db, c->id) == NULL || !state_has_account(tx->db, username) ||
        (role == ROLE_OWNER && find_oldest(tx->db, c->id, ROLE_OWNER) != NULL))
        return ERR_STORAGE;
    if (before != NULL) {
        err = state_change(tx->db, STAY, before);
        before->version = 0;
    }
    if (err == ERR_OK)
        err = state_keep(tx->db, &row.username);
    return err == ERR_OK ? state_add(tx->db, STAY, &row) : err;
}

enum err
memory_memberships_end(struct tx *tx, const struct conversation *c, struct str username,
                       int64_t joined_version, bool removed)
{
    const struct stay_row wanted = {
        .conversation = c->id, .username = username, .joined_version = joined_version};
    struct stay_row *row = table_get(state_table(tx->db, STAY), &wanted);
    enum err err = row == NULL ? ERR_OK : state_change(tx->db, STAY, row);

    if (row == NULL || err != ERR_OK)
        return err;
    row->left_version = c->version;
    row->version = c->version;
    row->until = c->last_seq;
    row->left_at = tx->tick;
    row->removed = removed;
    return ERR_OK;
}

enum err
memory_memberships_set_role(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    struct stay_row *row = find_last(tx->db, c->id, username);
    const struct stay_row *owner = find_oldest(tx->db, c->id, ROLE_OWNER);
    enum err err;

    if (row == NULL || !is_present(row))
        return ERR_OK;
    if (role == ROLE_OWNER && owner != NULL && owner != row)
        return ERR_STORAGE;
    err = state_change(tx->db, STAY, row);
    if (err != ERR_OK)
        return err;
    row->role = role;
    row->version = c->version;
    return ERR_OK;
}

enum err
memory_memberships_names(struct db *db, struct arena *arena, struct conversation *c, int64_t limit)
{
    struct str *names = NULL;
    size_t end;
    size_t i = find_stays(db, c->id, &end);

    declared_names(db, __func__, c->id);
    c->members = NULL;
    c->members_read = 0;
    for (; c->member_count <= limit && i < end; i++) {
        if (!is_present(stay_at(db, i)))
            continue;
        names = arena_grow(arena, names, c->members_read, sizeof(*names));
        if (names == NULL || copy_name(arena, stay_at(db, i), &names[c->members_read++]) != ERR_OK)
            return ERR_MEMORY;
    }
    c->members = names;
    return ERR_OK;
}

enum err
memory_memberships_page(struct db *db, struct arena *arena, struct membership_page *page)
{
    size_t limit = (size_t)page->limit;
    size_t end;
    size_t i = find_stays(db, page->conversation, &end);

    declared_open(db, __func__);
    page->count = 0;
    page->has_next = false;
    page->members = arena_alloc(arena, (limit + 1) * sizeof(*page->members));
    if (page->members == NULL)
        return ERR_MEMORY;
    for (; i < end; i++) {
        const struct stay_row *row = stay_at(db, i);
        struct standing *member = &page->members[page->count];

        if (!is_present(row) || (page->after.p != NULL && str_cmp(row->username, page->after) <= 0))
            continue;
        page->has_next = page->count == limit;
        if (page->has_next)
            break;
        *member = (struct standing){.role = row->role};
        page->count++;
        if (copy_name(arena, row, &member->username) != ERR_OK)
            return ERR_MEMORY;
    }
    return ERR_OK;
}

/*
 * Finds the stay of the next present member in byte order of names, or the next stay that ended.
 * NULL: there is none.
 */
static const struct stay_row *
find_next(struct db *db, const struct concerned_walk *walk, bool present)
{
    const struct stay_row *next = NULL;
    size_t end;

    for (size_t i = find_stays(db, walk->conversation, &end); i < end; i++) {
        const struct stay_row *row = stay_at(db, i);

        if (is_present(row) != present)
            continue;
        if (present && (walk->after.p == NULL || str_cmp(row->username, walk->after) > 0) &&
            (next == NULL || str_cmp(row->username, next->username) < 0))
            next = row;
        if (!present && row->left_version >= walk->version && row->left_version > walk->left_after &&
            (next == NULL || row->left_version < next->left_version))
            next = row;
    }
    return next;
}

/* Adds the next members of one kind. *all: there are no others of that kind. */
static enum err
add_concerned(struct db *db, struct arena *arena, struct concerned_walk *walk, bool present, bool *all)
{
    *all = false;
    for (int n = 0; n < walk->rows; n++) {
        const struct stay_row *row = find_next(db, walk, present);
        struct str name;

        *all = row == NULL;
        if (*all)
            return ERR_OK;
        if (copy_name(arena, row, &name) != ERR_OK)
            return ERR_MEMORY;
        if (present)
            walk->after = name;
        else
            walk->left_after = row->left_version;
        if (row->joined_version <= walk->version)
            walk->members[walk->count++] = (struct concerned){name, present};
    }
    return ERR_OK;
}

enum err
memory_memberships_names_at(struct db *db, struct arena *arena, struct concerned_walk *walk)
{
    bool all_present;
    bool all_left = false;
    enum err err;

    declared_open(db, __func__);
    walk->count = 0;
    err = add_concerned(db, arena, walk, true, &all_present);
    if (err == ERR_OK)
        err = add_concerned(db, arena, walk, false, &all_left);
    walk->all = all_present && all_left;
    return err;
}

/* --- the conversations of one user */

/* The user's last stays, one in each conversation, from the arena. */
struct own {
    const struct stay_row **stays;
    size_t count;
};

static enum err
find_own(const struct db *db, struct arena *arena, struct str username, struct own *own)
{
    const struct table *t = state_table(db, STAY);

    *own = (struct own){0};
    for (size_t i = 0; i < t->count; i++) {
        const struct stay_row *row = table_row(t, i);

        if (row->version == 0 || !str_eq(row->username, username))
            continue;
        own->stays = arena_grow(arena, own->stays, own->count, sizeof(struct stay_row *));
        if (own->stays == NULL)
            return ERR_MEMORY;
        own->stays[own->count++] = row;
    }
    return ERR_OK;
}

static const struct conversation *
conversation_of(const struct db *db, const struct stay_row *row)
{
    return &state_conversation(db, row->conversation)->conversation;
}

/* Returns when the conversation was last active for the user, UNIX ms. */
static int64_t
active_at(const struct db *db, const struct stay_row *row)
{
    return is_present(row) ? conversation_of(db, row)->updated_at : row->left_at;
}

static struct joined
joined_of(const struct db *db, const struct stay_row *row)
{
    return (struct joined){
        .conversation = row->conversation,
        .last_seq = is_present(row) ? conversation_of(db, row)->last_seq : row->until,
        .joined_seq = is_present(row) ? row->after : INT64_MAX,
        .since_at = row->since_at,
        .left_at = is_present(row) ? INT64_MAX : row->left_at,
    };
}

/* Finds the user's conversations that were active after search->after. */
static enum err
find_joined(struct db *db, struct arena *arena, struct active_search *search)
{
    struct own own;
    enum err err = find_own(db, arena, search->username, &own);

    search->count = 0;
    search->joined = arena_alloc(arena, (own.count + 1) * sizeof(*search->joined));
    if (err != ERR_OK || search->joined == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < own.count; i++)
        if (active_at(db, own.stays[i]) > search->after)
            search->joined[search->count++] = joined_of(db, own.stays[i]);
    return ERR_OK;
}

enum err
memory_memberships_active(struct db *db, struct arena *arena, struct active_search *search)
{
    enum err err = find_joined(db, arena, search);

    declared_open(db, __func__);
    search->all = search->count <= (size_t)search->limit;
    if (!search->all)
        search->count = (size_t)search->limit;
    return err;
}

static int
by_since(const void *a, const void *b)
{
    const struct joined *x = a;
    const struct joined *y = b;

    return (x->since_at > y->since_at) - (x->since_at < y->since_at);
}

enum err
memory_memberships_since(struct db *db, struct arena *arena, struct joined_first *first)
{
    struct active_search search = {.username = first->username, .after = INT64_MIN};
    enum err err = find_joined(db, arena, &search);

    declared_open(db, __func__);
    if (err != ERR_OK)
        return err;
    qsort(search.joined, search.count, sizeof(*search.joined), by_since);
    first->joined = search.joined;
    first->count = search.count < (size_t)first->limit ? search.count : (size_t)first->limit;
    return ERR_OK;
}

static int
latest_first(const void *a, const void *b)
{
    const struct list_position *x = a;
    const struct list_position *y = b;

    if (x->active_at != y->active_at)
        return x->active_at < y->active_at ? 1 : -1;
    return (x->conversation < y->conversation) - (x->conversation > y->conversation);
}

static struct list_position
position_of(const struct db *db, const struct stay_row *row)
{
    return (struct list_position){
        .conversation = row->conversation,
        .active_at = active_at(db, row),
        .updated_at = active_at(db, row),
        .left = !is_present(row),
        .type = conversation_of(db, row)->type,
        .version = row->left_version,
        .last_seq = is_present(row) ? 0 : row->until,
    };
}

/* True if the walk has not come to the position yet. */
static bool
is_ahead(const struct list_walk *walk, const struct list_position *position)
{
    if (position->active_at <= walk->after || position->active_at > walk->until)
        return false;
    return walk->below == 0 || position->active_at < walk->until || position->conversation < walk->below;
}

/* Walks over the conversations that the user has left, or over the others. */
static enum err
walk_list(struct db *db, struct arena *arena, bool left, struct list_walk *walk)
{
    struct own own;
    enum err err = find_own(db, arena, walk->username, &own);

    walk->count = 0;
    walk->positions = arena_alloc(arena, (own.count + 1) * sizeof(*walk->positions));
    if (err != ERR_OK || walk->positions == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < own.count; i++) {
        struct list_position position = position_of(db, own.stays[i]);

        if (position.left == left && is_ahead(walk, &position))
            walk->positions[walk->count++] = position;
    }
    if (walk->count == 0)
        return ERR_OK;
    qsort(walk->positions, walk->count, sizeof(*walk->positions), latest_first);
    if (walk->count > (size_t)walk->rows)
        walk->count = (size_t)walk->rows;
    walk->until = walk->positions[walk->count - 1].active_at;
    walk->below = walk->positions[walk->count - 1].conversation;
    return ERR_OK;
}

enum err
memory_memberships_present(struct db *db, struct arena *arena, struct list_walk *walk)
{
    declared_open(db, __func__);
    return walk_list(db, arena, false, walk);
}

enum err
memory_memberships_left(struct db *db, struct arena *arena, struct list_walk *walk)
{
    declared_open(db, __func__);
    return walk_list(db, arena, true, walk);
}

/* --- the members whose standing changed */

static int
by_version(const void *a, const void *b)
{
    const struct membership_step *x = a;
    const struct membership_step *y = b;

    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    return str_cmp(x->standing.username, y->standing.username);
}

/* The whole rest of the walk is one batch. */
enum err
memory_memberships_walk(struct db *db, struct arena *arena, struct membership_walk *walk)
{
    size_t end;
    size_t i = find_stays(db, walk->conversation, &end);

    declared_open(db, __func__);
    walk->steps = NULL;
    walk->count = 0;
    for (; i < end; i++) {
        const struct stay_row *row = stay_at(db, i);
        struct membership_step *step;

        if (row->version <= walk->after)
            continue;
        walk->steps = arena_grow(arena, walk->steps, walk->count, sizeof(*walk->steps));
        if (walk->steps == NULL)
            return ERR_MEMORY;
        step = &walk->steps[walk->count++];
        *step = (struct membership_step){{.role = row->role, .left = !is_present(row)}, row->version};
        if (copy_name(arena, row, &step->standing.username) != ERR_OK)
            return ERR_MEMORY;
    }
    if (walk->count > 0) {
        qsort(walk->steps, walk->count, sizeof(*walk->steps), by_version);
        walk->after = walk->steps[walk->count - 1].version;
    }
    return ERR_OK;
}
