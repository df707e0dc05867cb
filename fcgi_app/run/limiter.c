/* limiter.c - see limiter.h. Must not know what a key stands for. */
#include "run/limiter.h"

#include <sys/random.h>

void
limiter_init(struct limiter *l)
{
    if (getrandom(&l->seed, sizeof(l->seed), 0) != (ssize_t)sizeof(l->seed))
        l->seed = (uint64_t)(uintptr_t)l;
}

/* FNV-1a with a secret seed, then the finaliser of splitmix64. */
uint64_t
limiter_key(const struct limiter *l, struct str who)
{
    uint64_t seed = l->seed;
    uint64_t h = seed ^ 0xcbf29ce484222325u;

    for (size_t i = 0; i < who.n; i++)
        h = (h ^ (unsigned char)who.p[i]) * 0x100000001b3u;
    h = (h ^ seed ^ h >> 30) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    h ^= h >> 31;
    return h == 0 ? 1 : h;
}

/*
 * Returns the caller's bucket, or evicts the emptiest one of the set for it.
 *
 * A bucket is emptied before it changes hands, and then every thread searches again. So when many
 * new callers come at once, none empties a bucket that another has just charged.
 */
static struct limiter_slate *
find(struct limiter *l, uint64_t who)
{
    struct limiter_slate *set = l->slates[who % LIMITER_SETS];

    for (;;) {
        struct limiter_slate *least = &set[0];
        int64_t least_us = INT64_MAX;
        uint64_t holder = 0;

        for (int i = 0; i < LIMITER_WAYS; i++) {
            /*
             * In this order: if another caller takes the bucket over in between and is charged, the
             * exchange below fails.
             */
            int64_t clear_us = atomic_load(&set[i].clear_us);
            uint64_t other = atomic_load(&set[i].who);

            if (other == who)
                return &set[i];
            if (clear_us < least_us) {
                least = &set[i];
                least_us = clear_us;
                holder = other;
            }
        }
        if (atomic_compare_exchange_strong(&least->clear_us, &least_us, 0))
            atomic_compare_exchange_strong(&least->who, &holder, who);
    }
}

bool
limiter_take(struct limiter *l, uint64_t key, const struct limiter_rate *rate,
             const struct limiter_work *work, int64_t *wait_us)
{
    struct limiter_slate *slate = find(l, key);
    int64_t clear_us = atomic_load(&slate->clear_us);
    int64_t from_us;

    do {
        from_us = clear_us > work->now_us ? clear_us : work->now_us;
        *wait_us = from_us - work->now_us - (rate->burst - work->units) * rate->interval_us;
        if (*wait_us > 0)
            return false;
    } while (!atomic_compare_exchange_weak(&slate->clear_us, &clear_us,
                                           from_us + work->units * rate->interval_us));
    return true;
}

void
limiter_charge(struct limiter *l, uint64_t key, const struct limiter_rate *rate,
               const struct limiter_work *work)
{
    struct limiter_slate *slate = find(l, key);
    int64_t limit_us = work->now_us + 2 * rate->burst * rate->interval_us;
    int64_t clear_us = atomic_load(&slate->clear_us);
    int64_t new_us;

    do {
        new_us = clear_us > work->now_us ? clear_us : work->now_us;
        new_us += work->units * rate->interval_us;
        if (new_us > limit_us)
            new_us = limit_us;
        if (new_us <= clear_us)
            return;
    } while (!atomic_compare_exchange_weak(&slate->clear_us, &clear_us, new_us));
}

void
limiter_refund(struct limiter *l, uint64_t key, const struct limiter_rate *rate, int64_t units)
{
    struct limiter_slate *slate = find(l, key);
    int64_t clear_us = atomic_load(&slate->clear_us);
    int64_t new_us;

    do
        new_us = clear_us > units * rate->interval_us ? clear_us - units * rate->interval_us : 0;
    while (!atomic_compare_exchange_weak(&slate->clear_us, &clear_us, new_us));
}
