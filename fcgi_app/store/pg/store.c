/* store.c - see store/store.h. PostgreSQL's part: its writer and its readers. */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "store/pg/connections.h"
#include "store/pg/db.h"
#include "store/pg/engine.h"
#include "store/pg/migrate.h"

enum err
pg_store_check(const char *uri, char *message, size_t size)
{
    bool network;

    if (pg_look_at(uri, &network))
        return ERR_OK;
    /* The message of libpq may contain a password. */
    snprintf(message, size, "store: libpq does not understand the URI; allowed is %s", pg_engine.form);
    return ERR_CONFIG;
}

bool
pg_store_uses_network(const char *uri)
{
    bool network;

    return pg_look_at(uri, &network) && network;
}

/* The server has the files. */
const char *
pg_store_file(const char *uri)
{
    (void)uri;
    return NULL;
}

/* Warns if the server may lose committed data. */
static enum err
check_durability(struct db *db)
{
    struct pg_stmt *s;
    bool row;
    enum err err = pg_begin(db, PG_BEGIN_READ);

    if (err != ERR_OK)
        return err;
    s = pg_use(db, PG_SYNCHRONOUS_COMMIT);
    err = pg_step(s, &row);
    if (row && str_is(pg_text(s, 0), "off"))
        log_event(
            LOG_WARNING, "commits_not_durable",
            "hint=\"synchronous_commit is off: a crash of the server loses messages that were answered\"");
    pg_done(s);
    pg_end_read(db);
    return err;
}

/* Each child opens its own connections later. */
enum err
pg_store_prepare(const char *uri)
{
    struct db *db = NULL;
    enum err err = pg_open(&db, uri, PG_SHARED);

    if (err == ERR_OK)
        err = pg_migrate(db);
    if (err == ERR_OK)
        err = check_durability(db);
    pg_close(db);
    if (err != ERR_OK)
        log_event(LOG_ERROR, "database_unusable", "engine=%s", pg_engine.name);
    return err;
}

enum err
pg_store_open(struct store *s, const char *uri, int readers, struct shared *shared)
{
    enum err err = pg_store_open_for_reading(s, uri, readers, shared);

    return err == ERR_OK ? pg_commit_open(&pg_connections(s)->commit, uri, shared) : err;
}

enum err
pg_store_open_for_reading(struct store *s, const char *uri, int readers, struct shared *shared)
{
    struct pg_connections *c = calloc(1, sizeof(*c));

    (void)shared;
    if (c == NULL)
        return ERR_MEMORY;
    c->face.engine = &pg_engine;
    s->connections = &c->face;
    return pg_pool_open(&c->pool, uri, readers);
}

void
pg_store_close(struct store *s)
{
    struct pg_connections *c = pg_connections(s);

    pg_pool_close(c->pool);
    pg_commit_close(c->commit);
    free(c);
}

enum err
pg_store_run(struct store *s, const struct command *command)
{
    return pg_commit_run(pg_connections(s)->commit, command, s->payer);
}

enum err
pg_snapshot_begin(struct store *s, struct snapshot **out)
{
    return pg_pool_begin(pg_connections(s)->pool, out);
}

void
pg_snapshot_end(struct snapshot *s)
{
    pg_pool_end(s);
}
