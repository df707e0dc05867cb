/*
 * pool.h - a process's read connections, lent out one by one.
 *
 * The one used last is lent first: it is connected, and its server process is warm.
 */
#ifndef IMD_STORE_PG_POOL_H
#define IMD_STORE_PG_POOL_H

#include "store/store.h"

struct pg_pool;

/* Makes `count` of them, which connect when they are first used. Borrows `uri`. */
enum err pg_pool_open(struct pg_pool **out, const char *uri, int count);
/* All must have been given back. NULL is allowed. */
void pg_pool_close(struct pg_pool *p);

/* Waits for a connection, and begins a snapshot on it. ERR_STORAGE: then none is lent. */
enum err pg_pool_begin(struct pg_pool *p, struct snapshot **out);
/* Ends the snapshot and gives its connection back. */
void pg_pool_end(struct snapshot *s);

#endif
