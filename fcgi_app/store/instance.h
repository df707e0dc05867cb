/* instance.h - the database's identity and counters, and a probe whether it accepts writes. */
#ifndef IMD_STORE_INSTANCE_H
#define IMD_STORE_INSTANCE_H

#include "store/tx.h"

#define EPOCH_BYTES 64

struct instance {
    char epoch[EPOCH_BYTES]; /* ended by NUL */
    int64_t tick;            /* UNIX ms: of the last transaction */
    int64_t last_message_id; /* the highest id of a message ever assigned */
    int64_t last_change;     /* the highest id of a change ever assigned */
};

/* Needs no transaction. ERR_STORAGE. */
enum err instance_get(struct db *db, struct instance *instance);
/*
 * Stores the tick and `bytes` bytes, in place of those of the last probe. Success proves that the
 * disk accepts them. With 0, removes the bytes of the last probe. ERR_STORAGE.
 */
enum err instance_probe(struct tx *tx, int64_t bytes);

#endif
