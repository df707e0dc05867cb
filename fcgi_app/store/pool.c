/* pool.c - see pool.h. Must not know what is read. */
#include "store/pool.h"

#include <pthread.h>
#include <stdlib.h>

/* A snapshot of this thread's that its next pool_begin() goes on with. */
static _Thread_local struct db *kept;

struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    int size; /* connections opened */
    int idle; /* of them in dbs[0 … idle-1], the last one used last */
    struct db *dbs[];
};

enum err
pool_open(struct pool **out, const char *path, int count)
{
    struct pool *p = calloc(1, sizeof(*p) + (size_t)count * sizeof(struct db *));
    enum err err = ERR_OK;

    if (p == NULL)
        return ERR_MEMORY;
    if (pthread_mutex_init(&p->mutex, NULL) != 0 || pthread_cond_init(&p->returned, NULL) != 0) {
        free(p);
        return ERR_MEMORY;
    }
    while (err == ERR_OK && p->size < count) {
        err = db_open(&p->dbs[p->size], path, DB_READ);
        if (err == ERR_OK)
            p->size++;
    }
    p->idle = p->size;
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
        db_close(p->dbs[i]);
    pthread_cond_destroy(&p->returned);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

static void
give_back(struct pool *p, struct db *db)
{
    pthread_mutex_lock(&p->mutex);
    p->dbs[p->idle++] = db;
    pthread_mutex_unlock(&p->mutex);
    pthread_cond_signal(&p->returned);
}

enum err
pool_begin(struct pool *p, struct db **db)
{
    enum err err;

    if (kept != NULL) {
        *db = kept;
        kept = NULL;
        return ERR_OK;
    }
    pthread_mutex_lock(&p->mutex);
    while (p->idle == 0)
        pthread_cond_wait(&p->returned, &p->mutex);
    *db = p->dbs[--p->idle];
    pthread_mutex_unlock(&p->mutex);
    err = db_do(*db, SQL_BEGIN_READ);
    if (err != ERR_OK)
        give_back(p, *db);
    return err;
}

void
pool_end(struct pool *p, struct db *db)
{
    if (db_in_transaction(db))
        db_do(db, SQL_COMMIT);
    give_back(p, db);
}

void
pool_keep(struct db *db)
{
    kept = db;
}

void
pool_drop_kept(struct pool *p)
{
    struct db *db = kept;

    kept = NULL;
    if (db != NULL)
        pool_end(p, db);
}
