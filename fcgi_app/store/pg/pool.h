/*
 * pool.h - a process's read connections, lent one by one.
 *
 * The one used last is lent first: it is connected, and its server process is warm.
 */
#ifndef IMD_STORE_PG_POOL_H
#define IMD_STORE_PG_POOL_H

#include "store/store.h"

struct pg_pool;

/* Makes `count` connections, which connect when they are first used. Borrows `uri`. */
enum err pg_pool_open(struct pg_pool **out, const char *uri, int count);
/* All connections must have been returned. NULL is allowed. */
void pg_pool_close(struct pg_pool *p);

/* Waits for a free connection, and begins a snapshot on it. ERR_STORAGE: none is lent. */
enum err pg_pool_begin(struct pg_pool *p, struct snapshot **out);
/* Ends the snapshot and returns its connection. */
void pg_pool_end(struct snapshot *s);

#endif
