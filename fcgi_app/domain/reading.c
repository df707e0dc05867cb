/* reading.c - see reading.h. Must not know who is told. */
#include "domain/reading.h"

#include "domain/converse.h"
#include "store/conversations.h"
#include "store/markers.h"
#include "store/messages.h"
#include "store/outbox.h"

/* Somebody's own messages do not count; a long run of them would otherwise cost a look at each. */
#define LOOKED_AT 10000

static int64_t
larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

enum err
reading_count_unread(struct db *db, const struct stay *stays, size_t count, struct str username,
                     int64_t last_seq, int64_t read_seq, int64_t *unread)
{
    enum err err = ERR_OK;

    *unread = 0;
    for (size_t i = count; err == ERR_OK && i > 0 && *unread < UNREAD_MAX; i--) {
        int64_t until = stays[i - 1].until > last_seq ? last_seq : stays[i - 1].until;
        int64_t after = larger(larger(stays[i - 1].after, read_seq), until - LOOKED_AT);
        int64_t found;

        if (after >= until)
            continue;
        err = messages_count_unread(db, stays[i - 1].conversation, after, until, username,
                                    UNREAD_MAX - *unread, &found);
        *unread += found;
    }
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

enum err
reading_mark(struct store *store, struct reading *r)
{
    struct stay *stays;
    size_t count;
    struct conversation c = {0};
    struct snapshot *snapshot;
    bool found;
    enum err err = commit_run(store->commit, mark_in_tx, r, 0);

    if (err == ERR_OK)
        err = pool_begin(store->pool, &snapshot);
    if (err != ERR_OK)
        return err;
    err = conversations_get(snapshot->db, r->arena, r->conversation, &c, &found);
    if (err == ERR_OK)
        err = memberships_stays(snapshot->db, r->arena, r->username, r->conversation, &stays, &count);
    if (err == ERR_OK)
        err = reading_count_unread(snapshot->db, stays, count, r->username, c.last_seq, r->read_seq,
                                   &r->unread);
    pool_end(snapshot);
    return err;
}
