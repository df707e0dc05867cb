/* reactions.c - see reactions.h. Must not know who may react. */
#include "store/sqlite/reactions.h"

#include "store/sqlite/db.h"
#include "model/emoji.h"

/* A statement whose first two parameters are a message's place. */
static struct stmt *
use_at(struct db *db, enum sql sql, int32_t conversation, int64_t seq)
{
    struct stmt *s = db_use(db, sql);

    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, seq);
    return s;
}

/* Up to `limit` names of a set, in byte order, beyond `after`. */
static enum err
read_names(struct db *db, struct arena *arena, int64_t set, struct reactors *page)
{
    struct stmt *s = db_use(db, SQL_REACTION_NAMES);
    struct str *names;
    enum err err;

    db_bind_int(s, 1, set);
    db_bind_text(s, 2, page->after);
    db_bind_int(s, 3, page->limit);
    err = db_texts(s, arena, &names, &page->name_count);
    page->names = names;
    return err;
}

static enum err
read_set(struct db *db, struct arena *arena, struct stmt *s, struct reaction *r)
{
    struct reactors page = {.after = str_c(""), .limit = REACTION_NAMES_MAX};
    enum err err = read_names(db, arena, db_int(s, 0), &page);

    *r = (struct reaction){
        .emoji = emoji_shown(arena, db_text(s, 1)),
        .count = db_int(s, 2),
        .mine = db_int(s, 3) != 0,
        .names = page.names,
        .name_count = page.name_count,
    };
    return err == ERR_OK && r->emoji.p == NULL ? ERR_MEMORY : err;
}

enum err
reactions_read(struct db *db, struct arena *arena, struct str viewer, struct message *m)
{
    struct reaction *all = NULL;
    struct stmt *s;
    enum err err = ERR_OK;

    m->has_viewer = viewer.p != NULL;
    if (m->emoji_count == 0)
        return ERR_OK;
    s = use_at(db, SQL_REACTION_SETS, m->conversation, m->seq);
    db_bind_text(s, 3, viewer);
    while (db_next(s, &err)) {
        all = arena_grow(arena, all, m->reaction_count, sizeof(*all));
        err = all == NULL ? ERR_MEMORY : read_set(db, arena, s, &all[m->reaction_count++]);
        if (err != ERR_OK)
            break;
    }
    db_done(s);
    m->reactions = all;
    return err;
}

/* The set of a message and an emoji; 0: there is none. */
static enum err
find_set(struct stmt *s, struct str emoji, int64_t *set, int64_t *count)
{
    bool row;
    enum err err;

    db_bind_text(s, 3, emoji);
    err = db_step(s, &row);
    *set = row ? db_int(s, 0) : 0;
    *count = row ? db_int(s, 1) : 0;
    db_done(s);
    return err;
}

enum err
reactions_page(struct db *db, struct arena *arena, const struct message_key *key, struct reactors *page)
{
    int64_t set;
    enum err err = find_set(use_at(db, SQL_REACTION_SET_GET, key->conversation, key->seq), page->emoji, &set,
                            &page->count);

    page->limit += 1;
    if (err == ERR_OK && set != 0)
        err = read_names(db, arena, set, page);
    page->limit -= 1;
    page->has_next = page->name_count > (size_t)page->limit;
    page->name_count -= page->has_next;
    return err;
}

static enum err
find_of(struct db *db, const struct message *m, struct str emoji, int64_t *set, int64_t *count)
{
    return find_set(use_at(db, SQL_REACTION_SET_GET, m->conversation, m->seq), emoji, set, count);
}

static enum err
add_set(struct tx *tx, struct message *m, struct str emoji, int64_t *set)
{
    struct stmt *s;
    bool row;
    enum err err;

    if (m->emoji_count >= EMOJI_PER_MESSAGE)
        return ERR_TOO_MANY_REACTIONS;
    s = use_at(tx->db, SQL_REACTION_SET_ADD, m->conversation, m->seq);
    db_bind_text(s, 3, emoji);
    err = db_step(s, &row);
    *set = row ? db_int(s, 0) : 0;
    m->emoji_count++;
    if (err != ERR_OK) {
        db_done(s);
        return err;
    }
    /* The row is handed out before the statement has ended. */
    return db_run(s);
}

static enum err
set_count(struct tx *tx, int64_t set, int64_t count)
{
    struct stmt *s = db_use(tx->db, count > 0 ? SQL_REACTION_SET_COUNT : SQL_REACTION_SET_REMOVE);

    db_bind_int(s, 1, set);
    if (count > 0)
        db_bind_int(s, 2, count);
    return db_run(s);
}

/* Adds or removes the row; *changed: there was something to do. */
static enum err
write_row(struct tx *tx, enum sql sql, int64_t set, struct str username, bool *changed)
{
    struct stmt *s = db_use(tx->db, sql);
    int64_t before = db_changes(tx->db);
    enum err err;

    db_bind_int(s, 1, set);
    db_bind_text(s, 2, username);
    err = db_run(s);
    *changed = db_changes(tx->db) != before;
    return err;
}

enum err
reactions_add(struct tx *tx, struct message *m, struct str emoji, struct str username, bool *changed)
{
    int64_t set;
    int64_t count;
    enum err err = find_of(tx->db, m, emoji, &set, &count);

    *changed = false;
    if (err == ERR_OK && set == 0)
        err = add_set(tx, m, emoji, &set);
    if (err == ERR_OK)
        err = write_row(tx, SQL_REACTION_ADD, set, username, changed);
    return err == ERR_OK && *changed ? set_count(tx, set, count + 1) : err;
}

enum err
reactions_remove(struct tx *tx, struct message *m, struct str emoji, struct str username, bool *changed)
{
    int64_t set;
    int64_t count;
    enum err err = find_of(tx->db, m, emoji, &set, &count);

    *changed = false;
    if (err == ERR_OK && set != 0)
        err = write_row(tx, SQL_REACTION_REMOVE, set, username, changed);
    if (err != ERR_OK || !*changed)
        return err;
    if (count == 1)
        m->emoji_count--;
    return set_count(tx, set, count - 1);
}

enum err
reactions_clear(struct tx *tx, struct message *m, struct str emoji, bool *changed)
{
    struct stmt *s;
    int64_t set;
    int64_t count;
    enum err err = find_of(tx->db, m, emoji, &set, &count);

    *changed = set != 0;
    if (err != ERR_OK || set == 0)
        return err;
    m->emoji_count--;
    db_request_wipe(tx->db);
    s = db_use(tx->db, SQL_REACTION_SET_CLEAR);
    db_bind_int(s, 1, set);
    return db_run(s);
}

enum err
reactions_clear_all(struct tx *tx, struct message *m)
{
    bool any = m->emoji_count > 0;

    m->emoji_count = 0;
    m->reaction_count = 0;
    return any ? db_run(use_at(tx->db, SQL_REACTION_SETS_CLEAR, m->conversation, m->seq)) : ERR_OK;
}

enum err
reactions_cleared(struct db *db, int64_t *set)
{
    struct stmt *s = db_use(db, SQL_REACTION_CLEARED);
    bool row;
    enum err err = db_step(s, &row);

    *set = row ? db_int(s, 0) : 0;
    db_done(s);
    return err;
}

enum err
reactions_sweep(struct db *db, int64_t set, int limit, bool *done)
{
    struct stmt *s = db_use(db, SQL_REACTION_SWEEP);
    int64_t before = db_changes(db);
    enum err err;

    db_bind_int(s, 1, set);
    db_bind_int(s, 2, limit);
    err = db_run(s);
    *done = err == ERR_OK && db_changes(db) - before < limit;
    if (!*done)
        return err;
    s = db_use(db, SQL_REACTION_SET_REMOVE);
    db_bind_int(s, 1, set);
    return db_run(s);
}
