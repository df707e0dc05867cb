/*
 * inbox.h - a user's conversations by last activity, newest first.
 *
 * A page never ends inside a tick, so a client that asks again with its last updated_at misses
 * nothing. The page stops before the tick that `limit` would cut. If the first tick alone exceeds
 * `limit`, the page holds that whole tick.
 */
#ifndef IMD_DOMAIN_INBOX_H
#define IMD_DOMAIN_INBOX_H

#include "base/arena.h"
#include "model/model.h"
#include "store/instance.h"
#include "store/store.h"

struct inbox {
    struct str username;
    /*
     * UNIX ms; -1: the whole list. Else only conversations that were active later, those where only
     * the user's own marker has moved later, and those that they left later.
     */
    int64_t updated_after;
    int64_t updated_before;  /* UNIX ms; INT64_MAX: from the newest on */
    int limit;               /* 1 … PAGE_LIMIT_MAX */
    char epoch[EPOCH_BYTES]; /* out */
    bool has_next;           /* out */
};

/*
 * Calls back with each entry, in order; all of it lives for the call. `each` returns whether there
 * is room for more. If not, the page ends with the present tick.
 */
enum err inbox_list(const struct snapshot *snapshot, struct arena *arena, struct inbox *inbox,
                    bool (*each)(void *arg, const struct listing *listing), void *arg);

#endif
