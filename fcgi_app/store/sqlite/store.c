/* store.c - see store/store.h: SQLite's writer and readers behind it. */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/exclusive.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/witness.h"

/* The schema's version from which on a database has a witness beside it. */
#define FIRST_WITH_WITNESS 2

static enum err
lock_database(const char *path)
{
    if (exclusive_take(path, true))
        return ERR_OK;
    log_event(LOG_ERROR, errno == EWOULDBLOCK ? "database_in_use" : "database_unusable",
              "database=%s reason=\"%s\"", path, strerror(errno));
    return ERR_STORAGE;
}

/* Each child opens the database for itself later. */
enum err
store_prepare(const char *path)
{
    struct db *db = NULL;
    int64_t version = 0;
    enum err err;

    err = lock_database(path);
    if (err != ERR_OK)
        return err;
    db_setup();
    err = db_open(&db, path, DB_MIGRATE);
    if (err == ERR_OK)
        err = db_user_version(db, &version);
    if (err == ERR_OK)
        err = migrate(db);
    if (err == ERR_OK)
        err = witness_check(db, path, version < FIRST_WITH_WITNESS);
    db_close(db);
    if (err != ERR_OK)
        log_event(LOG_ERROR, "database_unusable", "database=%s", path);
    return err;
}

enum err
store_open(struct store *s, const char *path, int readers, struct shared *shared)
{
    enum err err = store_open_for_reading(s, path, readers, shared);

    return err == ERR_OK ? commit_open(&s->engine->commit, path, shared) : err;
}

enum err
store_open_for_reading(struct store *s, const char *path, int readers, struct shared *shared)
{
    s->engine = calloc(1, sizeof(*s->engine));
    return s->engine == NULL ? ERR_MEMORY : pool_open(&s->engine->pool, path, readers, shared);
}

void
store_close(struct store *s)
{
    if (s->engine != NULL) {
        pool_close(s->engine->pool);
        commit_close(s->engine->commit);
        free(s->engine);
    }
    *s = (struct store){0};
}

enum err
store_run(struct store *s, const struct command *command)
{
    return commit_run(s->engine->commit, command, s->payer);
}

enum err
snapshot_begin(struct store *s, struct snapshot **out)
{
    return pool_begin(s->engine->pool, out);
}

void
snapshot_end(struct snapshot *s)
{
    pool_end(s);
}
