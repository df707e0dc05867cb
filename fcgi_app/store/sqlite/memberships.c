/* memberships.c - see store/memberships.h. Must not know what a stay allows its user. */
#include "store/sqlite/memberships.h"

#include "model/ids.h"
#include "store/sqlite/accounts.h"
#include "store/sqlite/engine.h"

/* Returns the statement with its first two parameters bound: a conversation and a user. */
static struct stmt *
use_for(struct db *db, enum sql sql, int32_t conversation, struct str username)
{
    struct stmt *s = db_use(db, sql);

    db_bind_int(s, 1, conversation);
    accounts_bind(db, s, 2, username);
    return s;
}

/* Returns the column, or `otherwise` if it is NULL, which means that the stay has not ended. */
static int64_t
int_or(struct stmt *s, int column, int64_t otherwise)
{
    return db_is_null(s, column) ? otherwise : db_int(s, column);
}

struct stay
memberships_stay_of(struct stmt *s, int column)
{
    return (struct stay){
        .joined_version = db_int(s, column),
        .after = db_int(s, column + 1),
        .left_version = int_or(s, column + 2, 0),
        .until = int_or(s, column + 3, INT64_MAX),
        .left_at = int_or(s, column + 4, 0),
        .role = role_named(db_text(s, column + 5)),
        .removed = db_int(s, column + 6) != 0,
        .since_at = db_int(s, column + 7),
    };
}

enum err
sqlite_memberships_last(struct db *db, int32_t conversation, struct str username, struct stay *stay,
                        bool *found)
{
    struct stmt *s = use_for(db, SQL_MEMBERSHIP_LAST, conversation, username);
    enum err err = db_step(s, found);

    if (*found)
        *stay = memberships_stay_of(s, 0);
    db_done(s);
    return err;
}

enum err
sqlite_memberships_current(struct db *db, int32_t conversation, struct str username, int64_t *joined_version,
                           bool *is_member)
{
    struct stay stay;
    bool found;
    enum err err = sqlite_memberships_last(db, conversation, username, &stay, &found);

    *is_member = found && stay.left_version == 0;
    if (*is_member)
        *joined_version = stay.joined_version;
    return err;
}

enum err
sqlite_memberships_role(struct db *db, int32_t conversation, struct str username, enum role *role)
{
    struct stay stay;
    bool found;
    enum err err = sqlite_memberships_last(db, conversation, username, &stay, &found);

    *role = found && stay.left_version == 0 ? stay.role : ROLE_NONE;
    return err;
}

enum err
sqlite_memberships_first(struct db *db, int32_t conversation, struct str username, int64_t *joined_version)
{
    struct stmt *s = use_for(db, SQL_MEMBERSHIP_FIRST, conversation, username);
    bool row;
    enum err err = db_step(s, &row);

    *joined_version = row ? db_int(s, 0) : 0;
    db_done(s);
    return err;
}

enum err
sqlite_memberships_past_before(struct db *db, int32_t conversation, struct str username, int64_t seq,
                               struct span *span)
{
    struct stmt *s = use_for(db, SQL_MEMBERSHIP_PAST_BEFORE, conversation, username);
    bool row;
    enum err err;

    *span = (struct span){0};
    db_bind_int(s, 3, seq);
    err = db_step(s, &row);
    if (row)
        *span = (struct span){db_int(s, 0), db_int(s, 1), true};
    db_done(s);
    return err;
}

/* Lowers *until to the beginning of the next past stay, if that is lower. */
static enum err
end_gap(struct db *db, int32_t conversation, struct str username, int64_t seq, int64_t *until)
{
    struct stmt *s = use_for(db, SQL_MEMBERSHIP_PAST_FROM, conversation, username);
    bool row;
    enum err err;

    db_bind_int(s, 3, seq);
    err = db_step(s, &row);
    if (row && db_int(s, 0) < *until)
        *until = db_int(s, 0);
    db_done(s);
    return err;
}

enum err
sqlite_memberships_span(struct db *db, int32_t conversation, struct str username, int64_t seq,
                        struct span *span)
{
    struct stay last;
    struct span past = {0};
    bool found;
    enum err err = sqlite_memberships_last(db, conversation, username, &last, &found);

    *span = (struct span){0, INT64_MAX, false};
    if (err != ERR_OK || !found)
        return err;
    if (seq > last.until) {
        span->after = last.until;
        return ERR_OK;
    }
    if (seq > last.after) {
        *span = (struct span){last.after, last.until, true};
        return ERR_OK;
    }
    err = sqlite_memberships_past_before(db, conversation, username, seq, &past);
    if (err != ERR_OK)
        return err;
    if (past.received && seq <= past.until) {
        *span = past;
        return ERR_OK;
    }
    *span = (struct span){past.until, last.after, false};
    return end_gap(db, conversation, username, seq, &span->until);
}

/* Finds the longest-standing member with the role. */
static enum err
find_oldest(struct db *db, struct arena *arena, int32_t conversation, enum role role, struct str *username)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_OLDEST);
    bool row;
    enum err err;

    *username = (struct str){0};
    db_bind_int(s, 1, conversation);
    db_bind_text(s, 2, str_c(role_names[role]));
    err = db_step(s, &row);
    if (row) {
        *username = arena_copy(arena, db_text(s, 0));
        if (username->p == NULL)
            err = ERR_MEMORY;
    }
    db_done(s);
    return err;
}

enum err
sqlite_memberships_owner(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    return find_oldest(db, arena, conversation, ROLE_OWNER, username);
}

enum err
sqlite_memberships_heir(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
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

/* Marks the user's previous stay as superseded by a new one. *since_at continues from it. */
static enum err
supersede(struct tx *tx, const struct conversation *c, struct str username, int64_t *since_at)
{
    struct stay before;
    struct stmt *s;
    bool found;
    enum err err = sqlite_memberships_last(tx->db, c->id, username, &before, &found);

    if (err != ERR_OK || !found)
        return err;
    *since_at = before.since_at;
    s = use_for(tx->db, SQL_MEMBERSHIP_SUPERSEDE, c->id, username);
    db_bind_int(s, 3, before.joined_version);
    return db_run(s);
}

enum err
sqlite_memberships_add(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    int64_t since_at = tx->tick;
    /* A new conversation has no previous stays. */
    enum err err = c->version > 1 ? supersede(tx, c, username, &since_at) : ERR_OK;
    struct stmt *s;

    if (err != ERR_OK)
        return err;
    s = use_for(tx->db, SQL_MEMBERSHIP_ADD, c->id, username);
    db_bind_int(s, 3, c->version);
    db_bind_int(s, 4, c->last_seq);
    db_bind_int(s, 5, active_at(tx, c));
    db_bind_text(s, 6, str_c(role_names[role]));
    db_bind_int(s, 7, since_at);
    db_bind_text(s, 8, username);
    return db_run(s);
}

enum err
sqlite_memberships_end(struct tx *tx, const struct conversation *c, struct str username,
                       int64_t joined_version, bool removed)
{
    struct stmt *s = use_for(tx->db, SQL_MEMBERSHIP_END, c->id, username);

    db_bind_int(s, 3, joined_version);
    db_bind_int(s, 4, c->version);
    db_bind_int(s, 5, c->last_seq);
    db_bind_int(s, 6, tx->tick);
    db_bind_int(s, 7, removed);
    return db_run(s);
}

enum err
sqlite_memberships_set_role(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    struct stmt *s = use_for(tx->db, SQL_MEMBERSHIP_SET_ROLE, c->id, username);

    db_bind_text(s, 3, str_c(role_names[role]));
    db_bind_int(s, 4, c->version);
    return db_run(s);
}

enum err
memberships_touch(struct tx *tx, const struct conversation *c)
{
    struct stmt *s = db_use(tx->db, SQL_MEMBERSHIP_TOUCH);

    db_bind_int(s, 1, c->id);
    db_bind_int(s, 2, active_at(tx, c));
    return db_run(s);
}

enum err
sqlite_memberships_names(struct db *db, struct arena *arena, struct conversation *c, int64_t limit)
{
    struct stmt *s;
    struct str *names;
    enum err err;

    c->members = NULL;
    c->members_read = 0;
    if (c->member_count > limit)
        return ERR_OK;
    s = db_use(db, SQL_MEMBERSHIP_NAMES);
    db_bind_int(s, 1, c->id);
    db_bind_int(s, 2, limit);
    err = db_texts(s, arena, &names, &c->members_read);
    c->members = names;
    return err;
}

enum err
sqlite_memberships_page(struct db *db, struct arena *arena, struct membership_page *page)
{
    size_t limit = (size_t)page->limit;
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_PAGE);
    enum err err = ERR_OK;

    page->count = 0;
    page->has_next = false;
    page->members = arena_alloc(arena, (limit + 1) * sizeof(*page->members));
    if (page->members == NULL)
        return ERR_MEMORY;
    db_bind_int(s, 1, page->conversation);
    db_bind_text(s, 2, page->after.p == NULL ? str_c("") : page->after);
    db_bind_int(s, 3, page->limit + 1);
    while (err == ERR_OK && db_next(s, &err)) {
        struct standing *member = &page->members[page->count];

        page->has_next = page->count == limit;
        if (page->has_next)
            break;
        *member = (struct standing){arena_copy(arena, db_text(s, 0)), role_named(db_text(s, 1)), false};
        page->count++;
        if (member->username.p == NULL)
            err = ERR_MEMORY;
    }
    db_done(s);
    return err;
}

/* Moves the walk beyond the current row, and adds the member if the change concerns them. */
static enum err
take_concerned(struct stmt *s, struct arena *arena, struct concerned_walk *walk)
{
    int64_t left_version = db_int(s, 1);
    struct str name = arena_copy(arena, db_text(s, 0));

    if (name.p == NULL)
        return ERR_MEMORY;
    if (left_version == 0)
        walk->after = name;
    else
        walk->left_after = left_version;
    if (db_int(s, 2) != 0)
        walk->members[walk->count++] = (struct concerned){name, left_version == 0};
    return ERR_OK;
}

enum err
sqlite_memberships_names_at(struct db *db, struct arena *arena, struct concerned_walk *walk)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_NAMES_AT);
    int present = 0;
    int left = 0;
    enum err err = ERR_OK;

    walk->count = 0;
    db_bind_int(s, 1, walk->conversation);
    db_bind_int(s, 2, walk->version);
    db_bind_text(s, 3, walk->after.p == NULL ? str_c("") : walk->after);
    db_bind_int(s, 4, walk->left_after < walk->version ? walk->version - 1 : walk->left_after);
    db_bind_int(s, 5, walk->rows);
    while (err == ERR_OK && db_next(s, &err)) {
        *(db_int(s, 1) == 0 ? &present : &left) += 1;
        err = take_concerned(s, arena, walk);
    }
    db_done(s);
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
add_active(struct stmt *s, struct arena *arena, struct active_search *search)
{
    if (db_int(s, 3) == 0)
        return ERR_OK;
    search->joined = arena_grow(arena, search->joined, search->count, sizeof(*search->joined));
    if (search->joined == NULL)
        return ERR_MEMORY;
    search->joined[search->count++] = (struct joined){.conversation = (int32_t)db_int(s, 0),
                                                      .last_seq = db_int(s, 1),
                                                      .joined_seq = int_or(s, 2, INT64_MAX)};
    return ERR_OK;
}

/* Returns the statement with the parameters of the search bound. */
static struct stmt *
use_for_active(struct db *db, enum sql sql, const struct active_search *search)
{
    struct stmt *s = db_use(db, sql);

    accounts_bind(db, s, 1, search->username);
    db_bind_int(s, 2, lagging(search->after));
    db_bind_int(s, 3, search->after);
    db_bind_int(s, 4, search->limit);
    return s;
}

/* Sets search->all: false if there are more rows than the limit. */
static enum err
find_whether_all(struct db *db, struct active_search *search)
{
    struct stmt *s = use_for_active(db, SQL_MEMBERSHIP_MORE_ACTIVE, search);
    bool more;
    enum err err = db_step(s, &more);

    search->all = !more;
    db_done(s);
    return err;
}

/*
 * Most users have few active conversations. Those with more often have thousands, and need none of
 * them, so after this many rows a cheaper statement finds whether the rest is worth reading.
 */
#define ACTIVE_FEW 16

enum err
sqlite_memberships_active(struct db *db, struct arena *arena, struct active_search *search)
{
    struct stmt *s = use_for_active(db, SQL_MEMBERSHIP_ACTIVE, search);
    int rows = 0;
    enum err err = ERR_OK;

    search->joined = NULL;
    search->count = 0;
    search->all = true;
    while (err == ERR_OK && db_next(s, &err)) {
        if (rows == ACTIVE_FEW || rows == search->limit)
            err = find_whether_all(db, search);
        if (!search->all)
            break;
        rows++;
        if (err == ERR_OK)
            err = add_active(s, arena, search);
    }
    db_done(s);
    return err;
}

enum err
sqlite_memberships_since(struct db *db, struct arena *arena, struct joined_first *first)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_SINCE);
    enum err err = ERR_OK;

    first->count = 0;
    first->joined = arena_alloc(arena, (size_t)first->limit * sizeof(*first->joined));
    if (first->joined == NULL)
        return ERR_MEMORY;
    accounts_bind(db, s, 1, first->username);
    db_bind_int(s, 2, first->limit);
    while (db_next(s, &err))
        first->joined[first->count++] = (struct joined){
            .conversation = (int32_t)db_int(s, 0),
            .since_at = db_int(s, 1),
            .last_seq = db_int(s, 2),
            .left_at = int_or(s, 3, INT64_MAX),
            .joined_seq = int_or(s, 4, INT64_MAX),
        };
    db_done(s);
    return err;
}

/* Returns the list position of a conversation that the user is in. */
static struct list_position
present_of(struct stmt *s)
{
    return (struct list_position){.conversation = ids_conversation(db_int(s, 0)),
                                  .active_at = db_int(s, 1),
                                  .updated_at = db_int(s, 2)};
}

/* Returns the list position of a conversation that the user has left. */
static struct list_position
left_of(struct stmt *s)
{
    return (struct list_position){
        .conversation = ids_conversation(db_int(s, 0)),
        .active_at = db_int(s, 1),
        .updated_at = db_int(s, 1),
        .left = true,
        .version = db_int(s, 2),
        .last_seq = db_int(s, 3),
        .type = db_int(s, 4) != 0 ? TYPE_GROUP : TYPE_PRIVATE,
    };
}

static enum err
walk_list(struct db *db, enum sql sql, struct arena *arena,
          struct list_position (*position_of)(struct stmt *s), struct list_walk *walk)
{
    struct stmt *s = db_use(db, sql);
    enum err err = ERR_OK;

    walk->count = 0;
    walk->positions = arena_alloc(arena, (size_t)walk->rows * sizeof(*walk->positions));
    if (walk->positions == NULL)
        return ERR_MEMORY;
    accounts_bind(db, s, 1, walk->username);
    db_bind_int(s, 2, walk->after);
    db_bind_int(s, 3, walk->until);
    db_bind_int(s, 4, walk->below == 0 ? INT64_MAX : walk->below);
    db_bind_int(s, 5, walk->rows);
    while (db_next(s, &err)) {
        struct list_position *position = &walk->positions[walk->count++];

        *position = position_of(s);
        walk->until = position->active_at;
        walk->below = position->conversation;
    }
    db_done(s);
    return err;
}

enum err
sqlite_memberships_present(struct db *db, struct arena *arena, struct list_walk *walk)
{
    return walk_list(db, SQL_MEMBERSHIP_PRESENT, arena, present_of, walk);
}

enum err
sqlite_memberships_left(struct db *db, struct arena *arena, struct list_walk *walk)
{
    return walk_list(db, SQL_MEMBERSHIP_LEFT, arena, left_of, walk);
}

/* Members of a batch. It is exceeded to complete the last one's version. */
#define WALK_ROWS 64

/* Adds the current row to the batch. */
static enum err
add_step(struct stmt *s, struct arena *arena, struct membership_walk *walk)
{
    struct membership_step *step;

    walk->steps = arena_grow(arena, walk->steps, walk->count, sizeof(*walk->steps));
    if (walk->steps == NULL)
        return ERR_MEMORY;
    step = &walk->steps[walk->count++];
    step->version = db_int(s, 0);
    step->standing =
        (struct standing){arena_copy(arena, db_text(s, 1)), role_named(db_text(s, 2)), db_int(s, 3) != 0};
    walk->after = step->version;
    return step->standing.username.p == NULL ? ERR_MEMORY : ERR_OK;
}

enum err
sqlite_memberships_walk(struct db *db, struct arena *arena, struct membership_walk *walk)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_CHANGED);
    enum err err;

    walk->steps = NULL;
    walk->count = 0;
    db_bind_int(s, 1, walk->conversation);
    db_bind_int(s, 2, walk->after);
    while (db_next(s, &err)) {
        if (walk->count >= WALK_ROWS && db_int(s, 0) != walk->after)
            break;
        err = add_step(s, arena, walk);
        if (err != ERR_OK)
            break;
    }
    db_done(s);
    return err;
}
