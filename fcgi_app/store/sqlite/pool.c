/* pool.c - see pool.h. Must not know what is read. */
#include "store/sqlite/db.h"
#include "store/sqlite/pool.h"

#include <pthread.h>
#include <stdlib.h>

/* A connection, and the snapshot for which it is lent. */
struct reader {
    struct snapshot snapshot; /* first, so that pool_end() finds the reader by it */
    struct pool *pool;
};

struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    int size;             /* connections opened */
    int idle_count;       /* how many of them are in idle[]; the one used last comes last */
    struct reader **idle; /* behind all[] */
    struct reader all[];
};

enum err
pool_open(struct pool **out, const char *path, int count, struct shared *shared)
{
    size_t each = sizeof(struct reader) + sizeof(struct reader *);
    struct pool *p = calloc(1, sizeof(*p) + (size_t)count * each);
    enum err err = ERR_OK;

    if (p == NULL)
        return ERR_MEMORY;
    if (pthread_mutex_init(&p->mutex, NULL) != 0 || pthread_cond_init(&p->returned, NULL) != 0) {
        free(p);
        return ERR_MEMORY;
    }
    p->idle = (struct reader **)(void *)&p->all[count];
    while (p->size < count) {
        p->all[p->size].pool = p;
        p->idle[p->size] = &p->all[p->size];
        err = db_open(&p->all[p->size].snapshot.db, path, DB_READ);
        if (err != ERR_OK)
            break;
        db_follow_renames(p->all[p->size++].snapshot.db, &shared->renames);
    }
    p->idle_count = p->size;
    if (err != ERR_OK)
        pool_close(p);
    else
        *out = p;
    return err;
}

void
pool_close(struct pool *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < p->size; i++)
        db_close(p->all[i].snapshot.db);
    pthread_cond_destroy(&p->returned);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

static void
give_back(struct reader *r)
{
    struct pool *p = r->pool;

    pthread_mutex_lock(&p->mutex);
    p->idle[p->idle_count++] = r;
    pthread_mutex_unlock(&p->mutex);
    pthread_cond_signal(&p->returned);
}

enum err
pool_begin(struct pool *p, struct snapshot **out)
{
    struct reader *r;
    enum err err;

    pthread_mutex_lock(&p->mutex);
    while (p->idle_count == 0)
        pthread_cond_wait(&p->returned, &p->mutex);
    r = p->idle[--p->idle_count];
    pthread_mutex_unlock(&p->mutex);
    err = db_do(r->snapshot.db, SQL_BEGIN_READ);
    if (err == ERR_OK)
        *out = &r->snapshot;
    else
        give_back(r);
    return err;
}

void
pool_end(struct snapshot *s)
{
    if (s == NULL)
        return;
    if (db_in_transaction(s->db))
        db_do(s->db, SQL_COMMIT);
    give_back((struct reader *)(void *)s);
}
