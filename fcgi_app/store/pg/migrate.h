/*
 * migrate.h - brings a database to the newest schema. A new database is migrated from the first
 * script on, like any other.
 *
 * The scripts are schema/postgresql/NNNN_what.sql, embedded in the binary. Each is applied in a
 * separate transaction, under a lock that lets one process migrate at a time. The row of instance
 * records the number of the last one.
 */
#ifndef IMD_STORE_PG_MIGRATE_H
#define IMD_STORE_PG_MIGRATE_H

#include "base/err.h"

struct db;

/* A script of schema/postgresql/, embedded by the Makefile. */
struct pg_migration {
    const char *name;
    const char *script;
};
extern const struct pg_migration pg_migrations[];
extern const int pg_migration_count;

/*
 * Applies each missing script. ERR_STORAGE: a script failed and was rolled back, or a newer binary
 * has migrated the database to a schema that this one does not know.
 */
enum err pg_migrate(struct db *db);

#endif
