/* size.h - the size of the database, and the version of its schema. */
#ifndef IMD_STORE_SIZE_H
#define IMD_STORE_SIZE_H

#include <stdint.h>
#include "base/err.h"

struct db;

struct size {
    int64_t schema;         /* the number of the last migration that was applied */
    int64_t database_bytes; /* of the database */
    int64_t log_bytes;      /* of the engine's log file (housekeeping.h); 0: there is none */
};

/* Needs no transaction. ERR_STORAGE. */
enum err size_get(struct db *db, struct size *size);

#endif
