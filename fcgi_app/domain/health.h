/* health.h - checks that imd can do its work. */
#ifndef IMD_DOMAIN_HEALTH_H
#define IMD_DOMAIN_HEALTH_H

#include "run/shared.h"
#include "store/store.h"

struct health {
    bool push_connected;    /* nchan's publisher answers the relay */
    int64_t outbox_pending; /* changes committed and not yet delivered to nchan */
    int64_t clock_behind_s; /* by how much the wall clock is behind the last tick; 0: less than a minute */
};

/* True if the relay's loop has run lately. */
bool health_relay_runs(struct shared *shared);
/*
 * Checks that imd can commit and that the relay runs. ERR_STORAGE: neither a commit of the last
 * second nor a new one succeeded. ERR_RELAY: the relay's loop has not run lately. Fills *health in
 * any case. May open a transaction.
 */
enum err health_check(struct store *store, struct shared *shared, struct health *health);

#endif
