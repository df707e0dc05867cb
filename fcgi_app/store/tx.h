/*
 * tx.h - what the rules see of the database: a handle to read by, and a command's transaction.
 *
 * A `struct db` belongs to the engine. The functions of this room that take one only read, and say so of the
 * moment that a snapshot or a transaction holds; those that take a `struct tx` write.
 */
#ifndef IMD_STORE_TX_H
#define IMD_STORE_TX_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

struct db;

/* The write transaction as a command sees it. */
struct tx {
    struct db *db;
    int64_t tick;            /* UNIX ms: the timestamp of everything in this transaction */
    int64_t last_message_id; /* raise by one for each message */
    int64_t last_change;     /* raise by one for each outbox row */
    uint64_t payer;          /* of this command: whose rate it counts for (limiter_key); 0: nobody's */
};

/*
 * Runs inside the open transaction, maybe on another thread than the one that asked. ERR_STORAGE fails the
 * whole transaction; any other error undoes this command alone.
 */
typedef enum err command_fn(struct tx *tx, void *arg);

#endif
