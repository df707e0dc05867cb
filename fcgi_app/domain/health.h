/* health.h - is imd able to do its work? */
#ifndef IMD_DOMAIN_HEALTH_H
#define IMD_DOMAIN_HEALTH_H

#include "run/shared.h"
#include "store/store.h"

struct health {
    bool push_connected;    /* nchan's publisher answers the relay */
    int64_t outbox_pending; /* changes committed and not yet delivered to nchan */
    int64_t
        clock_behind_s; /* so far the wall clock is behind what was stored last; 0: by less than a minute */
};

/* True if the relay's loop has run lately. */
bool health_relay_runs(struct shared *shared);
/*
 * ERR_STORAGE: nothing can be committed, as a commit of the last second or one made now shows.
 * ERR_RELAY: the relay has not gone round for a while. Fills *health all the same. May open a transaction.
 */
enum err health_check(struct store *store, struct shared *shared, struct health *health);

#endif
