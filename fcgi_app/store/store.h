/* store.h - what a worker holds of the database: one writer, some readers. Opened after the fork. */
#ifndef IMD_STORE_STORE_H
#define IMD_STORE_STORE_H

#include <stdatomic.h>
#include "store/commit.h"
#include "store/pool.h"

struct store {
    struct commit *commit;
    struct pool *pool;
    _Atomic int64_t work; /* of the commands since it was zeroed: see struct tx */
};

static inline enum err
store_open(struct store *s, const char *path, int readers, struct shared *shared)
{
    enum err err = commit_open(&s->commit, path, shared);

    if (err == ERR_OK)
        err = pool_open(&s->pool, path, readers);
    return err;
}

/* commit_run(), and counts its work. */
static inline enum err
store_run(struct store *s, command_fn *command, void *arg, size_t bytes)
{
    int64_t work = 0;
    enum err err = commit_run(s->commit, command, arg, bytes, &work);

    atomic_fetch_add_explicit(&s->work, work, memory_order_relaxed);
    return err;
}

static inline void
store_close(struct store *s)
{
    pool_close(s->pool);
    commit_close(s->commit);
    *s = (struct store){0};
}

#endif
