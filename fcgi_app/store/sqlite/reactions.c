/* reactions.c - see store/reactions.h. Must not know who may react. */
#include "store/sqlite/reactions.h"

#include "store/sqlite/accounts.h"
#include "model/emoji.h"
#include "store/sqlite/engine.h"

/*
 * Returns the statement with its first parameters bound: the conversation and the seq of a message.
 */
static struct stmt *
use_at(struct db *db, enum sql sql, int32_t conversation, int64_t seq)
{
    struct stmt *s = db_use(db, sql);

    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, seq);
    return s;
}

/*
 * The rows of a set of at most this size hold no names: those are found by the users' numbers, and
 * sorted. Once a set grows beyond it, its rows hold names forever, and an index orders them.
 */
#define REACTION_ROWS_FEW 16

/* A row of reaction_set. */
struct set {
    int64_t id; /* 0: there is none */
    int64_t count;
    bool named; /* its rows hold names */
};

/* Reads all names of a set whose rows hold none. Keeps the first `limit` of those after `after`. */
static enum err
read_few_names(struct db *db, struct arena *arena, const struct set *set, struct reactors *page)
{
    struct stmt *s = db_use(db, SQL_REACTION_NAMES_FEW);
    struct str *names;
    size_t count;
    size_t skipped = 0;
    enum err err;

    db_bind_int(s, 1, set->id);
    err = db_texts(s, arena, &names, &count);
    if (err != ERR_OK)
        return err;
    str_sort(names, count);
    while (skipped < count && str_cmp(names[skipped], page->after) <= 0)
        skipped++;
    page->names = names + skipped;
    page->name_count = count - skipped;
    if (page->name_count > (size_t)page->limit)
        page->name_count = (size_t)page->limit;
    return ERR_OK;
}

/* Reads up to `limit` names of a set, after `after`, in byte order. */
static enum err
read_names(struct db *db, struct arena *arena, const struct set *set, struct reactors *page)
{
    struct stmt *s;
    struct str *names;
    enum err err;

    if (!set->named)
        return read_few_names(db, arena, set, page);
    s = db_use(db, SQL_REACTION_NAMES);
    db_bind_int(s, 1, set->id);
    db_bind_text(s, 2, page->after);
    db_bind_int(s, 3, page->limit);
    err = db_texts(s, arena, &names, &page->name_count);
    page->names = names;
    return err;
}

static enum err
read_set(struct db *db, struct arena *arena, struct stmt *s, struct reaction *r)
{
    const struct set set = {.id = db_int(s, 0), .count = db_int(s, 2), .named = db_int(s, 3) != 0};
    struct reactors page = {.after = str_c(""), .limit = REACTION_NAMES_MAX};
    enum err err = read_names(db, arena, &set, &page);

    *r = (struct reaction){
        .emoji = emoji_shown(arena, db_text(s, 1)),
        .count = set.count,
        .mine = db_int(s, 4) != 0,
        .names = page.names,
        .name_count = page.name_count,
    };
    return err == ERR_OK && r->emoji.p == NULL ? ERR_MEMORY : err;
}

enum err
sqlite_reactions_read(struct db *db, struct arena *arena, struct str viewer, struct message *m)
{
    struct reaction *all = NULL;
    struct stmt *s;
    enum err err = ERR_OK;

    m->has_viewer = viewer.p != NULL;
    if (m->emoji_count == 0)
        return ERR_OK;
    s = use_at(db, SQL_REACTION_SETS, m->conversation, m->seq);
    accounts_bind(db, s, 3, viewer);
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

/* Finds the set of a message and an emoji. */
static enum err
find_set(struct stmt *s, struct str emoji, struct set *set)
{
    bool row;
    enum err err;

    db_bind_text(s, 3, emoji);
    err = db_step(s, &row);
    *set = (struct set){0};
    if (row)
        *set = (struct set){.id = db_int(s, 0), .count = db_int(s, 1), .named = db_int(s, 2) != 0};
    db_done(s);
    return err;
}

enum err
sqlite_reactions_page(struct db *db, struct arena *arena, const struct message_key *key,
                      struct reactors *page)
{
    struct set set;
    enum err err = find_set(use_at(db, SQL_REACTION_SET_GET, key->conversation, key->seq), page->emoji, &set);

    page->count = set.count;
    page->limit += 1;
    if (err == ERR_OK && set.id != 0)
        err = read_names(db, arena, &set, page);
    page->limit -= 1;
    page->has_next = page->name_count > (size_t)page->limit;
    page->name_count -= page->has_next;
    return err;
}

static enum err
find_of(struct db *db, const struct message *m, struct str emoji, struct set *set)
{
    return find_set(use_at(db, SQL_REACTION_SET_GET, m->conversation, m->seq), emoji, set);
}

static enum err
add_set(struct tx *tx, struct message *m, struct str emoji, struct set *set)
{
    struct stmt *s;
    bool row;
    enum err err;

    if (m->emoji_count >= EMOJI_PER_MESSAGE)
        return ERR_TOO_MANY_REACTIONS;
    s = use_at(tx->db, SQL_REACTION_SET_ADD, m->conversation, m->seq);
    db_bind_text(s, 3, emoji);
    err = db_step(s, &row);
    *set = (struct set){.id = row ? db_int(s, 0) : 0};
    m->emoji_count++;
    if (err != ERR_OK) {
        db_done(s);
        return err;
    }
    /* RETURNING yields the row before the statement has ended, so it is stepped to its end. */
    return db_run(s);
}

/* Stores the set's count and whether its rows hold names. Removes an empty set. */
static enum err
store_set(struct tx *tx, const struct set *set)
{
    struct stmt *s = db_use(tx->db, set->count > 0 ? SQL_REACTION_SET_COUNT : SQL_REACTION_SET_REMOVE);

    db_bind_int(s, 1, set->id);
    if (set->count > 0) {
        db_bind_int(s, 2, set->count);
        db_bind_int(s, 3, set->named);
    }
    return db_run(s);
}

/* Writes the names into the rows of a set that is no longer small. */
static enum err
name_rows(struct tx *tx, struct set *set)
{
    struct stmt *s;

    if (set->named || set->count <= REACTION_ROWS_FEW)
        return ERR_OK;
    set->named = true;
    s = db_use(tx->db, SQL_REACTION_NAME_ALL);
    db_bind_int(s, 1, set->id);
    return db_run(s);
}

/* Adds or removes the row. *changed is false if there was nothing to do. */
static enum err
write_row(struct tx *tx, enum sql sql, const struct set *set, struct str username, bool *changed)
{
    struct stmt *s = db_use(tx->db, sql);
    int64_t before = db_changes(tx->db);
    enum err err;

    db_bind_int(s, 1, set->id);
    accounts_bind(tx->db, s, 2, username);
    if (sql == SQL_REACTION_ADD)
        db_bind_text(s, 3, set->named ? username : (struct str){0});
    err = db_run(s);
    *changed = db_changes(tx->db) != before;
    return err;
}

enum err
sqlite_reactions_add(struct tx *tx, struct message *m, struct str emoji, struct str username, bool *changed)
{
    struct set set;
    enum err err = find_of(tx->db, m, emoji, &set);

    *changed = false;
    if (err == ERR_OK && set.id == 0)
        err = add_set(tx, m, emoji, &set);
    if (err == ERR_OK)
        err = write_row(tx, SQL_REACTION_ADD, &set, username, changed);
    if (err != ERR_OK || !*changed)
        return err;
    set.count++;
    err = name_rows(tx, &set);
    return err == ERR_OK ? store_set(tx, &set) : err;
}

enum err
sqlite_reactions_remove(struct tx *tx, struct message *m, struct str emoji, struct str username,
                        bool *changed)
{
    struct set set;
    enum err err = find_of(tx->db, m, emoji, &set);

    *changed = false;
    if (err == ERR_OK && set.id != 0)
        err = write_row(tx, SQL_REACTION_REMOVE, &set, username, changed);
    if (err != ERR_OK || !*changed)
        return err;
    set.count--;
    if (set.count == 0)
        m->emoji_count--;
    return store_set(tx, &set);
}

enum err
sqlite_reactions_clear(struct tx *tx, struct message *m, struct str emoji, bool *changed)
{
    struct stmt *s;
    struct set set;
    enum err err = find_of(tx->db, m, emoji, &set);

    *changed = set.id != 0;
    if (err != ERR_OK || set.id == 0)
        return err;
    m->emoji_count--;
    db_request_wipe(tx->db);
    s = db_use(tx->db, SQL_REACTION_SET_CLEAR);
    db_bind_int(s, 1, set.id);
    return db_run(s);
}

enum err
sqlite_reactions_clear_all(struct tx *tx, struct message *m)
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
