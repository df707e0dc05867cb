/* instance.h - the single row with the database's identity and its counters: the engine's part. */
#ifndef IMD_STORE_PG_INSTANCE_H
#define IMD_STORE_PG_INSTANCE_H

#include "store/instance.h"

/* The ids that were given out last. */
struct tx_counters {
    int64_t last_message_id;
    int64_t last_change;
    int64_t last_account_id;
    int64_t last_conversation_id;
    int64_t last_set_id; /* of reaction_set */
};

/*
 * Asks for a lock on the row, without waiting for it. Until the transaction ends, the lock keeps
 * all other transactions of all hosts from writing. Needs a write transaction.
 */
enum err pg_instance_lock(struct db *db);
/*
 * Waits for the lock, and reads *counters, which the transaction then counts up. The tick becomes
 * max(clock, last tick + 1). ERR_STORAGE.
 */
enum err pg_instance_locked(struct tx *tx, struct tx_counters *counters);
/* Stores the tick and the counters. Needs a write transaction. */
enum err pg_instance_set(const struct tx *tx);

#endif
