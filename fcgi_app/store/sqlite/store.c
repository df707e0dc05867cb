/* store.c - see store/store.h. Opens SQLite's writer and readers. */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/connections.h"
#include "store/sqlite/exclusive.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/witness.h"

/* From this version of the schema on, a database has a witness file. */
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

/* Any path is allowed. */
enum err
sqlite_store_check(const char *uri, char *message, size_t size)
{
    (void)uri;
    (void)message;
    (void)size;
    return ERR_OK;
}

bool
sqlite_store_uses_network(const char *uri)
{
    (void)uri;
    return false;
}

const char *
sqlite_store_file(const char *uri)
{
    return engine_rest(uri);
}

/* Each child opens the database by itself later. */
enum err
sqlite_store_prepare(const char *uri)
{
    const char *path = engine_rest(uri);
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
sqlite_store_open(struct store *s, const char *uri, int readers, struct shared *shared)
{
    enum err err = sqlite_store_open_for_reading(s, uri, readers, shared);

    return err == ERR_OK ? commit_open(&sqlite_connections(s)->commit, engine_rest(uri), shared) : err;
}

enum err
sqlite_store_open_for_reading(struct store *s, const char *uri, int readers, struct shared *shared)
{
    struct sqlite_connections *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_MEMORY;
    c->face.engine = &sqlite_engine;
    s->connections = &c->face;
    return pool_open(&c->pool, engine_rest(uri), readers, shared);
}

void
sqlite_store_close(struct store *s)
{
    struct sqlite_connections *c = sqlite_connections(s);

    pool_close(c->pool);
    commit_close(c->commit);
    free(c);
}

enum err
sqlite_store_run(struct store *s, const struct command *command)
{
    return commit_run(sqlite_connections(s)->commit, command, s->payer);
}

enum err
sqlite_snapshot_begin(struct store *s, struct snapshot **out)
{
    return pool_begin(sqlite_connections(s)->pool, out);
}

void
sqlite_snapshot_end(struct snapshot *s)
{
    pool_end(s);
}
