/*
 * limiter.h - a rate limit for each caller: a rate and a burst, by the generic cell rate algorithm
 * (GCRA).
 *
 * A table of fixed size in shared memory, without locks. A caller's bucket is one number: the time
 * at which it will be empty. When a set of the table is full, its emptiest bucket is evicted. So
 * the table may forget a debt, but never invents one.
 */
#ifndef IMD_RUN_LIMITER_H
#define IMD_RUN_LIMITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

#define LIMITER_SETS 1024
#define LIMITER_WAYS 4

struct limiter_slate {
    _Atomic uint64_t who;     /* the key of its caller; 0: unused */
    _Atomic int64_t clear_us; /* when the bucket will be empty */
};

struct limiter {
    uint64_t seed; /* random, so that nobody can choose a name that collides with another's */
    struct limiter_slate slates[LIMITER_SETS][LIMITER_WAYS];
};

struct limiter_rate {
    int64_t interval_us; /* one unit each … */
    int64_t burst;       /* … and this many at once */
};

/* Chooses the seed. `l` is zeroed memory, shared by all processes that limit. */
void limiter_init(struct limiter *l);
/* Returns the caller's key, never 0. It is valid until limiter_init() is called again. */
uint64_t limiter_key(const struct limiter *l, struct str who);

/* The work to be paid for, and when it is done. */
struct limiter_work {
    int64_t units;  /* a request is one */
    int64_t now_us; /* of clock_mono_us(), which all processes share */
};

/*
 * Returns true, and charges the work, if the caller may do it now. Returns false, and charges
 * nothing, if not: *wait_us is how long until they may. Never ask for more units than a burst: they
 * are never granted.
 */
bool limiter_take(struct limiter *l, uint64_t key, const struct limiter_rate *rate,
                  const struct limiter_work *work, int64_t *wait_us);
/*
 * Charges work that is done already, whether the limit allows it or not. The debt is capped at two
 * bursts, so nobody waits longer than two bursts take to empty.
 */
void limiter_charge(struct limiter *l, uint64_t key, const struct limiter_rate *rate,
                    const struct limiter_work *work);
/* Undoes a limiter_take() whose work was not done. */
void limiter_refund(struct limiter *l, uint64_t key, const struct limiter_rate *rate, int64_t units);

#endif
