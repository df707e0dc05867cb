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
/*
 * Instead of pool_end(): the snapshot goes on in this thread's next pool_begin(), so that what was decided
 * from it and what is read next are of one moment. Whoever keeps one owes pool_drop_kept(), in case that
 * there was none. A thread keeps one at most.
 */
void pool_keep(struct db *db);
/* Ends what this thread keeps; nothing where it keeps none. */
void pool_drop_kept(struct pool *p);

#endif
