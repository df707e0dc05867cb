/* reactions.c - see store/reactions.h. */
#include "store/memory/engine.h"

#include "model/emoji.h"
#include "store/memory/declared.h"

/* The reactions to a message with one emoji (absent: with any): rows first … end-1. */
struct run {
    size_t first;
    size_t end;
};

static bool
belongs(const struct reaction_row *row, const struct reaction_row *wanted)
{
    return row->conversation == wanted->conversation && row->seq == wanted->seq &&
           (wanted->emoji.p == NULL || str_eq(row->emoji, wanted->emoji));
}

static struct run
find_run(const struct db *db, int32_t conversation, int64_t seq, struct str emoji)
{
    const struct table *t = state_table(db, REACTION);
    const struct reaction_row wanted = {.conversation = conversation, .seq = seq, .emoji = emoji};
    size_t first = table_find(t, &wanted);
    struct run run = {first, first};

    while (run.end < t->count && belongs(table_row(t, run.end), &wanted))
        run.end++;
    return run;
}

static const struct reaction_row *
row_at(const struct db *db, size_t i)
{
    return table_row(state_table(db, REACTION), i);
}

/* Copies up to `limit` names of the run into the arena. */
static enum err
copy_names(const struct db *db, struct arena *arena, struct run run, size_t limit, struct reactors *to)
{
    struct str *names;
    size_t count = run.end - run.first < limit ? run.end - run.first : limit;

    names = arena_alloc(arena, (count + 1) * sizeof(*names));
    if (names == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        names[i] = arena_copy(arena, row_at(db, run.first + i)->username);
        if (names[i].p == NULL)
            return ERR_MEMORY;
    }
    to->names = names;
    to->name_count = count;
    return ERR_OK;
}

static enum err
read_run(const struct db *db, struct arena *arena, struct run run, struct str viewer, struct reaction *r)
{
    struct reactors shown = {0};
    enum err err = copy_names(db, arena, run, REACTION_NAMES_MAX, &shown);

    *r = (struct reaction){
        .emoji = emoji_shown(arena, row_at(db, run.first)->emoji),
        .count = (int64_t)(run.end - run.first),
        .names = shown.names,
        .name_count = shown.name_count,
    };
    for (size_t i = run.first; i < run.end; i++)
        r->mine = r->mine || (viewer.p != NULL && str_eq(row_at(db, i)->username, viewer));
    return err == ERR_OK && r->emoji.p == NULL ? ERR_MEMORY : err;
}

enum err
memory_reactions_read(struct db *db, struct arena *arena, struct str viewer, struct message *m)
{
    struct run all = find_run(db, m->conversation, m->seq, (struct str){0});
    struct reaction *reactions = NULL;
    enum err err = ERR_OK;

    declared_reactions(db, __func__, m, viewer);
    m->has_viewer = viewer.p != NULL;
    if (m->emoji_count == 0)
        return ERR_OK;
    while (err == ERR_OK && all.first < all.end) {
        struct run one = find_run(db, m->conversation, m->seq, row_at(db, all.first)->emoji);

        reactions = arena_grow(arena, reactions, m->reaction_count, sizeof(*reactions));
        err = reactions == NULL ? ERR_MEMORY
                                : read_run(db, arena, one, viewer, &reactions[m->reaction_count++]);
        all.first = one.end;
    }
    m->reactions = reactions;
    return err;
}

enum err
memory_reactions_page(struct db *db, struct arena *arena, const struct message_key *key,
                      struct reactors *page)
{
    struct run run = find_run(db, key->conversation, key->seq, page->emoji);
    enum err err;

    declared_open(db, __func__);
    page->count = (int64_t)(run.end - run.first);
    while (run.first < run.end && str_cmp(row_at(db, run.first)->username, page->after) <= 0)
        run.first++;
    err = copy_names(db, arena, run, (size_t)page->limit, page);
    page->has_next = run.end - run.first > (size_t)page->limit;
    return err;
}

/* Returns the user's reaction; NULL: there is none. */
static const struct reaction_row *
find(const struct db *db, const struct message *m, struct str emoji, struct str username)
{
    const struct reaction_row wanted = {m->conversation, m->seq, emoji, username};

    return table_get(state_table(db, REACTION), &wanted);
}

static bool
has_emoji(const struct db *db, const struct message *m, struct str emoji)
{
    struct run run = find_run(db, m->conversation, m->seq, emoji);

    return run.first < run.end;
}

enum err
memory_reactions_add(struct tx *tx, struct message *m, struct str emoji, struct str username, bool *changed)
{
    struct reaction_row row = {m->conversation, m->seq, emoji, username};
    bool is_new = !has_emoji(tx->db, m, emoji);
    enum err err;

    declared_reaction(tx->db, __func__, m, emoji, username);
    *changed = find(tx->db, m, emoji, username) == NULL;
    if (!*changed)
        return ERR_OK;
    if (is_new && m->emoji_count >= EMOJI_PER_MESSAGE)
        return ERR_TOO_MANY_REACTIONS;
    if (state_message(tx->db, m->conversation, m->seq) == NULL || !state_has_account(tx->db, username))
        return ERR_STORAGE;
    err = state_keep(tx->db, &row.emoji);
    if (err == ERR_OK)
        err = state_keep(tx->db, &row.username);
    if (err == ERR_OK)
        err = state_add(tx->db, REACTION, &row);
    if (is_new)
        m->emoji_count++;
    return err;
}

enum err
memory_reactions_remove(struct tx *tx, struct message *m, struct str emoji, struct str username,
                        bool *changed)
{
    const struct reaction_row *row = find(tx->db, m, emoji, username);
    enum err err;

    declared_reaction(tx->db, __func__, m, emoji, username);
    *changed = row != NULL;
    if (!*changed)
        return ERR_OK;
    err = state_delete(tx->db, REACTION, table_find(state_table(tx->db, REACTION), row));
    m->emoji_count -= !has_emoji(tx->db, m, emoji);
    return err;
}

static enum err
delete_run(struct db *db, struct run run)
{
    enum err err = ERR_OK;

    while (err == ERR_OK && run.end > run.first)
        err = state_delete(db, REACTION, --run.end);
    return err;
}

/* Costs a step for each user, which is more than the interface allows. Tests have few. */
enum err
memory_reactions_clear(struct tx *tx, struct message *m, struct str emoji, bool *changed)
{
    declared_reaction(tx->db, __func__, m, emoji, (struct str){0});
    *changed = has_emoji(tx->db, m, emoji);
    m->emoji_count -= *changed;
    return delete_run(tx->db, find_run(tx->db, m->conversation, m->seq, emoji));
}

enum err
memory_reactions_clear_all(struct tx *tx, struct message *m)
{
    m->emoji_count = 0;
    m->reaction_count = 0;
    return delete_run(tx->db, find_run(tx->db, m->conversation, m->seq, (struct str){0}));
}
