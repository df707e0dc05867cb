/* memberships.c - see memberships.h. */
#include "store/memberships.h"

enum err
memberships_current(struct db *db, int64_t conversation, struct str username, int64_t *joined_version,
                    bool *is_member)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_STAY);
    enum err err;

    db_bind_int(s, 1, conversation);
    db_bind_text(s, 2, username);
    err = db_step(s, is_member);
    if (*is_member)
        *joined_version = db_int(s, 0);
    db_done(s);
    return err;
}

enum err
memberships_add(struct tx *tx, const struct conversation *c, struct str username)
{
    struct stmt *s = db_use(tx->db, SQL_MEMBERSHIP_ADD);

    db_bind_int(s, 1, c->id);
    db_bind_text(s, 2, username);
    db_bind_int(s, 3, c->version);
    db_bind_int(s, 4, c->last_seq);
    return db_run(s);
}

enum err
memberships_end(struct tx *tx, const struct conversation *c, struct str username, int64_t joined_version)
{
    struct stmt *s = db_use(tx->db, SQL_MEMBERSHIP_END);

    db_bind_int(s, 1, c->id);
    db_bind_text(s, 2, username);
    db_bind_int(s, 3, joined_version);
    db_bind_int(s, 4, c->version);
    db_bind_int(s, 5, c->last_seq);
    return db_run(s);
}

/* Room for one more of `size` bytes at the end of an arena's array, doubling it when full. */
static void *
grow(struct arena *arena, void *array, size_t count, size_t size)
{
    void *larger;

    if (count > 0 && (count < 8 || (count & (count - 1)) != 0))
        return array;
    larger = arena_alloc(arena, (count < 8 ? 8 : count * 2) * size);
    if (larger != NULL && count > 0)
        memcpy(larger, array, count * size);
    return larger;
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
        names = grow(arena, names, n, sizeof(*names));
        if (names == NULL || (names[n] = arena_copy(arena, db_text(s, 0))).p == NULL) {
            err = ERR_MEMORY;
            break;
        }
        n++;
    }
    db_done(s);
    c->members = names;
    c->member_count = n;
    return err;
}

enum err
memberships_names_at(struct db *db, int64_t conversation, int64_t version,
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

enum err
memberships_count(struct db *db, struct str username, int limit, int *count)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_COUNT_UP_TO);
    bool row;
    enum err err;

    db_bind_text(s, 1, username);
    db_bind_int(s, 2, limit);
    err = db_step(s, &row);
    *count = row ? (int)db_int(s, 0) : 0;
    db_done(s);
    return err;
}

enum err
memberships_stays(struct db *db, struct arena *arena, struct str username, int64_t conversation,
                  struct stay **stays, size_t *count)
{
    struct stmt *s = db_use(db, SQL_MEMBERSHIP_STAYS);
    bool row = true;
    enum err err = ERR_OK;

    *stays = NULL;
    *count = 0;
    db_bind_text(s, 1, username);
    db_bind_int(s, 2, conversation);
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        *stays = grow(arena, *stays, *count, sizeof(**stays));
        if (*stays == NULL) {
            err = ERR_MEMORY;
            break;
        }
        (*stays)[(*count)++] =
            (struct stay){conversation, db_int(s, 0), db_is_null(s, 1) ? INT64_MAX : db_int(s, 1)};
    }
    db_done(s);
    return err;
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
    db_bind_int(s, 2, after);
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        *stays = grow(arena, *stays, *count, sizeof(**stays));
        if (*stays == NULL) {
            err = ERR_MEMORY;
            break;
        }
        (*stays)[(*count)++] = (struct stay){db_int(s, 0), db_int(s, 1), db_int(s, 2)};
    }
    db_done(s);
    return err;
}
