/*
 * pool.h - the read connections of one worker, shared by its threads, lent as snapshots.
 *
 * Reading takes microseconds, so a few connections serve many threads. The one used last is lent
 * first, because its statements and pages are still in the processor's cache. One connection for
 * each thread would take some 200 kB each, and be slower.
 */
#ifndef IMD_STORE_SQLITE_POOL_H
#define IMD_STORE_SQLITE_POOL_H

#include "store/store.h"

struct pool;

/* Opens `count` connections. `shared` is borrowed. */
enum err pool_open(struct pool **out, const char *path, int count, struct shared *shared);
/* All snapshots must have ended. NULL is allowed. */
void pool_close(struct pool *p);

/* Begins a snapshot. Waits for a connection if all are lent. The caller must call pool_end(). */
enum err pool_begin(struct pool *p, struct snapshot **out);
/* Ends the snapshot. NULL is allowed. */
void pool_end(struct snapshot *s);

#endif
