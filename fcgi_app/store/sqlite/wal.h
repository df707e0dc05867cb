/*
 * wal.h - the state of the write-ahead log that all processes share, in the engine's part of the
 * shared memory (run/shared.h).
 */
#ifndef IMD_STORE_SQLITE_WAL_H
#define IMD_STORE_SQLITE_WAL_H

#include "run/shared.h"

/* A log of this many pages (16 MB) is due for a checkpoint. */
#define WAL_PAGES_LONG 4000

struct wal {
    _Atomic int pages;            /* its length at the last commit */
    _Atomic bool wipe;            /* deleted content may still be in it: empty it */
    _Atomic uint64_t checkpoints; /* since the start */
};

/* Returns the engine's part of the memory. It is zeroed at the start. */
struct wal *wal_shared(struct shared *s);
/* Records the length of the log after a commit, and wakes housekeeping if it is long. */
void wal_note(struct shared *s, int pages);

#endif
