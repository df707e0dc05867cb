/* reading.c - see reading.h. Must not know who receives the marker. */
#include "domain/reading.h"

#include "domain/converse.h"
#include "store/listings.h"
#include "store/markers.h"
#include "store/outbox.h"

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

/* Counts the unread messages. */
static enum err
count_now(struct db *db, struct reading *r)
{
    struct listing_row row = {.id = r->conversation};
    enum err err = listings_standing(db, r->arena, r->username, &row, 1);

    row.read_seq = r->read_seq;
    if (err == ERR_OK)
        err = listings_unread(db, r->username, &row, 1);
    r->unread = row.unread;
    return err;
}

enum err
reading_mark(struct store *store, struct reading *r)
{
    struct snapshot *snapshot;
    const struct command command = {
        .run = mark_in_tx,
        .arg = r,
        .reads = {.conversation = r->conversation, .users = {r->username}, .marker = true},
    };
    enum err err = store_run(store, &command);

    if (err == ERR_OK)
        err = snapshot_begin(store, &snapshot);
    if (err != ERR_OK)
        return err;
    err = count_now(snapshot->db, r);
    snapshot_end(snapshot);
    return err;
}
