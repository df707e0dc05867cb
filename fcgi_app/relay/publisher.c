/* publisher.c - see publisher.h. Must not know when it is called, nor what nchan answers. */
#include "relay/publisher.h"

#include <stdlib.h>
#include "base/clock.h"
#include "domain/audience.h"
#include "domain/visibility.h"
#include "push/nchan.h"
#include "push/silence.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"
#include "wire/render.h"

#define FRAME_BYTES_MAX (256 * 1024) /* no events are added to a frame beyond this */
#define TOO_OLD_MS      60000
/* The most memory for all copies of one frame, of nchan's 128 MB. nchan keeps them for seconds. */
#define FANOUT_BYTES_MAX (16 * 1024 * 1024)
/*
 * The most memory for merged frames of one conversation, before rounding, however fast they follow
 * each other: nchan keeps the last FANOUT_KEPT messages of a channel. Rounded up, it is what all
 * heavy frames may add at once (fanout.c), so a fast group is not deferred.
 */
#define MERGED_BYTES_MAX (16 * 1024 * 1024)
/* A batch ends once so much of it waits to be written to nchan. */
#define QUEUED_BYTES_ENOUGH (1024 * 1024)
/* The approximate size of a frame of one thin event. */
#define THIN_BYTES 200

/* The changes of one batch. */
struct batch {
    struct publisher *publisher;
    int64_t now_ms; /* wall clock */
    bool connected;
    struct change *changes; /* taken for publishing */
    size_t count;
    struct batch_result *result;
};

void
publisher_clear(struct publisher *p)
{
    arena_clear(&p->arena);
    arena_clear(&p->names);
    buf_clear(&p->frame);
    buf_clear(&p->channels);
}

void
publisher_lose(struct publisher *p)
{
    p->ahead_count = 0;
    fanout_lose(&p->fanout);
}

/* True if an earlier batch has published the change. */
static bool
is_published(const struct publisher *p, int64_t id)
{
    for (size_t i = 0; i < p->ahead_count; i++)
        if (p->ahead[i].id == id)
            return true;
    return false;
}

/*
 * Takes one change for publishing, skips it if it is published, or drops it if it is too old.
 * Returns false if it must wait for a connection, and with it all later ones.
 */
static bool
take_change(struct batch *b, const struct change *change)
{
    if (!is_published(b->publisher, change->id)) {
        if (b->now_ms - change->tick > TOO_OLD_MS)
            b->result->dropped++;
        else if (b->connected)
            b->changes[b->count++] = *change;
        else
            return false;
    }
    b->result->last_id = change->id;
    return true;
}

/* Reads the next changes after result->last_id, and takes them. */
static enum err
take_changes(struct batch *b)
{
    struct publisher *p = b->publisher;
    struct outbox_walk walk = {.after = b->result->last_id, .rows = p->batch_max};
    enum err err = outbox_after(p->db, &p->arena, &walk);

    b->changes = walk.changes;
    for (size_t i = 0; err == ERR_OK && i < walk.count && take_change(b, &walk.changes[i]); i++)
        continue;
    return err;
}

/*
 * Finds the users among `names` who may be listening. The result has room for `room` more names.
 * The changes and the snapshot were read before this call, so users who subscribe after it find the
 * changes in the database.
 */
static enum err
find_listeners(struct publisher *p, const struct names *names, size_t room, struct names *listeners)
{
    *listeners =
        (struct names){arena_alloc(&p->names, (names->count + room + 1) * sizeof(struct str)), names->count};
    if (listeners->names == NULL)
        return ERR_MEMORY;
    if (names->count > 0)
        memcpy(listeners->names, names->names, names->count * sizeof(struct str));
    listeners->count = silence_filter(p->silence, listeners->names, listeners->count);
    return ERR_OK;
}

/* Finds the users whom the change concerns (p->audience), and those of them who may listen. */
static enum err
collect_listeners(struct publisher *p, const struct change *change, bool many, struct audience *listeners)
{
    enum err err = audience_of_change(p->db, &p->names, change, many, &p->audience);

    *listeners = (struct audience){0};
    if (err == ERR_OK)
        err = find_listeners(p, &p->audience.present, p->audience.gone.count, &listeners->present);
    return err == ERR_OK ? find_listeners(p, &p->audience.gone, 0, &listeners->gone) : err;
}

/* Publishing to so many listeners costs as much as a request. */
#define LISTENERS_OF_UNIT 1000
/* Looking for listeners among so many members costs as much, even if none is found. */
#define LOOKS_OF_UNIT 5000

/* Notes what the fan-out of the change costs its payer. Only the relay knows how many listen. */
static void
note_cost(struct publisher *p, const struct change *change, size_t listeners)
{
    p->units[change - p->changes] += (int64_t)listeners / LISTENERS_OF_UNIT;
}

/* Notes what it cost to look for listeners. */
static void
note_look(struct publisher *p, const struct change *change)
{
    size_t looks = p->audience.present.count + p->audience.gone.count;

    p->units[change - p->changes] += (int64_t)looks / LOOKS_OF_UNIT;
}

/*
 * Charges the payer of one change for its fan-out. A change up to charged_id was published and
 * charged before a connection was lost.
 */
static void
charge(struct publisher *p, const struct published_ahead *change)
{
    int64_t per_s = atomic_load(&p->shared->user_rate);
    struct limiter_rate rate = {.burst = atomic_load(&p->shared->user_burst)};
    struct limiter_work work = {.units = change->units, .now_us = clock_mono_us()};

    if (per_s <= 0 || work.units <= 0 || change->payer == 0 || change->id <= p->charged_id)
        return;
    rate.interval_us = 1000000 / per_s;
    limiter_charge(&p->shared->limiter, change->payer, &rate, &work);
}

/*
 * Ends the accounts up to last_id: charges each published change up to it once, and keeps the
 * others for later batches to skip. Until then a lost connection makes them come again, uncharged.
 */
static void
settle(struct publisher *p, int64_t last_id)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->ahead_count; i++) {
        if (p->ahead[i].id <= last_id)
            charge(p, &p->ahead[i]);
        else
            p->ahead[kept++] = p->ahead[i];
    }
    p->ahead_count = kept;
    if (last_id > p->charged_id)
        p->charged_id = last_id;
}

/* Writes the channels of some users to p->channels, joined by commas. */
static void
join_channels(struct publisher *p, const struct str *names, size_t count)
{
    buf_reset(&p->channels);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add(&p->channels, ",", 1);
        buf_str(&p->channels, names[i]);
    }
}

/* Publishes p->frame to these users, up to NCHAN_CHANNELS_MAX in one request. */
static enum err
send_frame(struct publisher *p, const struct names *to)
{
    enum err err = buf_ok(&p->frame) ? ERR_OK : ERR_MEMORY;

    if (to->count > p->users)
        p->users = to->count;
    for (size_t i = 0; err == ERR_OK && i < to->count; i += NCHAN_CHANNELS_MAX) {
        size_t rest = to->count - i;

        join_channels(p, &to->names[i], rest < NCHAN_CHANNELS_MAX ? rest : NCHAN_CHANNELS_MAX);
        if (buf_ok(&p->channels))
            err = nchan_publish(p->nchan, (struct str){p->channels.p, p->channels.n},
                                (struct str){p->frame.p, p->frame.n});
        else
            err = ERR_MEMORY;
        p->frames++;
        p->published++;
    }
    return err;
}

/*
 * Counts the frame against the allowances. Each of its changes counts an equal part against its own
 * payer.
 */
static void
spend(struct publisher *p, const struct change *changes, size_t count, size_t users)
{
    struct fanout_frame frame = {changes->conversation, users, p->frame.n, clock_mono_ms()};
    size_t bytes = fanout_spend(&p->fanout, &frame);

    for (size_t i = 0; bytes > 0 && i < count; i++)
        fanout_charge(&p->fanout, changes[i].payer, bytes / count, frame.now_ms);
}

static bool
is_about_message(enum change_event event)
{
    return event == EVENT_MESSAGE_CREATED || event == EVENT_MESSAGE_UPDATED || event == EVENT_MESSAGE_DELETED;
}

/*
 * Renders the event without its message or conversation. Its role is the present one: if that
 * differs, a later change announces it. A user who has left since is shown as a plain member.
 */
static enum err
render_thin_event(struct publisher *p, const struct change *change)
{
    struct change shown = *change;
    enum err err = ERR_OK;

    if (change->event == EVENT_MEMBER_UPDATED)
        err = memberships_role(p->db, change->conversation, change->username, &shown.role);
    if (shown.role == ROLE_NONE)
        shown.role = ROLE_MEMBER;
    render_event(&p->frame, &shown, NULL, NULL);
    return err;
}

/* Renders the message as it is now. Later changes to it follow. */
static enum err
render_message_event(struct publisher *p, const struct change *change, bool for_gone)
{
    struct message m;
    bool found;
    const struct message_reader reader = {.db = p->db, .arena = &p->arena};
    enum err err = messages_get(&reader, change->conversation, change->seq, &m, &found);

    if (err != ERR_OK || !found)
        return err == ERR_OK ? ERR_STORAGE : err;
    if (!visibility_is_current(m.changed_version, change->version)) {
        p->moved_on = true;
        if (for_gone)
            return render_thin_event(p, change);
    }
    render_event(&p->frame, change, &m, NULL);
    return ERR_OK;
}

/*
 * Sets the members at the time of the change: its whole audience. Their names, in byte order, are
 * set only if they are few.
 */
static enum err
set_members_then(struct publisher *p, struct conversation *c)
{
    size_t count = p->audience.present.count + p->audience.gone.count;
    struct str *names;

    c->member_count = (int64_t)count;
    c->members = NULL;
    c->members_read = 0;
    if (count > MEMBERS_FEW)
        return ERR_OK;
    names = arena_alloc(&p->arena, (count + 1) * sizeof(*names));
    if (names == NULL)
        return ERR_MEMORY;
    if (p->audience.present.count > 0)
        memcpy(names, p->audience.present.names, p->audience.present.count * sizeof(*names));
    if (p->audience.gone.count > 0)
        memcpy(names + p->audience.present.count, p->audience.gone.names,
               p->audience.gone.count * sizeof(*names));
    str_sort(names, count);
    c->members = names;
    c->members_read = count;
    return ERR_OK;
}

/*
 * Renders the conversation as the change left it, so that its version matches. Only the title is
 * the present one, which a later change announces again.
 */
static enum err
render_conversation_event(struct publisher *p, const struct change *change, bool for_gone)
{
    struct conversation c;
    bool found;
    enum err err = conversations_get(p->db, &p->arena, change->conversation, &c, &found);

    if (err != ERR_OK || !found)
        return err == ERR_OK ? ERR_STORAGE : err;
    if (!visibility_is_current(c.version, change->version)) {
        p->moved_on = true;
        if (for_gone)
            return render_thin_event(p, change);
    }
    c.updated_at = change->tick;
    c.last_seq = change->seq;
    c.version = change->version;
    err = set_members_then(p, &c);
    if (err == ERR_OK)
        render_event(&p->frame, change, NULL, &c);
    return err;
}

/*
 * Renders the present role. Members who have left since learn only that the conversation changed.
 */
static enum err
render_role_event(struct publisher *p, const struct change *change, bool for_gone)
{
    struct change shown = *change;

    p->moved_on = true;
    if (!for_gone)
        return render_thin_event(p, change);
    shown.event = EVENT_CONVERSATION_UPDATED;
    shown.username = (struct str){0};
    return render_thin_event(p, &shown);
}

static enum err
render_change(struct publisher *p, const struct change *change, bool for_gone)
{
    if (is_about_message(change->event))
        return render_message_event(p, change, for_gone);
    if (change->event == EVENT_CONVERSATION_CREATED || change->event == EVENT_CONVERSATION_UPDATED)
        return render_conversation_event(p, change, for_gone);
    if (change->event == EVENT_MEMBER_UPDATED)
        return render_role_event(p, change, for_gone);
    return render_thin_event(p, change);
}

/*
 * The limits of a frame. They depend on the size of its audience, because nchan keeps a copy for
 * each user.
 */
struct frame_plan {
    bool for_gone;    /* for members who have left since */
    size_t bytes_max; /* no event is added beyond this … */
    size_t alone_max; /* … except the first one, which is sent whole up to this */
};

/* Plans a frame for `users` users, at least one. */
static struct frame_plan
plan_for(size_t users)
{
    size_t alone = FANOUT_BYTES_MAX / users;
    size_t merged = MERGED_BYTES_MAX / (FANOUT_KEPT * users);

    return (struct frame_plan){false, merged < FRAME_BYTES_MAX ? merged : FRAME_BYTES_MAX, alone};
}

/*
 * Adds an event to the frame. The first event is sent thin if it is too long for so many users.
 * *fits is false if the event belongs into the next frame.
 */
static enum err
add_event(struct publisher *p, const struct change *change, const struct frame_plan *plan, bool *fits)
{
    size_t before = p->frame.n;
    bool first = before > 0 && p->frame.p[before - 1] == '[';
    size_t bytes_max = first ? plan->alone_max : plan->bytes_max;
    enum err err = render_change(p, change, plan->for_gone);

    *fits = p->frame.n <= bytes_max || first;
    if (err != ERR_OK || p->frame.n <= bytes_max)
        return err;
    buf_cut(&p->frame, before);
    if (first)
        return render_thin_event(p, change);
    return ERR_OK;
}

/*
 * Renders a frame from the first of `count` changes of one conversation that concern the same
 * users. *done is how many changes it holds.
 */
static enum err
render_frame(struct publisher *p, const struct change *changes, size_t count, size_t listeners, size_t *done)
{
    const struct frame_plan plan = plan_for(listeners);
    enum err err = ERR_OK;

    buf_reset(&p->frame);
    p->moved_on = false;
    render_frame_begin(&p->frame, p->epoch);
    for (*done = 0; *done < count; (*done)++) {
        bool fits;

        err = add_event(p, &changes[*done], &plan, &fits);
        if (err != ERR_OK || !fits)
            break;
    }
    render_frame_end(&p->frame);
    return err;
}

/*
 * Renders the same events for members who have left since, without the states that are newer than
 * their stay.
 */
static enum err
render_frame_for_gone(struct publisher *p, const struct change *changes, size_t count)
{
    /* The frame was planned for more users than these. */
    const struct frame_plan plan = {true, SIZE_MAX, SIZE_MAX};
    enum err err = ERR_OK;
    bool fits;

    buf_reset(&p->frame);
    render_frame_begin(&p->frame, p->epoch);
    for (size_t i = 0; err == ERR_OK && i < count; i++)
        err = add_event(p, &changes[i], &plan, &fits);
    render_frame_end(&p->frame);
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

/* Renders a frame of this event alone, thin. */
static void
render_alone(struct publisher *p, const struct change *change)
{
    buf_reset(&p->frame);
    render_frame_begin(&p->frame, p->epoch);
    render_event(&p->frame, change, NULL, NULL);
    render_frame_end(&p->frame);
}

/* Tells a user at once that they have left: the deferred event will go to members only. */
static enum err
tell_leaver(struct publisher *p, const struct change *change)
{
    struct audience leaver;
    enum err err;

    if (change->event != EVENT_MEMBER_LEFT)
        return ERR_OK;
    err = audience_of_one(&p->arena, change->username, &leaver);
    if (err != ERR_OK)
        return err;
    render_alone(p, change);
    return send_frame(p, &leaver.present);
}

/* Defers changes of one conversation. */
static enum err
put_off(struct publisher *p, const struct change *changes, size_t count, size_t listeners)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < count; i++) {
        const struct fanout_deferred deferred = {
            .conversation = changes[i].conversation,
            .payer = changes[i].payer,
            .users = listeners,
            .change = changes[i].id,
            .since_ms = clock_mono_ms(),
        };

        if (!fanout_defer(&p->fanout, &deferred))
            p->unannounced++;
        note_cost(p, &changes[i], listeners);
        err = tell_leaver(p, &changes[i]);
    }
    return err;
}

/* True if a frame with these changes may go out now. A light frame always may. */
static bool
has_room(struct publisher *p, const struct change *changes, size_t count, const struct fanout_frame *frame)
{
    if (!fanout_is_heavy(frame->users, frame->bytes))
        return true;
    for (size_t i = 0; i < count; i++)
        if (!fanout_affords(&p->fanout, changes[i].payer, frame->now_ms))
            return false;
    return true;
}

/*
 * Publishes p->frame. If its subject has changed since, members who have left get another frame,
 * without that.
 */
static enum err
send_to_all(struct publisher *p, const struct change *changes, size_t count, struct audience *listeners)
{
    struct names *present = &listeners->present;
    const struct names *gone = &listeners->gone;
    enum err err;

    /* Usually the same frame is for everyone. */
    if (!p->moved_on && gone->count > 0) {
        memcpy(present->names + present->count, gone->names, gone->count * sizeof(*gone->names));
        present->count += gone->count;
    }
    err = send_frame(p, present);
    if (err != ERR_OK || gone->count == 0 || !p->moved_on)
        return err;
    err = render_frame_for_gone(p, changes, count);
    return err == ERR_OK ? send_frame(p, gone) : err;
}

/*
 * Publishes one frame from the first changes, or defers them. *done is how many changes it has
 * handled.
 */
static enum err
publish_frame(struct publisher *p, const struct change *changes, size_t count, bool many, size_t *done)
{
    struct fanout_frame frame = {changes->conversation, 0, THIN_BYTES, clock_mono_ms()};
    const struct fanout_deferred *waiting;
    struct audience listeners;
    size_t same;
    enum err err;

    *done = 1;
    waiting = fanout_find(&p->fanout, changes->conversation);
    if (changes->event != EVENT_READ && waiting != NULL)
        return put_off(p, changes, 1, waiting->users);
    arena_reset(&p->names);
    err = collect_listeners(p, changes, many, &listeners);
    note_look(p, changes);
    frame.users = listeners.present.count + listeners.gone.count;
    if (err == ERR_OK && !has_room(p, changes, 1, &frame))
        return put_off(p, changes, 1, frame.users);
    same = audience_same(changes, count, many);
    if (err != ERR_OK || frame.users == 0) {
        *done = same;
        return err;
    }
    err = render_frame(p, changes, same, frame.users, done);
    frame.bytes = p->frame.n;
    if (err == ERR_OK && !has_room(p, changes, *done, &frame))
        return put_off(p, changes, *done, frame.users);
    spend(p, changes, *done, frame.users);
    for (size_t i = 0; i < *done; i++)
        note_cost(p, &changes[i], frame.users);
    return err == ERR_OK ? send_to_all(p, changes, *done, &listeners) : err;
}

/* Sorts by conversation and id: clients may rely on the order of commits in each conversation. */
static int
by_conversation(const void *a, const void *b)
{
    const struct change *x = a;
    const struct change *y = b;

    if (x->conversation != y->conversation)
        return x->conversation < y->conversation ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The changes of one conversation in a batch: changes[begin … end-1]. */
struct group {
    size_t begin;
    size_t next; /* the first one that is not handled yet */
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

/* Groups the changes by conversation. The group with the oldest change comes first. */
static struct group *
make_groups(struct batch *b, size_t *count)
{
    struct group *groups = arena_alloc(&b->publisher->arena, (b->count + 1) * sizeof(*groups));
    struct group *group = groups;

    *count = 0;
    if (groups == NULL)
        return NULL;
    if (b->count > 1)
        qsort(b->changes, b->count, sizeof(*b->changes), by_conversation);
    for (size_t i = 0; i < b->count; i++) {
        const struct change *change = &b->changes[i];

        if (i == 0 || change->conversation != change[-1].conversation) {
            group = &groups[*count];
            *group = (struct group){.begin = i, .next = i, .first_id = change->id};
            *count += 1;
        }
        group->end = i + 1;
        if (change->event == EVENT_READ)
            group->has_read = true;
    }
    if (*count > 1)
        qsort(groups, *count, sizeof(*groups), by_first_id);
    return groups;
}

/* Publishes the frames of one group, until the batch has given nchan enough. */
static enum err
publish_group(struct batch *b, struct group *g, bool *enough)
{
    struct publisher *p = b->publisher;
    bool many = false;
    enum err err = g->has_read ? has_many_members(p, b->changes[g->begin].conversation, &many) : ERR_OK;

    while (err == ERR_OK && !*enough && g->next < g->end) {
        size_t done = 0;

        err = publish_frame(p, b->changes + g->next, g->end - g->next, many, &done);
        g->next += done;
        *enough = nchan_queued_bytes(p->nchan) > QUEUED_BYTES_ENOUGH;
    }
    return err;
}

/*
 * Remembers that changes[i] is published. There is room: everything published ahead is among the
 * changes of this batch. A forgotten change would only be published again.
 */
static void
remember(struct batch *b, size_t i)
{
    struct publisher *p = b->publisher;
    const struct change *change = &b->changes[i];

    if (p->ahead_count == PUBLISHER_BATCH_MAX)
        return;
    p->ahead[p->ahead_count] = (struct published_ahead){change->id, change->payer, p->units[i]};
    p->ahead_count++;
}

/*
 * Ends the batch before its oldest change that is not published. The published changes after that
 * one are remembered, so that no later batch publishes them again.
 */
static void
end_batch(struct batch *b, const struct group *groups, size_t count)
{
    for (size_t g = 0; g < count; g++) {
        const struct group *group = &groups[g];

        if (group->next < group->end && b->changes[group->next].id <= b->result->last_id)
            b->result->last_id = b->changes[group->next].id - 1;
        for (size_t i = group->begin; i < group->next; i++)
            remember(b, i);
    }
    settle(b->publisher, b->result->last_id);
}

/*
 * Publishes group by group, until nchan has been given enough. Since the group with the oldest
 * change goes first, each batch advances.
 */
static enum err
publish_all(struct batch *b)
{
    struct publisher *p = b->publisher;
    size_t count;
    struct group *groups = make_groups(b, &count);
    enum err err = groups == NULL ? ERR_MEMORY : ERR_OK;
    bool enough = false;

    p->changes = b->changes;
    p->units = arena_alloc(&p->arena, (b->count + 1) * sizeof(*p->units));
    if (p->units == NULL)
        return ERR_MEMORY;
    memset(p->units, 0, (b->count + 1) * sizeof(*p->units));
    for (size_t g = 0; err == ERR_OK && !enough && g < count; g++)
        err = publish_group(b, &groups[g], &enough);
    if (err == ERR_OK)
        end_batch(b, groups, count);
    return err;
}

/* Begins a call: everything in it is read from one snapshot. */
static enum err
begin(struct publisher *p)
{
    enum err err;

    p->frames = 0;
    p->users = 0;
    p->unannounced = 0;
    p->snapshot = NULL;
    err = snapshot_begin(p->store, &p->snapshot);
    p->db = err == ERR_OK ? p->snapshot->db : NULL;
    return err;
}

static void
end(struct publisher *p)
{
    snapshot_end(p->snapshot);
    arena_reset(&p->arena);
    arena_reset(&p->names);
}

enum err
publisher_batch(struct publisher *p, int64_t id, struct batch_result *result)
{
    struct batch b = {
        .publisher = p,
        .now_ms = clock_wall_ms(),
        .connected = nchan_connected(p->nchan),
        .result = result,
    };
    enum err err = begin(p);

    *result = (struct batch_result){.last_id = id};
    if (err == ERR_OK)
        err = take_changes(&b);
    if (err == ERR_OK)
        err = publish_all(&b);
    if (err == ERR_OK && p->frames > 0)
        nchan_set_ticket(p->nchan, result->last_id);
    result->frames = p->frames;
    result->users = p->users;
    result->taken = (int)b.count;
    result->unannounced = p->unannounced;
    end(p);
    return err;
}

static enum err
typing_in_tx(struct publisher *p, const struct change *change)
{
    struct names listeners = {0};
    struct conversation c;
    bool found;
    enum err err = conversations_get(p->db, &p->arena, change->conversation, &c, &found);

    if (err != ERR_OK || !found || c.member_count > MEMBERS_FEW)
        return err;
    err = audience_of_typing(p->db, &p->names, &c, change->username, &p->audience);
    if (err == ERR_OK)
        err = find_listeners(p, &p->audience.present, 0, &listeners);
    if (err != ERR_OK || listeners.count == 0)
        return err;
    render_alone(p, change);
    return send_frame(p, &listeners);
}

/* Whether the user may be listening is what a ping is to show, so nobody is left out. */
static enum err
publish_ping(struct publisher *p, struct str username)
{
    buf_reset(&p->frame);
    render_frame_begin(&p->frame, p->epoch);
    render_frame_end(&p->frame);
    return send_frame(p, &(struct names){&username, 1});
}

enum err
publisher_signal(struct publisher *p, const struct shared_signal *signal)
{
    struct change change = {
        .event = EVENT_TYPING,
        .conversation = signal->conversation,
        .username = str_c(signal->username),
    };
    enum err err = begin(p);

    if (err == ERR_OK)
        err = signal->conversation == 0 ? publish_ping(p, change.username) : typing_in_tx(p, &change);
    end(p);
    return err;
}

static enum err
deferred_in_tx(struct publisher *p, const struct fanout_deferred *deferred)
{
    struct change change = {
        .event = EVENT_CONVERSATION_UPDATED,
        .conversation = deferred->conversation,
        .payer = deferred->payer,
    };
    struct names listeners = {0};
    struct conversation c = {0};
    bool found;
    enum err err = conversations_get(p->db, &p->arena, change.conversation, &c, &found);

    if (err != ERR_OK || !found)
        return err == ERR_OK ? ERR_STORAGE : err;
    change.version = c.version;
    err = audience_of_version(p->db, &p->names, c.id, c.version + 1, &p->audience);
    if (err == ERR_OK)
        err = find_listeners(p, &p->audience.present, 0, &listeners);
    if (err != ERR_OK)
        return err;
    render_alone(p, &change);
    spend(p, &change, 1, listeners.count);
    return send_frame(p, &listeners);
}

enum err
publisher_deferred(struct publisher *p)
{
    struct fanout_deferred *deferred = fanout_next(&p->fanout, clock_mono_ms());
    enum err err = begin(p);

    if (err == ERR_OK && deferred != NULL)
        err = deferred_in_tx(p, deferred);
    if (err == ERR_OK && deferred != NULL)
        deferred->sent = p->published;
    end(p);
    return err;
}
