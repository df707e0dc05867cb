/* pool.c - see pool.h. Must not know what is read. */
#include "store/pg/db.h"
#include "store/pg/pool.h"

#include <pthread.h>
#include <stdlib.h>

/* A connection, and the snapshot that it is lent for. */
struct reader {
    struct snapshot snapshot; /* first, so that pg_pool_end() finds the reader by it */
    struct pg_pool *pool;
};

struct pg_pool {
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    int size;             /* connections made */
    int idle_count;       /* how many of them are in idle[], the one used last at the end */
    struct reader **idle; /* they follow all[] */
    struct reader all[];
};

enum err
pg_pool_open(struct pg_pool **out, const char *uri, int count)
{
    size_t each = sizeof(struct reader) + sizeof(struct reader *);
    struct pg_pool *p = calloc(1, sizeof(*p) + (size_t)count * each);
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
        err = pg_open(&p->all[p->size].snapshot.db, uri, PG_SHARED);
        if (err != ERR_OK)
            break;
        p->size++;
    }
    p->idle_count = p->size;
    if (err != ERR_OK)
        pg_pool_close(p);
    else
        *out = p;
    return err;
}

void
pg_pool_close(struct pg_pool *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < p->size; i++)
        pg_close(p->all[i].snapshot.db);
    pthread_cond_destroy(&p->returned);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

static void
give_back(struct reader *r)
{
    struct pg_pool *p = r->pool;

    pthread_mutex_lock(&p->mutex);
    p->idle[p->idle_count++] = r;
    pthread_mutex_unlock(&p->mutex);
    pthread_cond_signal(&p->returned);
}

enum err
pg_pool_begin(struct pg_pool *p, struct snapshot **out)
{
    struct reader *r;
    enum err err;

    pthread_mutex_lock(&p->mutex);
    while (p->idle_count == 0)
        pthread_cond_wait(&p->returned, &p->mutex);
    r = p->idle[--p->idle_count];
    pthread_mutex_unlock(&p->mutex);
    err = pg_begin(r->snapshot.db, PG_BEGIN_READ);
    if (err == ERR_OK)
        *out = &r->snapshot;
    else
        give_back(r);
    return err;
}

void
pg_pool_end(struct snapshot *s)
{
    pg_end_read(s->db);
    give_back((struct reader *)(void *)s);
}
