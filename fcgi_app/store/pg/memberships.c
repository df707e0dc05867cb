/* memberships.c - see store/memberships.h. Must not know what a stay allows its user. */
#include "store/pg/memberships.h"

#include "model/ids.h"
#include "store/pg/ahead.h"
#include "store/pg/engine.h"

/* Returns the statement with its first two parameters bound: a conversation and a user. */
static struct pg_stmt *
use_for(struct db *db, enum pg_sql sql, int32_t conversation, struct str username)
{
    struct pg_stmt *s = pg_use(db, sql);

    pg_bind_int(s, 1, conversation);
    pg_bind_text(s, 2, username);
    return s;
}

struct stay
pg_memberships_stay(struct pg_stmt *s, int column)
{
    return (struct stay){
        .joined_version = pg_int(s, column),
        .after = pg_int(s, column + 1),
        .left_version = pg_int_or(s, column + 2, 0),
        .until = pg_int_or(s, column + 3, INT64_MAX),
        .left_at = pg_int_or(s, column + 4, 0),
        .role = role_named(pg_text(s, column + 5)),
        .removed = pg_int(s, column + 6) != 0,
        .since_at = pg_int(s, column + 7),
    };
}

enum err
pg_memberships_last(struct db *db, int32_t conversation, struct str username, struct stay *stay, bool *found)
{
    const struct pg_known_stay *known = pg_ahead_stay(db, conversation, username);
    struct pg_stmt *s;
    enum err err;

    if (known != NULL) {
        *found = known->found;
        *stay = known->stay;
        return ERR_OK;
    }
    s = use_for(db, PG_MEMBERSHIP_LAST, conversation, username);
    err = pg_step(s, found);

    if (*found)
        *stay = pg_memberships_stay(s, 0);
    pg_done(s);
    return err;
}

enum err
pg_memberships_current(struct db *db, int32_t conversation, struct str username, int64_t *joined_version,
                       bool *is_member)
{
    struct stay stay;
    bool found;
    enum err err = pg_memberships_last(db, conversation, username, &stay, &found);

    *is_member = found && stay.left_version == 0;
    if (*is_member)
        *joined_version = stay.joined_version;
    return err;
}

enum err
pg_memberships_role(struct db *db, int32_t conversation, struct str username, enum role *role)
{
    struct stay stay;
    bool found;
    enum err err = pg_memberships_last(db, conversation, username, &stay, &found);

    *role = found && stay.left_version == 0 ? stay.role : ROLE_NONE;
    return err;
}

enum err
pg_memberships_first(struct db *db, int32_t conversation, struct str username, int64_t *joined_version)
{
    struct pg_stmt *s = use_for(db, PG_MEMBERSHIP_FIRST, conversation, username);
    bool row;
    enum err err = pg_step(s, &row);

    *joined_version = row ? pg_int(s, 0) : 0;
    pg_done(s);
    return err;
}

/*
 * Returns the span of the current row: its columns are the last stay, the past one before, and the
 * next.
 */
static struct span
span_of(struct pg_stmt *s, int64_t seq)
{
    int64_t after = pg_int(s, 0);
    int64_t until = pg_int_or(s, 1, INT64_MAX);
    int64_t past_until = pg_int(s, 3);
    int64_t next = pg_int_or(s, 4, INT64_MAX);

    if (seq > until)
        return (struct span){until, INT64_MAX, false};
    if (seq > after)
        return (struct span){after, until, true};
    if (seq <= past_until)
        return (struct span){pg_int(s, 2), past_until, true};
    return (struct span){past_until, next < after ? next : after, false};
}

enum err
pg_memberships_past_before(struct db *db, int32_t conversation, struct str username, int64_t seq,
                           struct span *span)
{
    struct pg_stmt *s = use_for(db, PG_MEMBERSHIP_PAST_BEFORE, conversation, username);
    bool row;
    enum err err;

    *span = (struct span){0};
    pg_bind_int(s, 3, seq);
    err = pg_step(s, &row);
    if (row)
        *span = (struct span){pg_int(s, 0), pg_int(s, 1), true};
    pg_done(s);
    return err;
}

enum err
pg_memberships_span(struct db *db, int32_t conversation, struct str username, int64_t seq, struct span *span)
{
    struct pg_stmt *s = use_for(db, PG_MEMBERSHIP_SPAN, conversation, username);
    bool found;
    enum err err;

    *span = (struct span){0, INT64_MAX, false};
    pg_bind_int(s, 3, seq);
    err = pg_step(s, &found);
    if (found)
        *span = span_of(s, seq);
    pg_done(s);
    return err;
}

/* Finds the longest-standing member with the role. */
static enum err
find_oldest(struct db *db, struct arena *arena, int32_t conversation, enum role role, struct str *username)
{
    struct pg_stmt *s = pg_use(db, PG_MEMBERSHIP_OLDEST);
    bool row;
    enum err err;

    *username = (struct str){0};
    pg_bind_int(s, 1, conversation);
    pg_bind_text(s, 2, str_c(role_names[role]));
    err = pg_step(s, &row);
    if (row) {
        *username = arena_copy(arena, pg_text(s, 0));
        if (username->p == NULL)
            err = ERR_MEMORY;
    }
    pg_done(s);
    return err;
}

enum err
pg_memberships_owner(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    return find_oldest(db, arena, conversation, ROLE_OWNER, username);
}

enum err
pg_memberships_heir(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    enum err err = find_oldest(db, arena, conversation, ROLE_ADMIN, username);

    return err == ERR_OK && username->p == NULL ? find_oldest(db, arena, conversation, ROLE_MEMBER, username)
                                                : err;
}

static int64_t
active_at(const struct tx *tx, const struct conversation *c)
{
    return c->member_count > MEMBERS_FEW ? ACTIVE_ALWAYS : tx->tick;
}

enum err
pg_memberships_add(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    /* A new conversation has no previous stays. */
    enum err err =
        c->version > 1 ? pg_queue(use_for(tx->db, PG_MEMBERSHIP_SUPERSEDE, c->id, username)) : ERR_OK;
    struct pg_stmt *s;

    if (err != ERR_OK)
        return err;
    pg_ahead_forget_stay(tx->db, c->id, username);
    s = use_for(tx->db, PG_MEMBERSHIP_ADD, c->id, username);
    pg_bind_int(s, 3, c->version);
    pg_bind_int(s, 4, c->last_seq);
    pg_bind_int(s, 5, active_at(tx, c));
    pg_bind_text(s, 6, str_c(role_names[role]));
    pg_bind_int(s, 7, tx->tick);
    return pg_queue(s);
}

enum err
pg_memberships_end(struct tx *tx, const struct conversation *c, struct str username, int64_t joined_version,
                   bool removed)
{
    struct pg_stmt *s = use_for(tx->db, PG_MEMBERSHIP_END, c->id, username);

    pg_ahead_forget_stay(tx->db, c->id, username);
    pg_bind_int(s, 3, joined_version);
    pg_bind_int(s, 4, c->version);
    pg_bind_int(s, 5, c->last_seq);
    pg_bind_int(s, 6, tx->tick);
    pg_bind_bool(s, 7, removed);
    return pg_queue(s);
}

enum err
pg_memberships_set_role(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    struct pg_stmt *s = use_for(tx->db, PG_MEMBERSHIP_SET_ROLE, c->id, username);

    pg_ahead_forget_stay(tx->db, c->id, username);
    pg_bind_text(s, 3, str_c(role_names[role]));
    pg_bind_int(s, 4, c->version);
    return pg_queue(s);
}

enum err
pg_memberships_touch(struct tx *tx, const struct conversation *c)
{
    struct pg_stmt *s = pg_use(tx->db, PG_MEMBERSHIP_TOUCH);

    pg_bind_int(s, 1, c->id);
    pg_bind_int(s, 2, active_at(tx, c));
    return pg_queue(s);
}

enum err
pg_memberships_names(struct db *db, struct arena *arena, struct conversation *c, int64_t limit)
{
    struct pg_stmt *s;
    struct str *names;
    enum err err;

    c->members = NULL;
    c->members_read = 0;
    if (c->member_count > limit)
        return ERR_OK;
    s = pg_use(db, PG_MEMBERSHIP_NAMES);
    pg_bind_int(s, 1, c->id);
    pg_bind_int(s, 2, limit);
    err = pg_column(s, arena, &names, &c->members_read);
    c->members = names;
    return err;
}

enum err
pg_memberships_page(struct db *db, struct arena *arena, struct membership_page *page)
{
    size_t limit = (size_t)page->limit;
    struct pg_stmt *s = pg_use(db, PG_MEMBERSHIP_PAGE);
    enum err err = ERR_OK;

    page->count = 0;
    page->has_next = false;
    page->members = arena_alloc(arena, (limit + 1) * sizeof(*page->members));
    if (page->members == NULL)
        return ERR_MEMORY;
    pg_bind_int(s, 1, page->conversation);
    pg_bind_text(s, 2, page->after.p == NULL ? str_c("") : page->after);
    pg_bind_int(s, 3, page->limit + 1);
    while (err == ERR_OK && pg_next(s, &err)) {
        struct standing *member = &page->members[page->count];

        page->has_next = page->count == limit;
        if (page->has_next)
            break;
        *member = (struct standing){arena_copy(arena, pg_text(s, 0)), role_named(pg_text(s, 1)), false};
        page->count++;
        if (member->username.p == NULL)
            err = ERR_MEMORY;
    }
    pg_done(s);
    return err;
}

/* Moves the walk beyond the current row, and adds the member if the change concerns them. */
static enum err
take_concerned(struct pg_stmt *s, struct arena *arena, struct concerned_walk *walk)
{
    int64_t left_version = pg_int(s, 1);
    struct str name = arena_copy(arena, pg_text(s, 0));

    if (name.p == NULL)
        return ERR_MEMORY;
    if (left_version == 0)
        walk->after = name;
    else
        walk->left_after = left_version;
    if (pg_int(s, 2) != 0)
        walk->members[walk->count++] = (struct concerned){name, left_version == 0};
    return ERR_OK;
}

enum err
pg_memberships_names_at(struct db *db, struct arena *arena, struct concerned_walk *walk)
{
    struct pg_stmt *s = pg_use(db, PG_MEMBERSHIP_NAMES_AT);
    int present = 0;
    int left = 0;
    enum err err = ERR_OK;

    walk->count = 0;
    pg_bind_int(s, 1, walk->conversation);
    pg_bind_int(s, 2, walk->version);
    pg_bind_text(s, 3, walk->after.p == NULL ? str_c("") : walk->after);
    pg_bind_int(s, 4, walk->left_after < walk->version ? walk->version - 1 : walk->left_after);
    pg_bind_int(s, 5, walk->rows);
    while (err == ERR_OK && pg_next(s, &err)) {
        *(pg_int(s, 1) == 0 ? &present : &left) += 1;
        err = take_concerned(s, arena, walk);
    }
    pg_done(s);
    walk->all = present < walk->rows && left < walk->rows;
    return err;
}

/* Returns a bound: every conversation that was active after `after` has a greater active_at. */
static int64_t
lagging(int64_t after)
{
    return after - ACTIVE_LAG_MS - 1;
}

/* Adds the current row, unless its conversation was last active before search->after. */
static enum err
add_active(struct pg_stmt *s, struct arena *arena, struct active_search *search)
{
    if (pg_int(s, 3) == 0)
        return ERR_OK;
    search->joined = arena_grow(arena, search->joined, search->count, sizeof(*search->joined));
    if (search->joined == NULL)
        return ERR_MEMORY;
    search->joined[search->count++] = (struct joined){.conversation = (int32_t)pg_int(s, 0),
                                                      .last_seq = pg_int(s, 1),
                                                      .joined_seq = pg_int_or(s, 2, INT64_MAX)};
    return ERR_OK;
}

enum err
pg_memberships_active(struct db *db, struct arena *arena, struct active_search *search)
{
    struct pg_stmt *s = pg_use(db, PG_MEMBERSHIP_ACTIVE);
    int looks = 0;
    enum err err = ERR_OK;

    search->joined = NULL;
    search->count = 0;
    pg_bind_text(s, 1, search->username);
    pg_bind_int(s, 2, lagging(search->after));
    pg_bind_int(s, 3, search->after);
    pg_bind_int(s, 4, search->limit + 1);
    while (err == ERR_OK && pg_next(s, &err)) {
        looks++;
        if (looks > search->limit)
            break;
        err = add_active(s, arena, search);
    }
    search->all = looks <= search->limit;
    pg_done(s);
    return err;
}

enum err
pg_memberships_since(struct db *db, struct arena *arena, struct joined_first *first)
{
    struct pg_stmt *s = pg_use(db, PG_MEMBERSHIP_SINCE);
    enum err err = ERR_OK;

    first->count = 0;
    first->joined = arena_alloc(arena, (size_t)first->limit * sizeof(*first->joined));
    if (first->joined == NULL)
        return ERR_MEMORY;
    pg_bind_text(s, 1, first->username);
    pg_bind_int(s, 2, first->limit);
    while (pg_next(s, &err))
        first->joined[first->count++] = (struct joined){
            .conversation = (int32_t)pg_int(s, 0),
            .since_at = pg_int(s, 1),
            .last_seq = pg_int(s, 2),
            .left_at = pg_int_or(s, 3, INT64_MAX),
            .joined_seq = pg_int_or(s, 4, INT64_MAX),
        };
    pg_done(s);
    return err;
}

/* Returns the list position of a conversation that the user is in. */
static struct list_position
present_of(struct pg_stmt *s)
{
    return (struct list_position){.conversation = ids_conversation(pg_int(s, 0)),
                                  .active_at = pg_int(s, 1),
                                  .updated_at = pg_int(s, 2)};
}

/* Returns the list position of a conversation that the user has left. */
static struct list_position
left_of(struct pg_stmt *s)
{
    return (struct list_position){
        .conversation = ids_conversation(pg_int(s, 0)),
        .active_at = pg_int(s, 1),
        .updated_at = pg_int(s, 1),
        .left = true,
        .version = pg_int(s, 2),
        .last_seq = pg_int(s, 3),
        .type = pg_int(s, 4) != 0 ? TYPE_GROUP : TYPE_PRIVATE,
    };
}

static enum err
walk_list(struct db *db, enum pg_sql sql, struct arena *arena,
          struct list_position (*position_of)(struct pg_stmt *s), struct list_walk *walk)
{
    struct pg_stmt *s = pg_use(db, sql);
    enum err err = ERR_OK;

    walk->count = 0;
    walk->positions = arena_alloc(arena, (size_t)walk->rows * sizeof(*walk->positions));
    if (walk->positions == NULL)
        return ERR_MEMORY;
    pg_bind_text(s, 1, walk->username);
    pg_bind_int(s, 2, walk->after);
    pg_bind_int(s, 3, walk->until);
    pg_bind_int(s, 4, walk->below == 0 ? INT64_MAX : walk->below);
    pg_bind_int(s, 5, walk->rows);
    while (pg_next(s, &err)) {
        struct list_position *position = &walk->positions[walk->count++];

        *position = position_of(s);
        walk->until = position->active_at;
        walk->below = position->conversation;
    }
    pg_done(s);
    return err;
}

enum err
pg_memberships_present(struct db *db, struct arena *arena, struct list_walk *walk)
{
    return walk_list(db, PG_MEMBERSHIP_PRESENT, arena, present_of, walk);
}

enum err
pg_memberships_left(struct db *db, struct arena *arena, struct list_walk *walk)
{
    return walk_list(db, PG_MEMBERSHIP_LEFT, arena, left_of, walk);
}

/* Members of a batch. It is exceeded to complete the last one's version. */
#define WALK_ROWS 64

/* Adds the current row to the batch. */
static enum err
add_step(struct pg_stmt *s, struct arena *arena, struct membership_walk *walk)
{
    struct membership_step *step;

    walk->steps = arena_grow(arena, walk->steps, walk->count, sizeof(*walk->steps));
    if (walk->steps == NULL)
        return ERR_MEMORY;
    step = &walk->steps[walk->count++];
    step->version = pg_int(s, 0);
    step->standing =
        (struct standing){arena_copy(arena, pg_text(s, 1)), role_named(pg_text(s, 2)), pg_int(s, 3) != 0};
    walk->after = step->version;
    return step->standing.username.p == NULL ? ERR_MEMORY : ERR_OK;
}

enum err
pg_memberships_walk(struct db *db, struct arena *arena, struct membership_walk *walk)
{
    struct pg_stmt *s = pg_use(db, PG_MEMBERSHIP_CHANGED);
    enum err err;

    walk->steps = NULL;
    walk->count = 0;
    pg_bind_int(s, 1, walk->conversation);
    pg_bind_int(s, 2, walk->after);
    pg_bind_int(s, 3, WALK_ROWS);
    while (pg_next(s, &err)) {
        err = add_step(s, arena, walk);
        if (err != ERR_OK)
            break;
    }
    pg_done(s);
    return err;
}
