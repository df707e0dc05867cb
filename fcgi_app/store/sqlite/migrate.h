/*
 * migrate.h - brings the database to the schema that this binary knows.
 *
 * The scripts of schema/ are compiled in; `PRAGMA user_version` holds the number of the last one
 * applied.
 */
#ifndef IMD_STORE_SQLITE_MIGRATE_H
#define IMD_STORE_SQLITE_MIGRATE_H

#include "base/err.h"
#include "store/sqlite/db.h"

struct migration {
    const char *name;   /* the file's name */
    const char *script; /* its text */
};

/* In order; made from schema/ by the Makefile. Number 1 is the first. */
extern const struct migration migrations[];
extern const int migration_count;

/*
 * Applies what is missing, each script in a transaction of its own. A database that a newer binary
 * has migrated is left alone: it says whether this one may use it (instance.needs), else
 * ERR_STORAGE. Opens transactions itself. What happens is logged.
 */
enum err migrate(struct db *db);

#endif
