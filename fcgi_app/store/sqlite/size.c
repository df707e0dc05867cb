/* size.c - see store/size.h. */
#include "store/sqlite/engine.h"

#include <stdio.h>
#include <sys/stat.h>
#include "store/sqlite/db.h"

/* Returns the bytes of a file; 0 if it does not exist. */
static int64_t
file_bytes(const char *path, const char *suffix)
{
    char name[4096];
    struct stat status;
    int n = snprintf(name, sizeof(name), "%s%s", path, suffix);

    return n > 0 && (size_t)n < sizeof(name) && stat(name, &status) == 0 ? status.st_size : 0;
}

enum err
sqlite_size_get(struct db *db, struct size *size)
{
    *size = (struct size){
        .database_bytes = file_bytes(db_path(db), ""),
        .log_bytes = file_bytes(db_path(db), "-wal"),
    };
    return db_user_version(db, &size->schema);
}
