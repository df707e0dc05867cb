/*
 * instance.h - what this database is, how far it has counted, and the proof that it takes what is
 * written.
 */
#ifndef IMD_STORE_INSTANCE_H
#define IMD_STORE_INSTANCE_H

#include "store/tx.h"

#define EPOCH_BYTES 64

struct instance {
    char epoch[EPOCH_BYTES]; /* ended by NUL */
    int64_t tick;            /* UNIX ms: of the last transaction */
    int64_t last_message_id; /* highest id of a message ever given */
    int64_t last_change;     /* highest id of a change ever given */
};

/* Needs no transaction. ERR_STORAGE. */
enum err instance_get(struct db *db, struct instance *instance);
/*
 * Stores the tick and as many bytes as that, in place of those of the last probe: proof that the
 * disk takes them. With 0 bytes those of the last probe are removed. ERR_STORAGE.
 */
enum err instance_probe(struct tx *tx, int64_t bytes);

#endif
