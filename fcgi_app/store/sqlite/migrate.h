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

/* In order of their numbers, from 1 on. The Makefile generates them from schema/. */
extern const struct migration migrations[];
extern const int migration_count;

/*
 * Applies the missing scripts, each in a transaction of its own, and logs each. If a newer binary
 * has migrated the database, changes nothing. Then returns ERR_STORAGE, unless instance.needs
 * permits this binary. Opens transactions itself.
 */
enum err migrate(struct db *db);

#endif
