/* grants.c - see grants.h. Must not know what a subscription is. */
#include "run/grants.h"

#include "base/clock.h"

/*
 * A stamp is a time in milliseconds, shifted by this, plus a counter that separates grants of one
 * millisecond.
 */
#define NUMBER_BITS 20

static uint64_t
later(uint64_t stamp)
{
    uint64_t now = (uint64_t)clock_mono_ms() << NUMBER_BITS;

    return now > stamp ? now : stamp + 1;
}

static void
advance(_Atomic uint64_t *stamp)
{
    uint64_t before = atomic_load(stamp);

    while (!atomic_compare_exchange_weak(stamp, &before, later(before)))
        ;
}

/* Returns the index of the user's stamp. */
static uint32_t
place(struct str name)
{
    uint32_t h = str_hash(name);

    return (h ^ h >> 16) % GRANTS_STAMPS;
}

void
grants_open(struct grants *g)
{
    advance(&g->opened);
}

void
grants_note(struct grants *g, struct str name)
{
    advance(&g->stamps[place(name)]);
}

uint64_t
grants_stamp(const struct grants *g, struct str name)
{
    uint64_t opened = atomic_load(&g->opened);
    uint64_t stamp = atomic_load(&g->stamps[place(name)]);

    return stamp > opened ? stamp : opened;
}

int64_t
grants_ms(uint64_t stamp)
{
    return (int64_t)(stamp >> NUMBER_BITS);
}
