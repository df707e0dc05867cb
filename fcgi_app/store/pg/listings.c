/*
 * listings.c - see store/listings.h. Must not know who asks.
 *
 * Each function reads all entries of the page at once. Only the unread count of a user who has many
 * unread messages, or came and went since they read, takes further round trips.
 */
#include "store/pg/engine.h"

#include "model/ids.h"
#include "store/pg/conversations.h"
#include "store/pg/db.h"
#include "store/pg/memberships.h"

/* The columns that the macros STAY and CONVERSATION of sql.c name. */
#define STAY_COLUMNS         8
#define CONVERSATION_COLUMNS 9

/* Returns the entry of the current row. `column` is its number, from 1; NULL: there is none. */
static struct listing_row *
row_of(struct pg_stmt *s, int column, struct listing_row *rows, size_t count)
{
    int64_t n = pg_int(s, column);

    return n < 1 || (uint64_t)n > count ? NULL : &rows[n - 1];
}

/* Returns the ids of the conversations, from the arena. */
static int64_t *
ids_of(struct arena *arena, const struct listing_row *rows, size_t count)
{
    int64_t *ids = arena_alloc(arena, count * sizeof(*ids));

    for (size_t i = 0; ids != NULL && i < count; i++)
        ids[i] = rows[i].id;
    return ids;
}

/* Fills the entry from the current row. */
static enum err
read_standing(struct pg_stmt *s, struct arena *arena, struct listing_row *row)
{
    int64_t last_seq;
    enum err err = pg_conversations_row(s, STAY_COLUMNS + 1, arena, row->id, &row->conversation);

    row->last = pg_memberships_stay(s, 0);
    row->read_seq = pg_int(s, STAY_COLUMNS);
    last_seq = row->conversation.last_seq;
    row->newest_seq = row->last.until < last_seq ? row->last.until : last_seq;
    /*
     * The user received nothing in the last stay. The newest message is of a past stay, or there is
     * none.
     */
    if (row->newest_seq <= row->last.after)
        row->newest_seq = pg_int(s, STAY_COLUMNS + 1 + CONVERSATION_COLUMNS);
    return err;
}

enum err
pg_listings_standing(struct db *db, struct arena *arena, struct str username, struct listing_row *rows,
                     size_t count)
{
    struct pg_stmt *s = pg_use(db, PG_LISTING_STANDING);
    int64_t *ids = ids_of(arena, rows, count);
    size_t found = 0;
    enum err err = ERR_OK;

    if (ids == NULL)
        return ERR_MEMORY;
    pg_bind_ints(s, 1, ids, count);
    pg_bind_text(s, 2, username);
    while (pg_next(s, &err)) {
        struct listing_row *row = row_of(s, STAY_COLUMNS + CONVERSATION_COLUMNS + 2, rows, count);

        err = row == NULL ? ERR_STORAGE : read_standing(s, arena, row);
        if (err != ERR_OK)
            break;
        found++;
    }
    pg_done(s);
    return err == ERR_OK && found != count ? ERR_STORAGE : err;
}

enum err
pg_listings_names(struct db *db, struct arena *arena, struct listing_row *rows, size_t count)
{
    struct pg_stmt *s = pg_use(db, PG_LISTING_NAMES);
    int64_t *ids = ids_of(arena, rows, count);
    enum err err = ERR_OK;

    if (ids == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        rows[i].conversation.members = NULL;
        rows[i].conversation.members_read = 0;
        /* It has too many members to read their names. */
        if (rows[i].conversation.member_count > MEMBERS_FEW)
            ids[i] = CONVERSATION_NONE;
    }
    pg_bind_ints(s, 1, ids, count);
    pg_bind_int(s, 2, MEMBERS_FEW);
    while (pg_next(s, &err)) {
        struct listing_row *row = row_of(s, 0, rows, count);
        struct str *names = NULL;

        err = row == NULL ? ERR_STORAGE : pg_texts(s, 1, arena, &names, &row->conversation.members_read);
        if (err != ERR_OK)
            break;
        row->conversation.members = names;
    }
    pg_done(s);
    return err;
}

/* --- unread messages */

/* How many rows of a range are read at first, and at most. */
#define ROWS_FIRST 32
#define ROWS_MAX   1024

/* A count over several ranges, newest messages first. */
struct tally {
    struct listing_row *row;
    int64_t after; /* seq: the current stay began after this message */
    int64_t low;   /* place: the current range is low < place <= high */
    int64_t high;  /* moves down as messages are counted */
    int64_t looks; /* how many rows and stays may still be read */
    int64_t rows;  /* to be read next */
};

/* What all counts of a page share. */
struct tallies {
    struct db *db;
    struct arena *arena;
    struct str username;
    struct tally *all;
    size_t count;
};

/* Is there nothing left to count in the range? */
static bool
is_counted(const struct tally *t)
{
    return t->high <= t->low || t->row->unread >= UNREAD_MAX || t->looks <= 0;
}

/* Begins to count the unread messages of the range. */
static void
begin_range(struct tally *t, int64_t after, int64_t until)
{
    const struct listing_row *row = t->row;
    int64_t last_seq = row->conversation.last_seq;

    t->after = after;
    after = after > row->read_seq ? after : row->read_seq;
    until = until < last_seq ? until : last_seq;
    t->low = (int64_t)row->id << 32 | ids_seq(after);
    t->high = (int64_t)row->id << 32 | ids_seq(until);
    t->rows = ROWS_FIRST;
}

/* Adds the result of a round to the count. */
static void
take_round(struct pg_stmt *s, struct tally *t)
{
    t->row->unread += pg_int(s, 1);
    if (t->row->unread > UNREAD_MAX)
        t->row->unread = UNREAD_MAX;
    t->looks -= pg_int(s, 2);
    t->high = pg_int_or(s, 3, t->low);
    t->rows = t->rows * 4 < ROWS_MAX ? t->rows * 4 : ROWS_MAX;
}

/*
 * Reads the next rows of each range that is not counted yet. *more: whether there were such ranges.
 */
static enum err
read_round(const struct tallies *all, int64_t *numbers, bool *more)
{
    struct pg_stmt *s = pg_use(all->db, PG_LISTING_OTHERS);
    int64_t *lows = numbers;
    int64_t *highs = lows + all->count;
    int64_t *rows = highs + all->count;
    struct tally **open = arena_alloc(all->arena, all->count * sizeof(struct tally *));
    size_t n = 0;
    enum err err = ERR_OK;

    if (open == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < all->count; i++) {
        struct tally *t = &all->all[i];

        if (is_counted(t))
            continue;
        lows[n] = t->low;
        highs[n] = t->high;
        rows[n] = t->rows < t->looks ? t->rows : t->looks;
        open[n++] = t;
    }
    *more = n > 0;
    if (n == 0)
        return ERR_OK;
    pg_bind_ints(s, 1, lows, n);
    pg_bind_ints(s, 2, highs, n);
    pg_bind_ints(s, 3, rows, n);
    pg_bind_text(s, 4, all->username);
    while (pg_next(s, &err)) {
        int64_t at = pg_int(s, 0);

        if (at >= 1 && (uint64_t)at <= n)
            take_round(s, open[at - 1]);
    }
    pg_done(s);
    return err;
}

/* Counts all current ranges to their ends. */
static enum err
count_ranges(const struct tallies *all)
{
    int64_t *numbers = arena_alloc(all->arena, 3 * all->count * sizeof(*numbers));
    bool more = true;
    enum err err = numbers == NULL ? ERR_MEMORY : ERR_OK;

    while (err == ERR_OK && more)
        err = read_round(all, numbers, &more);
    return err;
}

/* Returns whether the count must continue with an earlier stay. */
static bool
goes_back(const struct tally *t)
{
    return t->after > t->row->read_seq && t->row->unread < UNREAD_MAX && t->looks > 0;
}

/* Begins to count the stays that the statement has found, and ends the statement. */
static enum err
begin_past(struct pg_stmt *s, struct tally **open, size_t count, bool *more)
{
    enum err err = ERR_OK;

    while (pg_next(s, &err)) {
        int64_t at = pg_int(s, 0);

        if (at < 1 || (uint64_t)at > count)
            continue;
        begin_range(open[at - 1], pg_int(s, 1), pg_int(s, 2));
        *more = true;
    }
    pg_done(s);
    return err;
}

/*
 * Finds, for each count that continues, the stay before the current one, at the cost of one look.
 * *more: whether there were such stays.
 */
static enum err
find_past(const struct tallies *all, int64_t *numbers, struct tally **open, bool *more)
{
    struct pg_stmt *s = pg_use(all->db, PG_LISTING_PAST);
    int64_t *ids = numbers;
    int64_t *seqs = ids + all->count;
    size_t n = 0;

    *more = false;
    for (size_t i = 0; i < all->count; i++) {
        struct tally *t = &all->all[i];

        if (!goes_back(t))
            continue;
        ids[n] = t->row->id;
        seqs[n] = t->after;
        t->looks--;
        /* The count ends unless begin_past() finds a stay. */
        t->after = 0;
        open[n++] = t;
    }
    if (n == 0)
        return ERR_OK;
    pg_bind_ints(s, 1, ids, n);
    pg_bind_ints(s, 2, seqs, n);
    pg_bind_text(s, 3, all->username);
    return begin_past(s, open, n, more);
}

/* Counts past stays, from the last one back, for all counts at the same time. */
static enum err
count_past(const struct tallies *all)
{
    int64_t *numbers = arena_alloc(all->arena, 2 * all->count * sizeof(*numbers));
    struct tally **open = arena_alloc(all->arena, all->count * sizeof(struct tally *));
    bool more = true;
    enum err err = numbers == NULL || open == NULL ? ERR_MEMORY : ERR_OK;

    while (err == ERR_OK && more) {
        err = find_past(all, numbers, open, &more);
        if (err == ERR_OK && more)
            err = count_ranges(all);
    }
    return err;
}

enum err
pg_listings_unread(struct db *db, struct str username, struct listing_row *rows, size_t count)
{
    struct arena arena;
    struct tallies all = {.db = db, .arena = &arena, .username = username, .count = count};
    enum err err;

    arena_init(&arena);
    all.all = arena_alloc(&arena, count * sizeof(*all.all));
    for (size_t i = 0; all.all != NULL && i < count; i++) {
        rows[i].unread = 0;
        all.all[i] = (struct tally){.row = &rows[i], .looks = LISTINGS_LOOKS_MAX};
        begin_range(&all.all[i], rows[i].last.after, rows[i].last.until);
    }
    err = all.all == NULL ? ERR_MEMORY : count_ranges(&all);
    if (err == ERR_OK)
        err = count_past(&all);
    arena_clear(&arena);
    return err;
}
