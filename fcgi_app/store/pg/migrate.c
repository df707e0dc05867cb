/* migrate.c - see migrate.h. Must not know what the scripts do. */
#include "store/pg/migrate.h"

#include "base/log.h"
#include "store/pg/db.h"

/* The versions that the database records. */
struct standing {
    int64_t version; /* number of the last script that was applied; 0: none */
    int64_t needs;   /* the oldest binary that may use the database knows this script */
};

/* Reads them. Needs a transaction. */
static enum err
look(struct db *db, struct standing *standing)
{
    struct pg_stmt *s = pg_use(db, PG_SCHEMA_EXISTS);
    bool row;
    enum err err = pg_step(s, &row);
    bool exists = row && pg_int(s, 0) != 0;

    pg_done(s);
    *standing = (struct standing){0};
    if (err != ERR_OK || !exists)
        return err;
    s = pg_use(db, PG_SCHEMA_GET);
    err = pg_step(s, &row);
    if (row)
        *standing = (struct standing){pg_int(s, 0), pg_int(s, 1)};
    pg_done(s);
    return err == ERR_OK && !row ? ERR_STORAGE : err;
}

/* Applies the script with this number, counted from 1. Needs a transaction. */
static enum err
apply(struct db *db, int64_t version)
{
    const struct pg_migration *m = &pg_migrations[version - 1];
    enum err err = pg_script(db, m->script);
    struct pg_stmt *s;

    if (err != ERR_OK)
        return err;
    log_event(LOG_INFO, "migrated", "script=%s", m->name);
    s = pg_use(db, PG_SCHEMA_SET);
    pg_bind_int(s, 1, version);
    return pg_queue(s);
}

/* Applies the next missing script. Holds a lock that other migrating processes wait for. */
static enum err
apply_next(struct db *db, struct standing *standing)
{
    enum err err = pg_begin(db, PG_BEGIN_WRITE);

    if (err == ERR_OK)
        err = pg_run(pg_use(db, PG_SCHEMA_LOCK));
    if (err == ERR_OK)
        err = look(db, standing);
    if (err == ERR_OK && standing->version < pg_migration_count)
        err = apply(db, ++standing->version);
    return pg_end_write(db, err);
}

/* A newer binary that migrates a database records the oldest binary that may still use it. */
static enum err
check_newer(const struct standing *standing)
{
    bool may_use = standing->needs <= pg_migration_count;

    if (may_use)
        log_event(LOG_INFO, "database_newer", "database_version=%lld known_version=%d",
                  (long long)standing->version, pg_migration_count);
    else
        log_event(
            LOG_ERROR, "database_too_new",
            "database_version=%lld known_version=%d hint=\"this imd is older than the database; install "
            "the newer imd again\"",
            (long long)standing->version, pg_migration_count);
    return may_use ? ERR_OK : ERR_STORAGE;
}

enum err
pg_migrate(struct db *db)
{
    struct standing standing = {0};
    enum err err = pg_begin(db, PG_BEGIN_READ);

    if (err == ERR_OK)
        err = look(db, &standing);
    pg_end_read(db);
    while (err == ERR_OK && standing.version < pg_migration_count)
        err = apply_next(db, &standing);
    return err == ERR_OK && standing.version > pg_migration_count ? check_newer(&standing) : err;
}
