/* publisher.c - see publisher.h. Must not know when it is called, nor what nchan answers. */
#include "publisher.h"

#include <stdlib.h>
#include "base/clock.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"
#include "wire/render.h"

#define FRAME_BYTES_MAX (256 * 1024) /* a frame takes no more events from here on */
#define TOO_OLD_MS      60000
/* Of nchan's 128 MB; it keeps what it has been given for some seconds. */
#define FANOUT_BYTES_MAX (16 * 1024 * 1024)
/* A batch that has given nchan so much ends: it is large, or for many. */
#define QUEUED_BYTES_ENOUGH (1024 * 1024)

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

static void
add_name(void *arg, struct str name)
{
    struct publisher *p = arg;

    if (p->name_count == p->name_room) {
        size_t room = p->name_room == 0 ? 64 : p->name_room * 2;
        struct str *names = arena_alloc(&p->arena, room * sizeof(*names));

        if (names == NULL) {
            p->err = ERR_MEMORY;
            return;
        }
        if (p->name_count > 0)
            memcpy(names, p->names, p->name_count * sizeof(*names));
        p->names = names;
        p->name_room = room;
    }
    p->names[p->name_count++] = arena_copy(&p->arena, name);
}

/* Whom the change concerns. */
static enum err
collect_names(struct publisher *p, const struct change *change)
{
    enum err err;

    p->names = NULL;
    p->name_count = 0;
    p->name_room = 0;
    err = memberships_names_at(p->db, change->conversation, change->version, add_name, p);
    return err == ERR_OK ? p->err : err;
}

/* Gives the frame to nchan, for as many channels at once as it takes. */
static enum err
send_frame(struct publisher *p)
{
    enum err err = buf_ok(&p->frame) ? ERR_OK : ERR_MEMORY;

    for (size_t i = 0; err == ERR_OK && i < p->name_count;) {
        size_t end = p->name_count - i < NCHAN_CHANNELS_MAX ? p->name_count : i + NCHAN_CHANNELS_MAX;

        buf_reset(&p->channels);
        for (; i < end; i++) {
            if (p->channels.n > 0)
                buf_add(&p->channels, ",", 1);
            buf_str(&p->channels, p->names[i]);
        }
        err = buf_ok(&p->channels) ? nchan_publish(p->nchan, (struct str){p->channels.p, p->channels.n},
                                                   (struct str){p->frame.p, p->frame.n})
                                   : ERR_MEMORY;
        p->published = true;
    }
    return err;
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

/* As it was made: those whom its creation concerns are its first members. */
static enum err
render_conversation_created(struct publisher *p, const struct change *change)
{
    struct conversation c;
    bool found;
    enum err err = conversations_get(p->db, change->conversation, &c, &found);

    if (err != ERR_OK || !found)
        return err == ERR_OK ? ERR_STORAGE : err;
    c.members = p->names;
    c.member_count = p->name_count;
    c.updated_at = c.created_at;
    c.last_seq = 0;
    c.version = change->version;
    render_event(&p->frame, change, NULL, &c);
    return ERR_OK;
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

/* The frame for the first of the changes; *done: how many it holds. */
static enum err
render_whole(struct publisher *p, const struct change *changes, size_t count, size_t *done)
{
    enum err err = ERR_OK;

    *done = 1;
    if (changes->event == EVENT_MESSAGE_CREATED)
        err = render_messages(p, changes, run_length(changes, count), done);
    else if (changes->event == EVENT_CONVERSATION_CREATED)
        err = render_conversation_created(p, changes);
    else
        render_event(&p->frame, changes, NULL, NULL);
    return err;
}

/*
 * Publishes one frame off the front of the changes; *done: how many changes it holds. nchan keeps a copy for
 * each channel, so what would take much of its memory goes thin.
 */
static enum err
publish_frame(struct publisher *p, const struct change *changes, size_t count, size_t *done)
{
    /* Nobody came or went between the messages of a run: that would be a change between them. */
    enum err err = collect_names(p, changes);

    buf_reset(&p->frame);
    render_frame_begin(&p->frame, p->epoch);
    if (err == ERR_OK)
        err = render_whole(p, changes, count, done);
    if (err == ERR_OK && p->frame.n * p->name_count > FANOUT_BYTES_MAX) {
        buf_reset(&p->frame);
        render_frame_begin(&p->frame, p->epoch);
        for (size_t i = 0; i < *done; i++)
            render_event(&p->frame, &changes[i], NULL, NULL);
    }
    render_frame_end(&p->frame);
    return err == ERR_OK ? send_frame(p) : err;
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

/* The changes of one conversation: those not yet published are changes[from … end-1]. */
struct group {
    size_t from;
    size_t end;
    int64_t first_id;
};

static int
by_first_id(const void *a, const void *b)
{
    int64_t x = ((const struct group *)a)->first_id;
    int64_t y = ((const struct group *)b)->first_id;

    return (x > y) - (x < y);
}

/* Sorts the changes into groups, the one with the oldest change first. */
static struct group *
make_groups(struct batch *b, size_t *count)
{
    struct group *groups = arena_alloc(&b->publisher->arena, (b->count + 1) * sizeof(*groups));

    *count = 0;
    if (groups == NULL)
        return NULL;
    if (b->count > 1)
        qsort(b->changes, b->count, sizeof(*b->changes), by_conversation);
    for (size_t i = 0; i < b->count; i++) {
        if (i == 0 || b->changes[i].conversation != b->changes[i - 1].conversation)
            groups[(*count)++] = (struct group){i, i, b->changes[i].id};
        groups[*count - 1].end = i + 1;
    }
    if (*count > 1)
        qsort(groups, *count, sizeof(*groups), by_first_id);
    return groups;
}

/*
 * Group by group, until there is enough for once. Then the batch ends before the oldest change that is left:
 * younger ones that have gone out come again, after it, and clients know their versions already. Since the
 * oldest goes first, each batch gets further.
 */
static enum err
publish_all(struct batch *b)
{
    size_t count;
    struct group *groups = make_groups(b, &count);
    enum err err = groups == NULL ? ERR_MEMORY : ERR_OK;
    bool enough = false;
    size_t g;

    for (g = 0; err == ERR_OK && !enough && g < count; g += groups[g].from == groups[g].end)
        while (err == ERR_OK && !enough && groups[g].from < groups[g].end) {
            size_t done = 0;

            err = publish_frame(b->publisher, b->changes + groups[g].from, groups[g].end - groups[g].from,
                                &done);
            groups[g].from += done;
            enough = nchan_queued_bytes(b->publisher->nchan) > QUEUED_BYTES_ENOUGH;
        }
    for (; err == ERR_OK && g < count; g++)
        if (b->changes[groups[g].from].id <= b->result->last_id)
            b->result->last_id = b->changes[groups[g].from].id - 1;
    return err;
}

enum err
publisher_batch(struct publisher *p, int64_t id, struct batch_result *result)
{
    struct batch b = {
        .publisher = p,
        .now_ms = clock_wall_ms(),
        .connected = nchan_connected(p->nchan),
        .changes = arena_alloc(&p->arena, PUBLISHER_BATCH_MAX * sizeof(struct change)),
        .result = result,
    };
    enum err err = b.changes == NULL ? ERR_MEMORY : db_do(p->db, SQL_BEGIN_READ);

    *result = (struct batch_result){.last_id = id};
    p->err = ERR_OK;
    p->published = false;
    if (err == ERR_OK)
        err = outbox_after(p->db, id, p->batch_max, take_change, &b);
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
