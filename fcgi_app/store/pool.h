/*
 * pool.h - the read connections of one worker, shared by its threads.
 *
 * Reading takes microseconds, so a few connections serve many threads, and the one used last is lent first:
 * its statements and pages are still in the processor's cache. A connection each would cost each thread
 * some 200 kB and be slower.
 */
#ifndef IMD_STORE_POOL_H
#define IMD_STORE_POOL_H

#include "base/err.h"
#include "store/db.h"

struct pool;

/* Opens `count` connections. */
enum err pool_open(struct pool **out, const char *path, int count);
/* All connections must be back. NULL is allowed. */
void pool_close(struct pool *p);

/* Lends a connection with a read transaction open, waiting for one if all are out: one snapshot from here on.
 */
enum err pool_begin(struct pool *p, struct db **db);
/* Ends the transaction and takes the connection back. */
void pool_end(struct pool *p, struct db *db);

#endif
