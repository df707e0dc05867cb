/*
 * listings.c - see store/listings.h. Fills the entries one by one, with the functions for one
 * entry.
 */
#include "store/memory/engine.h"

#include "store/conversations.h"
#include "store/markers.h"
#include "store/memory/declared.h"

/* Returns the span of the row's last stay, up to the conversation's newest message. */
static struct span
last_span(const struct listing_row *row)
{
    int64_t last_seq = row->conversation.last_seq;

    return (struct span){row->last.after, row->last.until < last_seq ? row->last.until : last_seq, true};
}

static enum err
read_standing(struct db *db, struct arena *arena, struct str username, struct listing_row *row)
{
    struct span span = {0};
    bool found = false;
    enum err err = memory_conversations_get(db, arena, row->id, &row->conversation, &found);

    if (err == ERR_OK && found)
        err = memory_memberships_last(db, row->id, username, &row->last, &found);
    if (err == ERR_OK && found)
        err = memory_markers_get(db, row->id, username, &row->read_seq);
    if (err != ERR_OK || !found)
        return err == ERR_OK ? ERR_STORAGE : err;
    span = last_span(row);
    if (span.until == span.after)
        err = memory_memberships_past_before(db, row->id, username, span.after, &span);
    row->newest_seq = span.until;
    return err;
}

enum err
memory_listings_standing(struct db *db, struct arena *arena, struct str username, struct listing_row *rows,
                         size_t count)
{
    enum err err = ERR_OK;

    declared_open(db, __func__);
    for (size_t i = 0; err == ERR_OK && i < count; i++)
        err = read_standing(db, arena, username, &rows[i]);
    return err;
}

enum err
memory_listings_names(struct db *db, struct arena *arena, struct listing_row *rows, size_t count)
{
    enum err err = ERR_OK;

    declared_open(db, __func__);
    for (size_t i = 0; err == ERR_OK && i < count; i++)
        err = memory_memberships_names(db, arena, &rows[i].conversation, MEMBERS_FEW);
    return err;
}

/* A count over several stays. */
struct tally {
    int64_t found;
    int64_t looks; /* how many rows may still be read */
};

/*
 * Counts the messages after < seq <= until, from the newest on, without the user's own and deleted
 * ones.
 */
static void
count_range(const struct db *db, int32_t conversation, const struct span *span, struct str username,
            struct tally *tally)
{
    bool in_own_run = false;

    for (int64_t seq = span->until; seq > span->after && tally->found < UNREAD_MAX && tally->looks > 0;
         seq--) {
        const struct message_row *row = state_message(db, conversation, seq);
        bool own;

        if (row == NULL)
            continue;
        own = str_eq(row->message.sender, username);
        if (!own || !in_own_run)
            tally->looks--;
        if (!own && row->message.deleted_at == 0)
            tally->found++;
        in_own_run = own;
    }
}

/* Counts from the last stay back: one look for each stay, and then its messages. */
static enum err
count_unread(struct db *db, struct str username, struct listing_row *row)
{
    struct tally tally = {0, LISTINGS_LOOKS_MAX};
    struct span span = last_span(row);
    enum err err = ERR_OK;

    while (err == ERR_OK && span.received && tally.found < UNREAD_MAX && tally.looks > 0) {
        struct span unread = {span.after > row->read_seq ? span.after : row->read_seq, span.until, true};

        count_range(db, row->id, &unread, username, &tally);
        if (span.after <= row->read_seq)
            break;
        err = memory_memberships_past_before(db, row->id, username, span.after, &span);
        tally.looks--;
    }
    row->unread = tally.found;
    return err;
}

enum err
memory_listings_unread(struct db *db, struct str username, struct listing_row *rows, size_t count)
{
    enum err err = ERR_OK;

    declared_open(db, __func__);
    for (size_t i = 0; err == ERR_OK && i < count; i++)
        err = count_unread(db, username, &rows[i]);
    return err;
}
