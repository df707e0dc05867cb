/*
 * instance.h - the one row that says what this database is and how far it has counted: the engine's
 * part.
 */
#ifndef IMD_STORE_PG_INSTANCE_H
#define IMD_STORE_PG_INSTANCE_H

#include "store/instance.h"

/* The ids that were given last. */
struct tx_counters {
    int64_t last_message_id;
    int64_t last_change;
    int64_t last_account_id;
    int64_t last_conversation_id;
    int64_t last_set_id; /* of reaction_set */
};

/*
 * Asks for a lock on the row until the transaction ends, so that no other transaction of any host
 * writes. Does not wait. Needs a write transaction.
 */
enum err pg_instance_lock(struct db *db);
/*
 * Waits for the lock. Reads *counters, which becomes that of the transaction; the tick becomes
 * max(clock, last tick + 1). ERR_STORAGE.
 */
enum err pg_instance_locked(struct tx *tx, struct tx_counters *counters);
/* Stores the tick and the counters. Needs a write transaction. */
enum err pg_instance_set(const struct tx *tx);

#endif
