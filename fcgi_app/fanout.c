/* fanout.c - see fanout.h. Must not know what is published, nor to whom. */
#include "fanout.h"

/* Of nchan's 128 MB, with what it keeps for 3 s and sweeps some seconds later. */
#define BUDGET_BYTES       (24 * 1024 * 1024)
#define BUDGET_BYTES_PER_S (8 * 1024 * 1024)
/* What nchan keeps for a copy beside the frame: the message, and the channel of a user who does not listen.
 */
#define COPY_BYTES 1200

static void
refill(struct fanout *f, int64_t now_ms)
{
    int64_t passed_ms = now_ms - f->refilled_ms;

    if (f->refilled_ms == 0 || passed_ms > 60000)
        f->budget_bytes = BUDGET_BYTES;
    else if (passed_ms > 0)
        f->budget_bytes += passed_ms * BUDGET_BYTES_PER_S / 1000;
    if (f->budget_bytes > BUDGET_BYTES)
        f->budget_bytes = BUDGET_BYTES;
    f->refilled_ms = now_ms;
}

bool
fanout_affords(struct fanout *f, size_t users, int64_t now_ms)
{
    if (users <= FANOUT_LARGE)
        return true;
    refill(f, now_ms);
    return f->budget_bytes > 0;
}

void
fanout_spend(struct fanout *f, size_t users, size_t bytes)
{
    if (users > FANOUT_LARGE)
        f->budget_bytes -= (int64_t)(users * (bytes + COPY_BYTES));
}

bool
fanout_is_deferred(const struct fanout *f, int32_t conversation)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->deferred[i].conversation == conversation)
            return true;
    return false;
}

size_t
fanout_users(const struct fanout *f, int32_t conversation)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->deferred[i].conversation == conversation)
            return f->deferred[i].users;
    return 0;
}

void
fanout_defer(struct fanout *f, int32_t conversation, size_t users)
{
    if (!fanout_is_deferred(f, conversation) && f->count < FANOUT_DEFERRED_MAX)
        f->deferred[f->count++] = (struct fanout_deferred){conversation, users};
}

int64_t
fanout_wait_ms(struct fanout *f, int64_t now_ms)
{
    if (f->count == 0)
        return -1;
    refill(f, now_ms);
    return f->budget_bytes > 0 ? 0 : -f->budget_bytes * 1000 / BUDGET_BYTES_PER_S + 1;
}

int32_t
fanout_next(struct fanout *f)
{
    size_t least = 0;
    int32_t conversation;

    for (size_t i = 1; i < f->count; i++)
        if (f->deferred[i].users < f->deferred[least].users)
            least = i;
    conversation = f->deferred[least].conversation;
    f->deferred[least] = f->deferred[--f->count];
    return conversation;
}
