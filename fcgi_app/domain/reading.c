/* reading.c - see reading.h. Must not know who is told. */
#include "domain/reading.h"

#include "domain/converse.h"
#include "store/conversations.h"
#include "store/markers.h"
#include "store/messages.h"
#include "store/outbox.h"

/* Messages that others deleted are looked at and not counted; so many rows are read at most. */
#define LOOKS_MAX (3 * UNREAD_MAX)

static int64_t
larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

enum err
reading_count_unread(struct db *db, const struct conversation *c, const struct stay *last,
                     const struct reading_viewer *viewer, int64_t *unread)
{
    struct message_count count = {0, UNREAD_MAX, LOOKS_MAX};
    struct span span = {last->after, last->until < c->last_seq ? last->until : c->last_seq, true};
    bool found = true;
    enum err err = ERR_OK;

    /* From the last stay back, each of them one look and then its messages. */
    while (err == ERR_OK && found && count.found < count.limit && count.looks > 0) {
        struct message_range range = {c->id, larger(span.after, viewer->read_seq), span.until};

        if (range.after < range.until)
            err = messages_count_others(db, range, viewer->username, &count);
        found = span.after > viewer->read_seq;
        if (err == ERR_OK && found)
            err = memberships_past_before(db, c->id, viewer->username, span.after, &span, &found);
        count.looks--;
    }
    *unread = count.found;
    return err;
}

static enum err
mark_in_tx(struct tx *tx, void *arg)
{
    struct reading *r = arg;
    struct conversation c;
    enum err err = converse_find_as_member(tx->db, r->arena, r->conversation, r->username, &c);

    if (err == ERR_OK)
        err = markers_get(tx->db, c.id, r->username, &r->read_seq);
    if (err != ERR_OK)
        return err;
    if (r->seq > c.last_seq)
        r->seq = c.last_seq;
    if (r->seq <= r->read_seq)
        return ERR_OK;
    r->read_seq = r->seq;
    err = markers_set(tx, c.id, r->username, r->seq);
    return err == ERR_OK ? outbox_add(tx, EVENT_READ, &c, r->seq, r->username) : err;
}

/* What is unread as of now. */
static enum err
count_now(struct db *db, struct reading *r)
{
    const struct reading_viewer viewer = {r->username, r->read_seq};
    struct conversation c;
    struct stay last = {0};
    bool found;
    enum err err = conversations_get(db, r->arena, r->conversation, &c, &found);

    if (err == ERR_OK && found)
        err = memberships_last(db, r->conversation, r->username, &last, &found);
    return err == ERR_OK && found ? reading_count_unread(db, &c, &last, &viewer, &r->unread) : err;
}

enum err
reading_mark(struct store *store, struct reading *r)
{
    struct snapshot *snapshot;
    enum err err = store_run(store, mark_in_tx, r, 0);

    if (err == ERR_OK)
        err = snapshot_begin(store, &snapshot);
    if (err != ERR_OK)
        return err;
    err = count_now(snapshot->db, r);
    snapshot_end(snapshot);
    return err;
}
