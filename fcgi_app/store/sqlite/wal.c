/* wal.c - see wal.h. Must not know when the log is copied. */
#include "store/sqlite/wal.h"

_Static_assert(sizeof(struct wal) <= SHARED_ENGINE_BYTES, "raise SHARED_ENGINE_BYTES");

struct wal *
wal_shared(struct shared *s)
{
    return (struct wal *)(void *)s->engine;
}

void
wal_note(struct shared *s, int pages)
{
    int before = atomic_exchange(&wal_shared(s)->pages, pages);

    /* Signal again at each further quarter, in case a checkpoint made no progress. */
    if (pages >= WAL_PAGES_LONG && pages / (WAL_PAGES_LONG / 4) != before / (WAL_PAGES_LONG / 4))
        shared_wake(s->housekeeping_fd);
}
