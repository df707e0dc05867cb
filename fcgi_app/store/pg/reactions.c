/* reactions.c - see reactions.h and store/reactions.h. Must not know who may react. */
#include "store/pg/reactions.h"

#include "model/emoji.h"
#include "store/pg/db.h"
#include "store/pg/engine.h"
#include "store/pg/instance.h"

/*
 * The rows of a set of at most this size hold no names: those are found by the users' numbers, and
 * sorted. Once a set grows beyond it, its rows hold names forever, and an index orders them.
 */
#define REACTION_ROWS_FEW 16

/*
 * Returns the statement with its first parameters bound: the conversation and the seq of a message.
 */
static struct pg_stmt *
use_at(struct db *db, enum pg_sql sql, int32_t conversation, int64_t seq)
{
    struct pg_stmt *s = pg_use(db, sql);

    pg_bind_int(s, 1, conversation);
    pg_bind_int(s, 2, seq);
    return s;
}

/* --- reading */

enum err
pg_reactions_note(struct arena *arena, struct pg_reacted *reacted, struct message *m)
{
    m->has_viewer = reacted->viewer.p != NULL && m->id != 0;
    if (m->emoji_count == 0)
        return ERR_OK;
    reacted->messages = arena_grow(arena, reacted->messages, reacted->count, sizeof(struct message *));
    if (reacted->messages == NULL)
        return ERR_MEMORY;
    reacted->messages[reacted->count++] = m;
    return ERR_OK;
}

/* The message whose sets are being read. All sets of a message follow each other. */
struct shown {
    struct message *message; /* NULL: none yet */
    struct reaction *reactions;
};

/* Adds the set of the current row to the message's reactions. */
static enum err
add_shown(struct pg_stmt *s, struct arena *arena, struct shown *shown)
{
    struct message *m = shown->message;
    struct reaction *r;
    struct str *names;
    enum err err;

    shown->reactions = arena_grow(arena, shown->reactions, m->reaction_count, sizeof(*r));
    m->reactions = shown->reactions;
    if (shown->reactions == NULL)
        return ERR_MEMORY;
    r = &shown->reactions[m->reaction_count++];
    *r = (struct reaction){
        .emoji = emoji_shown(arena, pg_text(s, 1)), .count = pg_int(s, 2), .mine = pg_int(s, 3) != 0};
    err = pg_texts(s, 4, arena, &names, &r->name_count);
    r->names = names;
    return err == ERR_OK && r->emoji.p == NULL ? ERR_MEMORY : err;
}

/* Reads all sets of the statement, and ends the statement. */
static enum err
read_sets(struct pg_stmt *s, struct arena *arena, const struct pg_reacted *reacted)
{
    struct shown shown = {0};
    enum err err = ERR_OK;

    while (pg_next(s, &err)) {
        int64_t n = pg_int(s, 0);

        if (n < 1 || (uint64_t)n > reacted->count) {
            err = ERR_STORAGE;
            break;
        }
        if (shown.message != reacted->messages[n - 1])
            shown = (struct shown){.message = reacted->messages[n - 1]};
        err = add_shown(s, arena, &shown);
        if (err != ERR_OK)
            break;
    }
    pg_done(s);
    return err;
}

enum err
pg_reactions_read_all(struct db *db, struct arena *arena, const struct pg_reacted *reacted)
{
    int64_t *places;
    struct pg_stmt *s;

    if (reacted->count == 0)
        return ERR_OK;
    places = arena_alloc(arena, reacted->count * sizeof(*places));
    if (places == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < reacted->count; i++)
        places[i] = (int64_t)reacted->messages[i]->conversation << 32 | reacted->messages[i]->seq;
    s = pg_use(db, PG_REACTION_SETS);
    pg_bind_ints(s, 1, places, reacted->count);
    pg_bind_text(s, 2, reacted->viewer);
    pg_bind_int(s, 3, REACTION_NAMES_MAX);
    return read_sets(s, arena, reacted);
}

enum err
pg_reactions_read(struct db *db, struct arena *arena, struct str viewer, struct message *m)
{
    struct pg_reacted reacted = {.viewer = viewer};
    enum err err = pg_reactions_note(arena, &reacted, m);

    return err == ERR_OK ? pg_reactions_read_all(db, arena, &reacted) : err;
}

enum err
pg_reactions_page(struct db *db, struct arena *arena, const struct message_key *key, struct reactors *page)
{
    struct pg_stmt *s = use_at(db, PG_REACTION_PAGE, key->conversation, key->seq);
    struct str *names = NULL;
    bool row;
    enum err err;

    pg_bind_text(s, 3, page->emoji);
    pg_bind_text(s, 4, page->after);
    pg_bind_int(s, 5, page->limit + 1);
    page->count = 0;
    page->name_count = 0;
    err = pg_step(s, &row);
    if (row) {
        page->count = pg_int(s, 0);
        err = pg_texts(s, 1, arena, &names, &page->name_count);
    }
    pg_done(s);
    page->names = names;
    page->has_next = page->name_count > (size_t)page->limit;
    page->name_count -= page->has_next;
    return err;
}

/* --- writing */

/* A row of reaction_set, as a user sees it. */
struct set {
    int64_t id; /* 0: there is none */
    int64_t count;
    bool named; /* its rows hold names */
    bool mine;  /* the user is among them */
};

/* Finds the set of a message and an emoji. An absent `username` has not reacted. */
static enum err
find_set(struct db *db, const struct message *m, struct str emoji, struct str username, struct set *set)
{
    struct pg_stmt *s = use_at(db, PG_REACTION_SET_GET, m->conversation, m->seq);
    bool row;
    enum err err;

    pg_bind_text(s, 3, emoji);
    pg_bind_text(s, 4, username);
    err = pg_step(s, &row);
    *set = (struct set){0};
    if (row)
        *set = (struct set){pg_int(s, 0), pg_int(s, 1), pg_int(s, 2) != 0, pg_int(s, 3) != 0};
    pg_done(s);
    return err;
}

static enum err
add_set(struct tx *tx, struct message *m, struct str emoji, struct set *set)
{
    struct pg_stmt *s = pg_use(tx->db, PG_REACTION_SET_ADD);

    m->emoji_count++;
    *set = (struct set){.id = ++tx->counters->last_set_id};
    pg_bind_int(s, 1, set->id);
    pg_bind_int(s, 2, m->conversation);
    pg_bind_int(s, 3, m->seq);
    pg_bind_text(s, 4, emoji);
    return pg_queue(s);
}

/* Stores the set's count and whether its rows hold names. Removes a set without rows. */
static enum err
store_set(struct tx *tx, const struct set *set)
{
    struct pg_stmt *s = pg_use(tx->db, set->count > 0 ? PG_REACTION_SET_COUNT : PG_REACTION_SET_REMOVE);

    pg_bind_int(s, 1, set->id);
    if (set->count > 0) {
        pg_bind_int(s, 2, set->count);
        pg_bind_bool(s, 3, set->named);
    }
    return pg_queue(s);
}

/* Writes the names into the rows of a set that is no longer small. */
static enum err
name_rows(struct tx *tx, struct set *set)
{
    struct pg_stmt *s;

    if (set->named || set->count <= REACTION_ROWS_FEW)
        return ERR_OK;
    set->named = true;
    s = pg_use(tx->db, PG_REACTION_NAME_ALL);
    pg_bind_int(s, 1, set->id);
    return pg_queue(s);
}

enum err
pg_reactions_add(struct tx *tx, struct message *m, struct str emoji, struct str username, bool *changed)
{
    struct pg_stmt *s;
    struct set set;
    enum err err = find_set(tx->db, m, emoji, username, &set);

    *changed = false;
    if (err != ERR_OK || set.mine)
        return err;
    if (set.id == 0 && m->emoji_count >= EMOJI_PER_MESSAGE)
        return ERR_TOO_MANY_REACTIONS;
    *changed = true;
    if (set.id == 0)
        err = add_set(tx, m, emoji, &set);
    if (err != ERR_OK)
        return err;
    s = pg_use(tx->db, PG_REACTION_ADD);
    pg_bind_int(s, 1, set.id);
    pg_bind_text(s, 2, username);
    pg_bind_bool(s, 3, set.named);
    err = pg_queue(s);
    set.count++;
    if (err == ERR_OK)
        err = name_rows(tx, &set);
    return err == ERR_OK ? store_set(tx, &set) : err;
}

enum err
pg_reactions_remove(struct tx *tx, struct message *m, struct str emoji, struct str username, bool *changed)
{
    struct pg_stmt *s;
    struct set set;
    enum err err = find_set(tx->db, m, emoji, username, &set);

    *changed = err == ERR_OK && set.mine;
    if (!*changed)
        return err;
    s = pg_use(tx->db, PG_REACTION_REMOVE);
    pg_bind_int(s, 1, set.id);
    pg_bind_text(s, 2, username);
    err = pg_queue(s);
    set.count--;
    if (set.count == 0)
        m->emoji_count--;
    return err == ERR_OK ? store_set(tx, &set) : err;
}

enum err
pg_reactions_clear(struct tx *tx, struct message *m, struct str emoji, bool *changed)
{
    struct pg_stmt *s;
    struct set set;
    enum err err = find_set(tx->db, m, emoji, (struct str){0}, &set);

    *changed = err == ERR_OK && set.id != 0;
    if (!*changed)
        return err;
    m->emoji_count--;
    s = pg_use(tx->db, PG_REACTION_SET_CLEAR);
    pg_bind_int(s, 1, set.id);
    return pg_queue(s);
}

enum err
pg_reactions_clear_all(struct tx *tx, struct message *m)
{
    bool any = m->emoji_count > 0;

    m->emoji_count = 0;
    m->reaction_count = 0;
    return any ? pg_queue(use_at(tx->db, PG_REACTION_SETS_CLEAR, m->conversation, m->seq)) : ERR_OK;
}

/* --- sweeping cleared reactions */

enum err
pg_reactions_cleared(struct db *db, int64_t *set)
{
    struct pg_stmt *s = pg_use(db, PG_REACTION_CLEARED);
    bool row;
    enum err err = pg_step(s, &row);

    *set = row ? pg_int(s, 0) : 0;
    pg_done(s);
    return err;
}

enum err
pg_reactions_sweep(struct db *db, int64_t set, int limit)
{
    struct pg_stmt *s = pg_use(db, PG_REACTION_SWEEP);

    pg_bind_int(s, 1, set);
    pg_bind_int(s, 2, limit);
    return pg_queue(s);
}
