/*
 * pool.h - the read connections of one worker, shared by its threads, lent as snapshots.
 *
 * Reading takes microseconds, so a few connections serve many threads, and the one used last is
 * lent first: its statements and pages are still in the processor's cache. A connection each would
 * cost each thread some 200 kB and be slower.
 */
#ifndef IMD_STORE_SQLITE_POOL_H
#define IMD_STORE_SQLITE_POOL_H

#include "store/store.h"

struct pool;

/* Opens `count` connections. `shared` is borrowed. */
enum err pool_open(struct pool **out, const char *path, int count, struct shared *shared);
/* All snapshots must have ended. NULL is allowed. */
void pool_close(struct pool *p);

/* Begins a snapshot, and waits for a connection if all are lent. pool_end() is owed. */
enum err pool_begin(struct pool *p, struct snapshot **out);
/* Ends the snapshot. NULL is allowed. */
void pool_end(struct snapshot *s);

#endif
