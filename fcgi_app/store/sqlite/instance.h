/*
 * instance.h - the one row with the database's epoch and counters: the part for this engine alone.
 */
#ifndef IMD_STORE_SQLITE_INSTANCE_H
#define IMD_STORE_SQLITE_INSTANCE_H

#include "store/instance.h"

/* The last ids that were assigned. */
struct tx_counters {
    int64_t last_message_id;
    int64_t last_change;
};

/*
 * Begins a transaction's counting. Reads *counters and makes tx point to it; the tick becomes
 * max(clock, last tick + 1). Needs a write transaction.
 */
enum err instance_advance(struct tx *tx, struct tx_counters *counters);
/* Stores the tick and the counters. Needs a write transaction. */
enum err instance_set(const struct tx *tx);
/* Replaces the epoch by a new random one, and returns it in `epoch`. Needs a write transaction. */
enum err instance_renew_epoch(struct db *db, char epoch[EPOCH_BYTES]);

#endif
