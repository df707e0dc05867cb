/*
 * repair.c - see store/repair.h.
 *
 * All times in a database are ticks of one clock, which never goes back, so their order is the
 * order of events. A temporary table maps each tick that lies in the future to its new value: the
 * larger of two numbers. One is the tick minus the clock's error. The other is the latest right
 * tick of the whole database plus the rank of the tick. Both rise with the tick, so the new values
 * do too, and all of them are later than every right tick.
 */
#include "store/pg/engine.h"

#include <stdlib.h>
#include "store/pg/db.h"
#include "store/pg/migrate.h"
#include "store/pg/outbox.h"

/* Messages of one statement. Progress is shown after each. */
#define MESSAGES_AT_ONCE 20000

struct opened {
    struct repair face; /* first */
    struct db *db;
};

static struct opened *
of(struct repair *r)
{
    return (struct opened *)(void *)r;
}

/* Reads the version of the schema. Its connection takes the exclusive lock. */
static enum err
read_version(struct db *db, int64_t *version)
{
    struct pg_stmt *s;
    bool row;
    enum err err = pg_begin(db, PG_BEGIN_READ);

    if (err != ERR_OK)
        return err;
    s = pg_use(db, PG_SCHEMA_GET);
    err = pg_step(s, &row);
    *version = row ? pg_int(s, 0) : 0;
    pg_done(s);
    pg_end_read(db);
    return err;
}

static const char *
open_database(struct opened *r, const char *uri)
{
    int64_t version = 0;

    if (pg_open(&r->db, uri, PG_EXCLUSIVE) != ERR_OK || read_version(r->db, &version) != ERR_OK)
        return "the database cannot be used alone; the line above says why. Is imd stopped on all hosts?";
    if (version != pg_migration_count)
        return "the database is of another version of imd: start this one once, and stop it again";
    return NULL;
}

static void
close_database(struct opened *r)
{
    pg_close(r->db);
    free(r);
}

const char *
pg_repair_open(struct repair **out, const char *uri)
{
    struct opened *r = calloc(1, sizeof(*r));
    const char *why;

    if (r == NULL)
        return "there is no memory";
    r->face.engine = &pg_engine;
    why = open_database(r, uri);
    if (why == NULL)
        *out = &r->face;
    else
        close_database(r);
    return why;
}

void
pg_repair_close(struct repair *r)
{
    close_database(of(r));
}

static enum err
begin_map(struct db *db, int64_t now_ms)
{
    struct pg_stmt *s;
    enum err err = pg_begin(db, PG_BEGIN_WRITE);

    if (err == ERR_OK)
        err = pg_run(pg_use(db, PG_REPAIR_TABLE));
    if (err != ERR_OK)
        return err;
    s = pg_use(db, PG_REPAIR_COLLECT);
    pg_bind_int(s, 1, now_ms);
    return pg_run(s);
}

static enum err
read_view(struct db *db, int64_t now_ms, struct repair_view *view)
{
    struct pg_stmt *s = pg_use(db, PG_REPAIR_LOOK);
    bool row;
    enum err err;

    pg_bind_int(s, 1, now_ms);
    err = pg_step(s, &row);
    if (row)
        *view = (struct repair_view){pg_int(s, 0), pg_int(s, 1), pg_int(s, 2), pg_int(s, 3)};
    pg_done(s);
    return err;
}

enum err
pg_repair_look(struct repair *r, int64_t now_ms, struct repair_view *view)
{
    struct db *db = of(r)->db;
    enum err err = begin_map(db, now_ms);

    *view = (struct repair_view){0};
    if (err == ERR_OK)
        err = read_view(db, now_ms, view);
    /* The end of the transaction drops the temporary table. */
    pg_end_read(db);
    return err;
}

/* Replaces the times in the rows of one statement. The statement's first parameter is now. */
static enum err
move_rows(struct db *db, enum pg_sql sql, int64_t now_ms)
{
    struct pg_stmt *s = pg_use(db, sql);

    pg_bind_int(s, 1, now_ms);
    return pg_run(s);
}

static enum err
move_messages(struct db *db, int64_t now_ms, int64_t last_id, void (*progress)(void *arg, int64_t message_id),
              void *arg)
{
    enum err err = ERR_OK;

    for (int64_t id = 0; err == ERR_OK && id < last_id; id += MESSAGES_AT_ONCE) {
        struct pg_stmt *s = pg_use(db, PG_REPAIR_MESSAGES);

        pg_bind_int(s, 1, now_ms);
        pg_bind_int(s, 2, id);
        pg_bind_int(s, 3, id + MESSAGES_AT_ONCE);
        err = pg_run(s);
        progress(arg, id + MESSAGES_AT_ONCE < last_id ? id + MESSAGES_AT_ONCE : last_id);
    }
    return err;
}

static enum err
move_all(struct db *db, int64_t now_ms, void (*progress)(void *arg, int64_t message_id), void *arg)
{
    static const enum pg_sql others[] = {PG_REPAIR_ACCOUNTS, PG_REPAIR_CONVERSATIONS, PG_REPAIR_MEMBERSHIPS,
                                         PG_REPAIR_MARKERS, PG_REPAIR_INSTANCE};
    struct repair_view view = {0};
    enum err err = read_view(db, now_ms, &view);

    if (err == ERR_OK)
        err = move_rows(db, PG_REPAIR_MAP, now_ms);
    if (err == ERR_OK)
        err = move_messages(db, now_ms, view.message_id, progress, arg);
    for (size_t i = 0; err == ERR_OK && i < sizeof(others) / sizeof(others[0]); i++)
        err = move_rows(db, others[i], now_ms);
    return err;
}

enum err
pg_repair_clock(struct repair *r, int64_t now_ms, void (*progress)(void *arg, int64_t message_id), void *arg)
{
    struct db *db = of(r)->db;
    enum err err = begin_map(db, now_ms);

    if (err == ERR_OK)
        err = move_all(db, now_ms, progress, arg);
    if (err == ERR_OK)
        err = pg_run(pg_use(db, PG_INSTANCE_RENEW_EPOCH));
    if (err == ERR_OK)
        err = pg_outbox_trim(db, INT64_MAX);
    return pg_end_write(db, err);
}
