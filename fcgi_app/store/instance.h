/* instance.h - the one row that says what this database is and how far it has counted. */
#ifndef IMD_STORE_INSTANCE_H
#define IMD_STORE_INSTANCE_H

#include "store/commit.h"

#define EPOCH_BYTES 64

/* Reads tick and counters into *tx. Needs a transaction. */
enum err instance_get(struct tx *tx);
/* The same, for a transaction that writes: the tick becomes its own, max(clock, last tick + 1). */
enum err instance_advance(struct tx *tx);
/* Writes them back. Needs a write transaction. */
enum err instance_set(const struct tx *tx);
/* The epoch, ended by NUL, and the highest change ever announced. Needs no transaction. */
enum err instance_epoch(struct db *db, char epoch[EPOCH_BYTES], int64_t *last_change);

/* Another epoch, random: *epoch is that one. Needs a write transaction. */
enum err instance_renew_epoch(struct db *db, char epoch[EPOCH_BYTES]);

/* Stores the tick and as many bytes as that, in place of those of the last probe: proof that the disk takes
 * them. With 0 bytes those of the last probe are removed. */
enum err instance_probe(struct tx *tx, int64_t bytes);

#endif
