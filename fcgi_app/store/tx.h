/*
 * tx.h - the database as rules see it: a handle for reading, and the transaction of a command.
 *
 * A `struct db` belongs to the engine. Functions of store/ that take one only read: the state of a
 * snapshot, or of an open transaction. Functions that take a `struct tx` write.
 */
#ifndef IMD_STORE_TX_H
#define IMD_STORE_TX_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

struct db;

struct tx_counters;

/* The write transaction as a command sees it. */
struct tx {
    struct db *db;
    int64_t tick;                 /* UNIX ms: the timestamp of everything in this transaction */
    uint64_t payer;               /* the limiter_key() that this command's changes are charged to; 0: none */
    struct tx_counters *counters; /* the engine's: the last ids that it assigned */
};

/*
 * A command: runs once, inside the open transaction, maybe on another thread than its caller's.
 *
 * The engine guarantees:
 * - A command runs alone. It reads what all earlier commands have written, those of its own group
 *   included. Nothing else is written between its first read and its end.
 * - tx->tick is above every tick of earlier transactions. Commands of one group share it.
 * - ERR_STORAGE and ERR_MEMORY fail the whole transaction, so nothing of any command in it is
 *   stored. Any other error is a refusal of this command alone.
 *
 * The command must:
 * - Make all its checks before its first write, so that a refused command has written nothing.
 *   Functions of the store that can refuse do so before they write. A late refusal fails the whole
 *   transaction, as ERR_STORAGE does. The engine counts it (late_refusals in run/shared.h), and
 *   unit tests fail if there was one.
 * - Read everything that it decides by before its first write. Later reads may only go into its
 *   answer.
 * - Declare what it will read (store/command.h). Unit tests fail if it reads anything else.
 * So an engine behind a network can read for a whole group in one round trip, and write in another.
 */
typedef enum err command_fn(struct tx *tx, void *arg);

#endif
