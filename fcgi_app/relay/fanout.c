/* fanout.c - see fanout.h. Must not know the content of frames, nor who receives them. */
#include "relay/fanout.h"

#include <string.h>

/*
 * The two buckets, out of nchan's 128 MB. A copy stays there for about 4 s. So all heavy frames
 * together hold at most the burst and 4 s of refill, which is 32 + 4 * 12 MB. Those of one payer
 * hold at most 8 + 4 * 3 MB.
 */
#define ALL_BYTES         (INT64_C(32) * 1024 * 1024)
#define ALL_BYTES_PER_S   (INT64_C(12) * 1024 * 1024)
#define PAYER_BYTES       (INT64_C(8) * 1024 * 1024)
#define PAYER_BYTES_PER_S (INT64_C(3) * 1024 * 1024)
#define KEPT_MS           4000
/* nchan's overhead for each copy of a frame. */
#define MESSAGE_BYTES 180
/* nginx's slab allocator rounds up to a power of two, and above SLOT_BYTES_MAX to whole pages. */
#define SLOT_BYTES_MIN 256
#define SLOT_BYTES_MAX 2048
#define PAGE_BYTES     4096

#define S_US INT64_C(1000000)

/* One payer's bucket, in units of 1 KB. */
static const struct limiter_rate payer_rate = {.interval_us = S_US * 1024 / PAYER_BYTES_PER_S,
                                               .burst = PAYER_BYTES / 1024};

/* Returns how much of nchan's memory one copy of a frame takes: up to twice its bytes. */
static size_t
copy_bytes(size_t frame_bytes)
{
    size_t bytes = frame_bytes + MESSAGE_BYTES;
    size_t slot = SLOT_BYTES_MIN;

    if (bytes > SLOT_BYTES_MAX)
        return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    while (slot < bytes)
        slot *= 2;
    return slot;
}

/* Returns how much of nchan's memory all copies of a frame take. */
static size_t
weight(size_t users, size_t bytes)
{
    return users * copy_bytes(bytes);
}

bool
fanout_is_heavy(size_t users, size_t bytes)
{
    return weight(users, bytes) > FANOUT_LIGHT_BYTES;
}

/*
 * Returns how long until the allowance of all has room; 0: now. One frame may overdraw it, and then
 * the next one waits.
 */
static int64_t
wait_of_all_us(const struct fanout *f, int64_t now_ms)
{
    int64_t wait_us = f->clear_us - now_ms * 1000 - ALL_BYTES * S_US / ALL_BYTES_PER_S;

    return wait_us > 0 ? wait_us : 0;
}

/* Returns how long until the payer's allowance has room; 0: now. */
static int64_t
wait_of_payer_us(struct fanout *f, uint64_t payer, int64_t now_ms)
{
    const struct limiter_work look = {.units = 0, .now_us = now_ms * 1000};
    int64_t wait_us = 0;

    if (payer != 0 && !limiter_take(&f->payers, payer, &payer_rate, &look, &wait_us))
        return wait_us;
    return 0;
}

/* Returns how long until both allowances have room; 0: now. */
static int64_t
wait_us(struct fanout *f, uint64_t payer, int64_t now_ms)
{
    int64_t all_us = wait_of_all_us(f, now_ms);
    int64_t payer_us = wait_of_payer_us(f, payer, now_ms);

    return all_us > payer_us ? all_us : payer_us;
}

bool
fanout_affords(struct fanout *f, uint64_t payer, int64_t now_ms)
{
    return wait_us(f, payer, now_ms) == 0;
}

/*
 * Returns how much memory is saved if nchan drops an earlier frame now, to make room for one to
 * `users` users.
 */
static size_t
saved_bytes(const struct fanout_sent *old, size_t users, int64_t now_ms)
{
    int64_t left_ms = KEPT_MS - (now_ms - old->at_ms);
    size_t copies = users < old->users ? users : old->users;

    if (left_ms <= 0 || left_ms > KEPT_MS)
        return 0;
    return copies * old->copy_bytes * (size_t)left_ms / KEPT_MS;
}

/*
 * Returns what a frame adds to nchan's memory. A channel keeps at most FANOUT_KEPT messages, so in
 * quick succession each frame makes nchan drop an earlier one before its time. The memory that this
 * saves is subtracted. It is as much as the earlier frame weighed, which may be far less than this
 * one.
 */
static size_t
added_bytes(struct fanout *f, const struct fanout_frame *frame)
{
    struct fanout_pace *pace = &f->paces[(uint32_t)frame->conversation % FANOUT_PACES];
    size_t bytes = weight(frame->users, frame->bytes);
    struct fanout_sent *old;
    size_t saved;

    if (pace->conversation != frame->conversation) {
        memset(pace, 0, sizeof(*pace));
        pace->conversation = frame->conversation;
    }
    old = &pace->sent[pace->next];
    saved = saved_bytes(old, frame->users, frame->now_ms);
    *old = (struct fanout_sent){frame->now_ms, (uint32_t)frame->users, (uint32_t)copy_bytes(frame->bytes)};
    pace->next = (pace->next + 1) % FANOUT_KEPT;
    return saved < bytes ? bytes - saved : 0;
}

size_t
fanout_spend(struct fanout *f, const struct fanout_frame *frame)
{
    int64_t now_us = frame->now_ms * 1000;
    size_t bytes;

    if (!fanout_is_heavy(frame->users, frame->bytes))
        return 0;
    bytes = added_bytes(f, frame);
    if (f->clear_us < now_us)
        f->clear_us = now_us;
    f->clear_us += (int64_t)bytes * S_US / ALL_BYTES_PER_S;
    return bytes;
}

void
fanout_charge(struct fanout *f, uint64_t payer, size_t bytes, int64_t now_ms)
{
    struct limiter_work work = {.units = (int64_t)(bytes / 1024), .now_us = now_ms * 1000};

    if (payer != 0 && work.units > 0)
        limiter_charge(&f->payers, payer, &payer_rate, &work);
}

/* Returns the entry of a conversation; NULL: it has none. */
static struct fanout_deferred *
find(struct fanout *f, int32_t conversation)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->deferred[i].conversation == conversation)
            return &f->deferred[i];
    return NULL;
}

/* Returns how many deferred conversations the payer has. */
static size_t
count_of(const struct fanout *f, uint64_t payer)
{
    size_t n = 0;

    for (size_t i = 0; i < f->count; i++)
        if (f->deferred[i].payer == payer)
            n++;
    return n;
}

/*
 * Merges another deferral into the entry of its conversation. It is charged to the payer who has
 * room sooner. If its event is in flight already, it waits for another one.
 */
static void
wait_on(struct fanout *f, struct fanout_deferred *known, const struct fanout_deferred *deferred)
{
    if (wait_of_payer_us(f, deferred->payer, deferred->since_ms) <
        wait_of_payer_us(f, known->payer, deferred->since_ms))
        known->payer = deferred->payer;
    if (deferred->users > known->users)
        known->users = deferred->users;
    if (known->sent != 0)
        known->since_ms = deferred->since_ms;
    known->sent = 0;
}

bool
fanout_defer(struct fanout *f, const struct fanout_deferred *deferred)
{
    struct fanout_deferred *known = find(f, deferred->conversation);

    if (known != NULL) {
        wait_on(f, known, deferred);
        return true;
    }
    if (f->count == FANOUT_DEFERRED_MAX)
        return false;
    if (deferred->payer != 0 && count_of(f, deferred->payer) >= FANOUT_DEFERRED_OF_PAYER)
        return false;
    f->deferred[f->count] = *deferred;
    f->deferred[f->count].sent = 0;
    f->count++;
    return true;
}

const struct fanout_deferred *
fanout_find(struct fanout *f, int32_t conversation)
{
    struct fanout_deferred *known = find(f, conversation);

    return known != NULL && known->sent == 0 ? known : NULL;
}

int64_t
fanout_wait_ms(struct fanout *f, int64_t now_ms)
{
    int64_t least_us = -1;

    for (size_t i = 0; i < f->count && least_us != 0; i++) {
        int64_t us;

        if (f->deferred[i].sent != 0)
            continue;
        us = wait_us(f, f->deferred[i].payer, now_ms);
        if (least_us < 0 || us < least_us)
            least_us = us;
    }
    return least_us < 0 ? -1 : (least_us + 999) / 1000;
}

struct fanout_deferred *
fanout_next(struct fanout *f, int64_t now_ms)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->deferred[i].sent == 0 && fanout_affords(f, f->deferred[i].payer, now_ms))
            return &f->deferred[i];
    return NULL;
}

/* Removes the entries for which `keep` is false; keeps the order. Returns how many it removed. */
static int
sift(struct fanout *f, bool (*keep)(const struct fanout_deferred *deferred, int64_t limit), int64_t limit)
{
    size_t kept = 0;
    size_t count = f->count;

    for (size_t i = 0; i < count; i++)
        if (keep(&f->deferred[i], limit))
            f->deferred[kept++] = f->deferred[i];
    f->count = kept;
    return (int)(count - kept);
}

static bool
is_not_delivered(const struct fanout_deferred *deferred, int64_t answers)
{
    return deferred->sent == 0 || deferred->sent > (uint64_t)answers;
}

void
fanout_delivered(struct fanout *f, uint64_t answers)
{
    sift(f, is_not_delivered, (int64_t)answers);
}

void
fanout_lose(struct fanout *f)
{
    for (size_t i = 0; i < f->count; i++)
        f->deferred[i].sent = 0;
}

static bool
is_young(const struct fanout_deferred *deferred, int64_t since_ms)
{
    return deferred->since_ms >= since_ms;
}

int
fanout_expire(struct fanout *f, int64_t since_ms)
{
    return sift(f, is_young, since_ms);
}

int64_t
fanout_floor(const struct fanout *f)
{
    int64_t floor = INT64_MAX;

    for (size_t i = 0; i < f->count; i++)
        if (f->deferred[i].change < floor)
            floor = f->deferred[i].change;
    return floor;
}
