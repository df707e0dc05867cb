/* migrate.c - see migrate.h. Must not know what the scripts do. */
#include "store/sqlite/migrate.h"

#include <stdio.h>
#include "base/log.h"

/*
 * Applies one script. Reads the version again under the lock, because another master may have
 * applied it already.
 */
static enum err
apply_next(struct db *db, int64_t *version)
{
    char pragma[64];
    enum err err = db_do(db, SQL_BEGIN_WRITE);

    if (err != ERR_OK)
        return err;
    err = db_user_version(db, version);
    if (err == ERR_OK && *version < migration_count) {
        const struct migration *m = &migrations[*version];

        snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", (int)*version + 1);
        err = db_script(db, m->script);
        if (err == ERR_OK)
            err = db_script(db, pragma);
        if (err == ERR_OK)
            log_event(LOG_INFO, "migrated", "script=%s", m->name);
        *version += 1;
    }
    return db_end_write(db, err);
}

/* A newer binary that migrates a database records the oldest binary that may still use it. */
static enum err
check_newer(struct db *db, int64_t version)
{
    struct stmt *s = db_use(db, SQL_INSTANCE_NEEDS);
    int64_t needs = version;
    bool row;
    enum err err = db_step(s, &row);

    if (row)
        needs = db_int(s, 0);
    db_done(s);
    if (err == ERR_OK && needs <= migration_count) {
        log_event(LOG_INFO, "database_newer", "database_version=%lld known_version=%d", (long long)version,
                  migration_count);
        return ERR_OK;
    }
    log_event(LOG_ERROR, "database_too_new",
              "database_version=%lld known_version=%d hint=\"this imd is older than the database; install "
              "the newer imd again\"",
              (long long)version, migration_count);
    return ERR_STORAGE;
}

enum err
migrate(struct db *db)
{
    int64_t version = 0;
    enum err err = db_user_version(db, &version);

    while (err == ERR_OK && version < migration_count)
        err = apply_next(db, &version);
    return err == ERR_OK && version > migration_count ? check_newer(db, version) : err;
}
