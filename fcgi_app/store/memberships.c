/* memberships.c - see memberships.h. Must not know what a stay is worth. */
#include "store/memberships.h"

#include "base/ids.h"

/* A statement whose first two parameters are a conversation and a user. */
static struct stmt *
use_for(struct db *db, enum sql sql, int32_t conversation, struct str username)
{
    struct stmt *s = db_use(db, sql);

    db_bind_int(s, 1, conversation);
    db_bind_text(s, 2, username);
    return s;
}

enum err
memberships_current(struct db *db, int32_t conversation, struct str username, int64_t *joined_version,
                    bool *is_member)
{
    struct stmt *s = use_for(db, SQL_MEMBERSHIP_STAY, conversation, username);
    enum err err;

    err = db_step(s, is_member);
    if (*is_member)
        *joined_version = db_int(s, 0);
    db_done(s);
    return err;
}

enum err
memberships_role(struct db *db, int32_t conversation, struct str username, enum role *role)
{
    struct stmt *s = use_for(db, SQL_MEMBERSHIP_ROLE, conversation, username);
    bool row;
    enum err err;

    err = db_step(s, &row);
    *role = row ? role_named(db_text(s, 0)) : ROLE_NONE;
    db_done(s);
    return err;
}

enum err
memberships_removed(struct db *db, int32_t conversation, struct str username, bool *removed)
{
    struct stmt *s = use_for(db, SQL_MEMBERSHIP_REMOVED, conversation, username);
    bool row;
    enum err err;

    err = db_step(s, &row);
    *removed = row && db_int(s, 0) != 0;
    db_done(s);
    return err;
}

/* The one name that a statement about a conversation finds. */
static enum err
find_name(struct db *db, enum sql sql, struct arena *arena, int32_t conversation, struct str *username)
{
    struct stmt *s = db_use(db, sql);
    bool row;
    enum err err;

    *username = (struct str){0};
    db_bind_int(s, 1, conversation);
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
memberships_owner(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    return find_name(db, SQL_MEMBERSHIP_OWNER, arena, conversation, username);
}

enum err
memberships_heir(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    return find_name(db, SQL_MEMBERSHIP_HEIR, arena, conversation, username);
}

static int64_t
active_at(const struct tx *tx, const struct conversation *c)
{
    return c->member_count > MEMBERS_FEW ? ACTIVE_ALWAYS : tx->tick;
}

/* An earlier stay of the user no longer tells their standing. */
static enum err
supersede(struct tx *tx, const struct conversation *c, struct str username)
{
    return db_run(use_for(tx->db, SQL_MEMBERSHIP_SUPERSEDE, c->id, username));
}

enum err
memberships_add(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    /* In a new conversation nobody has been before. */
    enum err err = c->version > 1 ? supersede(tx, c, username) : ERR_OK;
    struct stmt *s;

    if (err != ERR_OK)
        return err;
    s = use_for(tx->db, SQL_MEMBERSHIP_ADD, c->id, username);
    db_bind_int(s, 3, c->version);
    db_bind_int(s, 4, c->last_seq);
    db_bind_int(s, 5, active_at(tx, c));
    db_bind_text(s, 6, str_c(role_names[role]));
    return db_run(s);
}

enum err
memberships_end(struct tx *tx, const struct conversation *c, struct str username, int64_t joined_version,
                bool removed)
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
memberships_set_role(struct tx *tx, const struct conversation *c, struct str username, enum role role)
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
memberships_names(struct db *db, struct arena *arena, struct conversation *c)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_NAMES);
    struct str *names = NULL;
    size_t n = 0;
    bool row = true;
    enum err err = ERR_OK;

    db_bind_int(s, 1, c->id);
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        names = arena_grow(arena, names, n, sizeof(*names));
        if (names == NULL || (names[n] = arena_copy(arena, db_text(s, 0))).p == NULL) {
            err = ERR_MEMORY;
            break;
        }
        n++;
    }
    db_done(s);
    c->members = names;
    c->members_read = n;
    return err;
}

enum err
memberships_names_at(struct db *db, int32_t conversation, int64_t version,
                     void (*each)(void *arg, struct str name), void *arg)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_NAMES_AT);
    bool row = true;
    enum err err = ERR_OK;

    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, version);
    while ((err = db_step(s, &row)) == ERR_OK && row)
        each(arg, db_text(s, 0));
    db_done(s);
    return err;
}

/* What was active after `after` has an active_at beyond this. */
static int64_t
lagging(int64_t after)
{
    return after - ACTIVE_LAG_MS - 1;
}

enum err
memberships_count_active(struct db *db, struct str username, int64_t after, int limit, int *count)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_COUNT_ACTIVE);
    bool row;
    enum err err;

    db_bind_text(s, 1, username);
    db_bind_int(s, 2, lagging(after));
    db_bind_int(s, 3, limit);
    err = db_step(s, &row);
    *count = row ? (int)db_int(s, 0) : 0;
    db_done(s);
    return err;
}

enum err
memberships_stays(struct db *db, struct arena *arena, struct str username, int32_t conversation,
                  struct stay **stays, size_t *count)
{
    struct stmt *s = use_for(db, SQL_MEMBERSHIP_STAYS, conversation, username);
    bool row = true;
    enum err err = ERR_OK;

    *stays = NULL;
    *count = 0;
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        *stays = arena_grow(arena, *stays, *count, sizeof(**stays));
        if (*stays == NULL) {
            err = ERR_MEMORY;
            break;
        }
        (*stays)[(*count)++] = (struct stay){conversation, db_int(s, 0),
                                             db_is_null(s, 1) ? INT64_MAX : db_int(s, 1), db_int(s, 2)};
    }
    db_done(s);
    return err;
}

bool
memberships_received(const struct stay *stays, size_t count, int64_t seq)
{
    for (size_t i = 0; i < count; i++)
        if (seq > stays[i].after && seq <= stays[i].until)
            return true;
    return false;
}

enum err
memberships_active(struct db *db, struct arena *arena, struct str username, int64_t after,
                   struct stay **stays, size_t *count)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_ACTIVE_STAYS);
    bool row = true;
    enum err err = ERR_OK;

    *stays = NULL;
    *count = 0;
    db_bind_text(s, 1, username);
    db_bind_int(s, 2, lagging(after));
    db_bind_int(s, 3, after);
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        *stays = arena_grow(arena, *stays, *count, sizeof(**stays));
        if (*stays == NULL) {
            err = ERR_MEMORY;
            break;
        }
        (*stays)[(*count)++] = (struct stay){ids_conversation(db_int(s, 0)), db_int(s, 1), db_int(s, 2), 0};
    }
    db_done(s);
    return err;
}

enum err
memberships_by_activity(struct db *db, struct str username, int64_t after, int64_t until,
                        bool (*each)(void *arg, const struct listed *l), void *arg)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_BY_ACTIVITY);
    bool row = true;
    enum err err = ERR_OK;

    db_bind_text(s, 1, username);
    db_bind_int(s, 2, after);
    db_bind_int(s, 3, until);
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        struct listed l = {
            .conversation = ids_conversation(db_int(s, 0)),
            .active_at = db_int(s, 1),
            .superseded = db_int(s, 2) != 0,
            .left = db_int(s, 3) != 0,
            .updated_at = db_int(s, 4),
            .version = db_int(s, 5),
            .last_seq = db_int(s, 6),
            .type = db_int(s, 7) != 0 ? TYPE_GROUP : TYPE_PRIVATE,
        };

        if (!each(arg, &l))
            break;
    }
    db_done(s);
    return err;
}

struct stmt *
memberships_walk_begin(struct db *db, int32_t conversation, int64_t version)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_CHANGED);

    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, version);
    return s;
}

enum err
memberships_walk_next(struct stmt *walk, struct standing *standing, int64_t *version, bool *more)
{
    enum err err = db_step(walk, more);

    if (*more) {
        *version = db_int(walk, 0);
        *standing = (struct standing){db_text(walk, 1), role_named(db_text(walk, 2)), db_int(walk, 3) != 0};
    }
    return err;
}
