/*
 * instance.h - the one row that says what this database is and how far it has counted: the engine's
 * part.
 */
#ifndef IMD_STORE_SQLITE_INSTANCE_H
#define IMD_STORE_SQLITE_INSTANCE_H

#include "store/instance.h"

/* The ids that were given last. */
struct tx_counters {
    int64_t last_message_id;
    int64_t last_change;
};

/*
 * Begins to count: reads *counters, which becomes that of the transaction; the tick becomes
 * max(clock, last tick + 1). Needs a write transaction.
 */
enum err instance_advance(struct tx *tx, struct tx_counters *counters);
/* Stores the tick and the counters. Needs a write transaction. */
enum err instance_set(const struct tx *tx);
/* Another epoch, random: *epoch is that one. Needs a write transaction. */
enum err instance_renew_epoch(struct db *db, char epoch[EPOCH_BYTES]);

#endif
