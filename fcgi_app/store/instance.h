/* instance.h - what this database is, and the proof that it takes what is written. */
#ifndef IMD_STORE_INSTANCE_H
#define IMD_STORE_INSTANCE_H

#include "store/tx.h"

#define EPOCH_BYTES 64

/* The epoch, ended by NUL, and the highest change ever announced. ERR_STORAGE. */
enum err instance_epoch(struct db *db, char epoch[EPOCH_BYTES], int64_t *last_change);
/*
 * Stores the tick and as many bytes as that, in place of those of the last probe: proof that the disk takes
 * them. With 0 bytes those of the last probe are removed. ERR_STORAGE.
 */
enum err instance_probe(struct tx *tx, int64_t bytes);

#endif
