/* connections.h - the connections of a struct store on PostgreSQL. */
#ifndef IMD_STORE_PG_CONNECTIONS_H
#define IMD_STORE_PG_CONNECTIONS_H

#include "store/engine.h"
#include "store/pg/commit.h"
#include "store/pg/pool.h"

struct pg_connections {
    struct connections face;  /* first */
    struct pg_commit *commit; /* NULL: the store is open for reading only */
    struct pg_pool *pool;
};

/* The connections of an open store, whose engine must be PostgreSQL. */
static inline struct pg_connections *
pg_connections(const struct store *s)
{
    return (struct pg_connections *)(void *)s->connections;
}

#endif
