/*
 * inbox.h - a user's conversations by last activity, newest first.
 *
 * A page never ends inside a tick, so whoever asks again with the last updated_at they hold misses
 * nothing: the page stops before the tick that `limit` would cut, or, where the first tick alone
 * exceeds `limit`, holds that whole tick.
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
     * UNIX ms; -1: the whole list. Else what was active after it, where only the user's own marker
     * has moved since, and what they have left since.
     */
    int64_t updated_after;
    int64_t updated_before;  /* UNIX ms; INT64_MAX: from the newest on */
    int limit;               /* 1 … PAGE_LIMIT_MAX */
    char epoch[EPOCH_BYTES]; /* out */
    bool has_next;           /* out */
};

/*
 * Calls back with each entry, in order; all of it lives for the call. `each` says whether there is
 * room for more: if not, the page ends with the tick at hand.
 */
enum err inbox_list(const struct snapshot *snapshot, struct arena *arena, struct inbox *inbox,
                    bool (*each)(void *arg, const struct listing *listing), void *arg);

#endif
