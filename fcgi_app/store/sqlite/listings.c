/*
 * listings.c - see store/listings.h. Must not know who asks.
 *
 * Runs one statement for each entry. SQLite has no round trips to save, and one statement for the
 * whole page over json_each() is slower: for 50 entries, the standings take 85 us instead of 80,
 * and the names, which it sorts, 80 us instead of 45.
 */
#include "store/sqlite/engine.h"

#include "model/ids.h"
#include "store/messages.h"
#include "store/sqlite/accounts.h"
#include "store/sqlite/conversations.h"
#include "store/sqlite/memberships.h"

/* The number of columns of the macro STAY of sql.c. */
#define STAY_COLUMNS 8

/* Fills newest_seq from the rest of the row. */
static enum err
find_newest(struct db *db, struct str username, struct listing_row *row)
{
    struct span past;
    enum err err;

    row->newest_seq =
        row->last.until < row->conversation.last_seq ? row->last.until : row->conversation.last_seq;
    if (row->newest_seq > row->last.after)
        return ERR_OK;
    err = sqlite_memberships_past_before(db, row->id, username, row->last.after, &past);
    row->newest_seq = past.until;
    return err;
}

static enum err
read_standing(struct db *db, struct arena *arena, struct str username, struct listing_row *row)
{
    struct stmt *s = db_use(db, SQL_LISTING_STANDING);
    bool found;
    enum err err;

    db_bind_int(s, 1, row->id);
    accounts_bind(db, s, 2, username);
    err = db_step(s, &found);
    if (err == ERR_OK && !found)
        err = ERR_STORAGE;
    if (err == ERR_OK) {
        row->last = memberships_stay_of(s, 0);
        row->read_seq = db_int(s, STAY_COLUMNS);
        err = conversations_row(s, STAY_COLUMNS + 1, arena, row->id, &row->conversation);
    }
    db_done(s);
    return err == ERR_OK ? find_newest(db, username, row) : err;
}

enum err
sqlite_listings_standing(struct db *db, struct arena *arena, struct str username, struct listing_row *rows,
                         size_t count)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < count; i++)
        err = read_standing(db, arena, username, &rows[i]);
    return err;
}

enum err
sqlite_listings_names(struct db *db, struct arena *arena, struct listing_row *rows, size_t count)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < count; i++)
        err = sqlite_memberships_names(db, arena, &rows[i].conversation, MEMBERS_FEW);
    return err;
}

/* A count over several ranges. */
struct tally {
    int64_t found;
    int64_t looks; /* how many rows may still be read */
};

/* A longer run of the user's own messages is skipped by a search instead of step by step. */
#define STEPS_MAX 4

/* Skips the user's own messages at the end of the range. The walk restarts before them. */
static void
skip_run(struct stmt *s, struct message_range *range, int64_t last, int64_t run)
{
    db_done(s);
    range->until = last - run;
    db_bind_int(s, 3, range->until);
}

/* Counts the messages of the range, newest first, except the user's own and deleted ones. */
static enum err
count_range(struct db *db, struct message_range range, struct str username, struct tally *tally)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_OTHERS);
    enum err err = ERR_OK;

    range.after = ids_seq(range.after);
    range.until = ids_seq(range.until);
    db_bind_int(s, 1, range.conversation);
    db_bind_int(s, 2, range.after);
    db_bind_int(s, 3, range.until);
    accounts_bind(db, s, 4, username);
    while (tally->found < UNREAD_MAX && tally->looks > 0 && range.until > range.after) {
        if (!db_next(s, &err))
            break;
        tally->looks--;
        if (db_int(s, 2) == 0)
            tally->found += db_int(s, 1);
        else if (db_int(s, 3) > STEPS_MAX)
            skip_run(s, &range, db_int(s, 0), db_int(s, 3));
    }
    db_done(s);
    return err;
}

/* Counts from the last stay back: one look-up for each stay, and then its messages. */
static enum err
count_unread(struct db *db, struct str username, struct listing_row *row)
{
    struct tally tally = {0, LISTINGS_LOOKS_MAX};
    int64_t last_seq = row->conversation.last_seq;
    struct span span = {row->last.after, row->last.until < last_seq ? row->last.until : last_seq, true};
    enum err err = ERR_OK;

    while (err == ERR_OK && span.received && tally.found < UNREAD_MAX && tally.looks > 0) {
        int64_t after = span.after > row->read_seq ? span.after : row->read_seq;
        const struct message_range range = {row->id, after, span.until};

        if (range.after < range.until)
            err = count_range(db, range, username, &tally);
        if (span.after <= row->read_seq)
            break;
        if (err == ERR_OK)
            err = sqlite_memberships_past_before(db, row->id, username, span.after, &span);
        tally.looks--;
    }
    row->unread = tally.found;
    return err;
}

enum err
sqlite_listings_unread(struct db *db, struct str username, struct listing_row *rows, size_t count)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < count; i++)
        err = count_unread(db, username, &rows[i]);
    return err;
}
