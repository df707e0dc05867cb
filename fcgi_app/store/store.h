/* store.h - what a worker holds of the database: one writer, some readers. Opened after the fork. */
#ifndef IMD_STORE_STORE_H
#define IMD_STORE_STORE_H

#include "store/commit.h"
#include "store/pool.h"

struct store {
    struct commit *commit;
    struct pool *pool;
};

static inline enum err
store_open(struct store *s, const char *path, int readers, struct shared *shared)
{
    enum err err = commit_open(&s->commit, path, shared);

    if (err == ERR_OK)
        err = pool_open(&s->pool, path, readers);
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
