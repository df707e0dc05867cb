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
    struct str *names = arena_grow(&p->arena, p->names, p->name_count, sizeof(*names));

    if (names == NULL) {
        p->err = ERR_MEMORY;
        return;
    }
    p->names = names;
    p->names[p->name_count++] = arena_copy(&p->arena, name);
}

static void
forget_names(struct publisher *p)
{
    p->names = NULL;
    p->name_count = 0;
}

/*
 * Whom the change concerns. A read marker makes no version; it concerns the members as the next change will
 * find them, for who left by the last one is told of nothing after it. Among many members, and `many` says
 * that there are, it concerns its owner alone.
 */
static enum err
collect_names(struct publisher *p, const struct change *change, bool many)
{
    enum err err = ERR_OK;

    forget_names(p);
    if (change->event == EVENT_READ && many)
        add_name(p, change->username);
    else
        err = memberships_names_at(p->db, change->conversation,
                                   change->version + (change->event == EVENT_READ), add_name, p);
    return err == ERR_OK ? p->err : err;
}

/* Gives the frame to nchan, for as many channels at once as it takes. */
static enum err
send_frame(struct publisher *p)
{
    enum err err = buf_ok(&p->frame) ? ERR_OK : ERR_MEMORY;

    if (p->name_count > p->users)
        p->users = p->name_count;
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
        p->frames++;
    }
    return err;
}

static bool
is_about_message(enum change_event event)
{
    return event == EVENT_MESSAGE_CREATED || event == EVENT_MESSAGE_UPDATED || event == EVENT_MESSAGE_DELETED;
}

/* As it is now: later changes follow. */
static enum err
render_message_event(struct publisher *p, const struct change *change)
{
    struct message m;
    bool found;
    enum err err = messages_get(p->db, &p->arena, change->conversation, change->seq, &m, &found);

    if (err != ERR_OK || !found)
        return err == ERR_OK ? ERR_STORAGE : err;
    render_event(&p->frame, change, &m, NULL);
    return ERR_OK;
}

static int
by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/*
 * As it was with this change, so that nobody takes its version for a later one; but for the title, which a
 * later change tells again. Those whom the change concerns are its members then.
 */
static enum err
render_conversation_event(struct publisher *p, const struct change *change)
{
    struct conversation c;
    bool found;
    enum err err = conversations_get(p->db, &p->arena, change->conversation, &c, &found);

    if (err != ERR_OK || !found)
        return err == ERR_OK ? ERR_STORAGE : err;
    if (p->name_count > 1)
        qsort(p->names, p->name_count, sizeof(*p->names), by_bytes);
    c.members = p->names;
    c.members_read = p->name_count;
    c.member_count = (int64_t)p->name_count;
    c.updated_at = change->tick;
    c.last_seq = change->seq;
    c.version = change->version;
    render_event(&p->frame, change, NULL, &c);
    return ERR_OK;
}

/*
 * Without a message or a conversation. A role as it is now: a later change tells another, and who has left
 * meanwhile was a member.
 */
static enum err
render_thin_event(struct publisher *p, const struct change *change)
{
    struct change told = *change;
    enum err err = ERR_OK;

    if (change->event == EVENT_MEMBER_UPDATED)
        err = memberships_role(p->db, change->conversation, change->username, &told.role);
    if (told.role == ROLE_NONE)
        told.role = ROLE_MEMBER;
    render_event(&p->frame, &told, NULL, NULL);
    return err;
}

static enum err
render_change(struct publisher *p, const struct change *change)
{
    if (is_about_message(change->event))
        return render_message_event(p, change);
    if (change->event == EVENT_CONVERSATION_CREATED || change->event == EVENT_CONVERSATION_UPDATED)
        return render_conversation_event(p, change);
    return render_thin_event(p, change);
}

/* Does the change concern those whom the one before it concerned, whichever they were? */
static bool
concerns_the_same(const struct change *before, const struct change *change, bool many)
{
    if (many && (before->event == EVENT_READ || change->event == EVENT_READ))
        return false;
    return before->event != EVENT_MEMBER_JOINED && before->event != EVENT_MEMBER_LEFT &&
           change->event != EVENT_MEMBER_JOINED && change->event != EVENT_MEMBER_LEFT;
}

/* The frame for the first of the changes, all of one conversation; *done: how many it holds. */
static enum err
render_frame(struct publisher *p, const struct change *changes, size_t count, bool many, size_t *done)
{
    enum err err = ERR_OK;
    size_t n = 0;

    buf_reset(&p->frame);
    render_frame_begin(&p->frame, p->epoch);
    do
        err = render_change(p, &changes[n++]);
    while (err == ERR_OK && n < count && p->frame.n < FRAME_BYTES_MAX &&
           concerns_the_same(&changes[n - 1], &changes[n], many));
    *done = n;
    return err;
}

static enum err
has_many_members(struct publisher *p, int32_t conversation, bool *many)
{
    struct conversation c = {0};
    bool found;
    enum err err = conversations_get(p->db, &p->arena, conversation, &c, &found);

    *many = c.member_count > MEMBERS_FEW;
    return err;
}

/*
 * Publishes one frame off the front of the changes; *done: how many changes it holds. nchan keeps a copy for
 * each channel, so what would take much of its memory goes thin.
 */
static enum err
publish_frame(struct publisher *p, const struct change *changes, size_t count, bool many, size_t *done)
{
    enum err err = collect_names(p, changes, many);

    if (err == ERR_OK)
        err = render_frame(p, changes, count, many, done);
    if (err == ERR_OK && p->frame.n * p->name_count > FANOUT_BYTES_MAX) {
        buf_reset(&p->frame);
        render_frame_begin(&p->frame, p->epoch);
        for (size_t i = 0; err == ERR_OK && i < *done; i++)
            err = render_thin_event(p, &changes[i]);
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
    bool has_read; /* one of them is a read marker */
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
            groups[(*count)++] = (struct group){.from = i, .first_id = b->changes[i].id};
        groups[*count - 1].end = i + 1;
        groups[*count - 1].has_read = groups[*count - 1].has_read || b->changes[i].event == EVENT_READ;
    }
    if (*count > 1)
        qsort(groups, *count, sizeof(*groups), by_first_id);
    return groups;
}

/* The frames of one group, until there is enough for once. */
static enum err
publish_group(struct batch *b, struct group *g, bool *enough)
{
    struct publisher *p = b->publisher;
    bool many = false;
    enum err err = g->has_read ? has_many_members(p, b->changes[g->from].conversation, &many) : ERR_OK;

    while (err == ERR_OK && !*enough && g->from < g->end) {
        size_t done = 0;

        err = publish_frame(p, b->changes + g->from, g->end - g->from, many, &done);
        g->from += done;
        *enough = nchan_queued_bytes(p->nchan) > QUEUED_BYTES_ENOUGH;
    }
    return err;
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

    for (size_t g = 0; err == ERR_OK && !enough && g < count; g++)
        err = publish_group(b, &groups[g], &enough);
    for (size_t g = 0; err == ERR_OK && g < count; g++)
        if (groups[g].from < groups[g].end && b->changes[groups[g].from].id <= b->result->last_id)
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
    p->frames = 0;
    p->users = 0;
    if (err == ERR_OK)
        err = outbox_after(p->db, id, p->batch_max, take_change, &b);
    if (err == ERR_OK)
        err = publish_all(&b);
    if (db_in_transaction(p->db))
        db_do(p->db, SQL_COMMIT);
    if (err == ERR_OK && p->frames > 0)
        nchan_set_ticket(p->nchan, result->last_id);
    result->frames = p->frames;
    result->users = p->users;
    result->taken = (int)b.count;
    arena_reset(&p->arena);
    return err;
}

/* Takes the one who types off the list of those who are told. *found: they were on it. */
static void
drop_name(struct publisher *p, struct str name, bool *found)
{
    *found = false;
    for (size_t i = 0; i < p->name_count && !*found; i++)
        if (str_eq(p->names[i], name)) {
            p->names[i] = p->names[--p->name_count];
            *found = true;
        }
}

static enum err
type_in_tx(struct publisher *p, const struct change *change)
{
    struct conversation c;
    bool found;
    enum err err = conversations_get(p->db, &p->arena, change->conversation, &c, &found);

    if (err != ERR_OK || !found || c.member_count > MEMBERS_FEW)
        return err;
    forget_names(p);
    err = memberships_names_at(p->db, c.id, c.version + 1, add_name, p);
    if (err == ERR_OK)
        err = p->err;
    if (err != ERR_OK)
        return err;
    drop_name(p, change->username, &found);
    if (!found)
        return ERR_OK;
    buf_reset(&p->frame);
    render_frame_begin(&p->frame, p->epoch);
    render_event(&p->frame, change, NULL, NULL);
    render_frame_end(&p->frame);
    return send_frame(p);
}

enum err
publisher_type(struct publisher *p, const struct shared_typing *typing)
{
    struct change change = {
        .event = EVENT_TYPING,
        .conversation = typing->conversation,
        .username = str_c(typing->username),
    };
    enum err err = db_do(p->db, SQL_BEGIN_READ);

    p->err = ERR_OK;
    p->frames = 0;
    if (err == ERR_OK)
        err = type_in_tx(p, &change);
    if (db_in_transaction(p->db))
        db_do(p->db, SQL_COMMIT);
    arena_reset(&p->arena);
    return err;
}
