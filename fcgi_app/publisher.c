/* publisher.c - see publisher.h. Must not know when it is called, nor what nchan answers. */
#include "publisher.h"

#include <stdlib.h>
#include "base/clock.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"
#include "wire/render.h"

#define BATCH_MAX       512
#define FRAME_BYTES_MAX (256 * 1024) /* a frame takes no more events from here on */
#define TOO_OLD_MS      60000

/* The changes of one batch. */
struct batch {
    struct publisher *publisher;
    int64_t now_ms; /* wall clock */
    bool connected;
    struct change *changes;
    size_t count;
    struct batch_result *result;
};

void
publisher_clear(struct publisher *p)
{
    arena_clear(&p->arena);
    buf_clear(&p->frame);
    buf_clear(&p->channels);
}

/* Keeps one change for sending, or drops it. */
static bool
take_change(void *arg, const struct change *change)
{
    struct batch *b = arg;
    struct publisher *p = b->publisher;

    if (b->now_ms - change->tick > TOO_OLD_MS) {
        b->result->dropped++;
    } else if (b->connected) {
        b->changes[b->count] = *change;
        b->changes[b->count].username = arena_copy(&p->arena, change->username);
        b->count++;
    } else {
        return false;
    }
    b->result->last_id = change->id;
    return true;
}

/* Sends the frame to the channels collected so far. */
static void
flush_channels(struct publisher *p)
{
    if (p->channel_count == 0)
        return;
    if (p->err == ERR_OK && (!buf_ok(&p->channels) || !buf_ok(&p->frame)))
        p->err = ERR_MEMORY;
    if (p->err == ERR_OK)
        p->err = nchan_publish(p->nchan, (struct str){p->channels.p, p->channels.n},
                               (struct str){p->frame.p, p->frame.n});
    p->published = true;
    buf_reset(&p->channels);
    p->channel_count = 0;
}

static void
add_channel(void *arg, struct str name)
{
    struct publisher *p = arg;

    if (p->channel_count == NCHAN_CHANNELS_MAX)
        flush_channels(p);
    if (p->channel_count > 0)
        buf_add(&p->channels, ",", 1);
    buf_str(&p->channels, name);
    p->channel_count++;
}

/* The messages of one frame as they are read: those of changes[0 … count-1]. */
struct run {
    struct publisher *publisher;
    const struct change *changes;
    size_t count;
    size_t done;
};

static bool
render_next_message(void *arg, const struct message *m)
{
    struct run *run = arg;

    render_event(&run->publisher->frame, &run->changes[run->done], m, NULL);
    run->done++;
    return run->done < run->count && run->publisher->frame.n < FRAME_BYTES_MAX;
}

/* Messages are numbered without holes, so a run of them is one range. *done: how many the frame took. */
static enum err
render_messages(struct publisher *p, const struct change *changes, size_t count, size_t *done)
{
    struct run run = {p, changes, count, 0};
    enum err err = messages_range(p->db, changes->conversation, changes->seq, render_next_message, &run);

    *done = run.done;
    return err == ERR_OK && run.done == 0 ? ERR_STORAGE : err;
}

static enum err
render_conversation_created(struct publisher *p, const struct change *change)
{
    struct conversation c;
    bool found;
    enum err err = conversations_get(p->db, change->conversation, &c, &found);

    if (err == ERR_OK && found)
        err = memberships_names(p->db, &p->arena, &c);
    if (err == ERR_OK && found)
        render_event(&p->frame, change, NULL, &c);
    return err == ERR_OK && !found ? ERR_STORAGE : err;
}

/* How many of the changes, from the first on, are messages of one conversation that follow each other. */
static size_t
run_length(const struct change *changes, size_t count)
{
    size_t n = 1;

    while (n < count && changes[n].event == EVENT_MESSAGE_CREATED &&
           changes[n].conversation == changes->conversation && changes[n].seq == changes[n - 1].seq + 1)
        n++;
    return n;
}

/* Publishes one frame off the front of the changes; *done: how many changes it holds. */
static enum err
publish_frame(struct publisher *p, const struct change *changes, size_t count, size_t *done)
{
    enum err err = ERR_OK;

    *done = 1;
    buf_reset(&p->frame);
    render_frame_begin(&p->frame, p->epoch);
    if (changes->event == EVENT_MESSAGE_CREATED)
        err = render_messages(p, changes, run_length(changes, count), done);
    else if (changes->event == EVENT_CONVERSATION_CREATED)
        err = render_conversation_created(p, changes);
    else
        render_event(&p->frame, changes, NULL, NULL);
    render_frame_end(&p->frame);
    /* Nobody came or went between the messages of a run: that would be a change between them. */
    if (err == ERR_OK)
        err = memberships_names_at(p->db, changes->conversation, changes->version, add_channel, p);
    flush_channels(p);
    return err == ERR_OK ? p->err : err;
}

/* By conversation, and in each by the order of commits: all that clients may rely on. */
static int
by_conversation(const void *a, const void *b)
{
    const struct change *x = a;
    const struct change *y = b;

    if (x->conversation != y->conversation)
        return x->conversation < y->conversation ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static enum err
publish_all(struct batch *b)
{
    size_t done;
    enum err err = ERR_OK;

    if (b->count > 1)
        qsort(b->changes, b->count, sizeof(*b->changes), by_conversation);
    for (size_t i = 0; err == ERR_OK && i < b->count; i += done)
        err = publish_frame(b->publisher, b->changes + i, b->count - i, &done);
    return err;
}

enum err
publisher_batch(struct publisher *p, int64_t id, struct batch_result *result)
{
    struct batch b = {
        .publisher = p,
        .now_ms = clock_wall_ms(),
        .connected = nchan_connected(p->nchan),
        .changes = arena_alloc(&p->arena, BATCH_MAX * sizeof(struct change)),
        .result = result,
    };
    enum err err = b.changes == NULL ? ERR_MEMORY : db_do(p->db, SQL_BEGIN_READ);

    *result = (struct batch_result){.last_id = id};
    p->err = ERR_OK;
    p->published = false;
    if (err == ERR_OK)
        err = outbox_after(p->db, id, BATCH_MAX, take_change, &b);
    if (err == ERR_OK)
        err = publish_all(&b);
    if (db_in_transaction(p->db))
        db_do(p->db, SQL_COMMIT);
    if (err == ERR_OK && p->published)
        nchan_set_ticket(p->nchan, result->last_id);
    result->published = p->published;
    arena_reset(&p->arena);
    return err;
}
