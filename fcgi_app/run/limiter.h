/*
 * limiter.h - how fast each of many may go: a rate and a burst, for whoever comes.
 *
 * A table of fixed size in the shared page, without locks: of each it holds the moment from which on they
 * have nothing on the slate (the generic cell rate algorithm). Where it is full the one with the least on it
 * is forgotten, so it errs to their good.
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
    _Atomic uint64_t who;     /* hash; 0: nobody */
    _Atomic int64_t clear_us; /* when nothing is on it any more */
};

struct limiter {
    uint64_t seed; /* random: nobody can choose a name that shares another's slate */
    struct limiter_slate slates[LIMITER_SETS][LIMITER_WAYS];
};

struct limiter_rate {
    int64_t interval_us; /* one request each … */
    int64_t burst;       /* … and so many at once */
};

/* `l` is zeroed memory, shared by all who ask. */
void limiter_init(struct limiter *l);
/* The key of a caller in this table, until it is initialised anew. Never 0. */
uint64_t limiter_key(const struct limiter *l, struct str who);

/* What is done, and when. */
struct limiter_work {
    int64_t units;  /* a request is one */
    int64_t now_us; /* a clock that all who ask share (clock_mono_us) */
};

/*
 * Notes the work and returns true if the caller may do it now. Otherwise returns false, with *wait_us: how
 * long until they may. Work of more units than a burst would never be granted: the caller of this function
 * asks for less.
 */
bool limiter_take(struct limiter *l, uint64_t key, const struct limiter_rate *rate,
                  const struct limiter_work *work, int64_t *wait_us);
/*
 * Notes work that is done already, granted or not. A debt grows up to one burst beyond the burst, so nobody
 * waits longer than twice the time of a burst.
 */
void limiter_charge(struct limiter *l, uint64_t key, const struct limiter_rate *rate,
                    const struct limiter_work *work);
/* Takes back what limiter_take() noted for work that was not done after all. */
void limiter_refund(struct limiter *l, uint64_t key, const struct limiter_rate *rate, int64_t units);

#endif
