/* size.c - see store/size.h. */
#include "store/pg/engine.h"

#include "store/pg/db.h"

/* The write-ahead log belongs to the server and all its databases, so it is not counted. */
enum err
pg_size_get(struct db *db, struct size *size)
{
    struct pg_stmt *s = pg_use(db, PG_SIZE);
    bool row;
    enum err err = pg_step(s, &row);

    *size = (struct size){0};
    if (row)
        *size = (struct size){.schema = pg_int(s, 0), .database_bytes = pg_int(s, 1)};
    pg_done(s);
    return err;
}
