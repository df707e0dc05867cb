/* engine.h - what is behind a struct store. */
#ifndef IMD_STORE_SQLITE_ENGINE_H
#define IMD_STORE_SQLITE_ENGINE_H

#include "store/sqlite/commit.h"
#include "store/sqlite/pool.h"

struct engine {
    struct commit *commit; /* NULL: the store is open for reading alone */
    struct pool *pool;
};

#endif
