/* connections.h - what SQLite keeps for an open store: its writer and its readers. */
#ifndef IMD_STORE_SQLITE_CONNECTIONS_H
#define IMD_STORE_SQLITE_CONNECTIONS_H

#include "store/engine.h"
#include "store/sqlite/commit.h"
#include "store/sqlite/pool.h"

struct sqlite_connections {
    struct connections face; /* first */
    struct commit *commit;   /* NULL: the store is read-only */
    struct pool *pool;
};

/* Returns the connections of an open store, whose engine must be SQLite. */
static inline struct sqlite_connections *
sqlite_connections(const struct store *s)
{
    return (struct sqlite_connections *)(void *)s->connections;
}

#endif
