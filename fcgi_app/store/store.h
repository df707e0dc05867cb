/* store.h - what a worker holds of the database: one writer, some readers. Opened after the fork. */
#ifndef IMD_STORE_STORE_H
#define IMD_STORE_STORE_H

#include <stdatomic.h>
#include "store/commit.h"
#include "store/pool.h"

struct store {
    struct commit *commit;
    struct pool *pool;
    uint64_t payer; /* of what its commands change: see struct tx */
};

static inline enum err
store_open(struct store *s, const char *path, int readers, struct shared *shared)
{
    enum err err = commit_open(&s->commit, path, shared);

    if (err == ERR_OK)
        err = pool_open(&s->pool, path, readers);
    return err;
}

/* commit_run(), in the name of who pays. */
static inline enum err
store_run(struct store *s, command_fn *command, void *arg, size_t bytes)
{
    return commit_run(s->commit, &(struct commit_command){command, arg, bytes, s->payer});
}

static inline void
store_close(struct store *s)
{
    pool_close(s->pool);
    commit_close(s->commit);
    *s = (struct store){0};
}

#endif
