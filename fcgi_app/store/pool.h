/*
 * pool.h - the read connections of one worker, shared by its threads, lent as snapshots.
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

/*
 * One state of the database. Everything that is read through a snapshot is of that one moment. Questions of
 * the domain take a snapshot and cannot write; commands take the store. A thread must end its snapshot before
 * it commits, waits, or begins another one: a snapshot keeps a connection from others and the write-ahead log
 * from starting anew.
 */
struct snapshot {
    struct db *db;     /* a connection with a read transaction open */
    struct pool *pool; /* that lent it */
};

/* Opens `count` connections. */
enum err pool_open(struct pool **out, const char *path, int count);
/* All snapshots must have ended. NULL is allowed. */
void pool_close(struct pool *p);

/* Begins a snapshot, and waits for a connection if all are lent. pool_end() is owed. */
enum err pool_begin(struct pool *p, struct snapshot **out);
/* Ends the snapshot. NULL is allowed. */
void pool_end(struct snapshot *s);

#endif
