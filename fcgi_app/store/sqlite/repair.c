/*
 * repair.c - see store/repair.h.
 *
 * All times in a database are ticks of one clock, which never goes back, so their order is the
 * order of events. A temporary table maps each tick that lies in the future to its new value: the
 * larger of two numbers. One is the tick minus the clock's error. The other is the latest right
 * tick of the whole database plus the rank of the tick. Both rise with the tick, so the new values
 * do too, and all of them are later than every right tick.
 */
#include "store/sqlite/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "store/sqlite/outbox.h"
#include "store/sqlite/db.h"
#include "store/sqlite/exclusive.h"
#include "store/sqlite/instance.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/witness.h"

/* Messages of one statement. Progress is shown after each. */
#define MESSAGES_AT_ONCE 20000

struct opened {
    struct repair face; /* first */
    struct db *db;
    const char *path;
};

static struct opened *
of(struct repair *r)
{
    return (struct opened *)(void *)r;
}

static const char *
open_database(struct opened *r)
{
    int64_t version = 0;

    if (!exclusive_take(r->path, false))
        return errno == EWOULDBLOCK ? "imd runs on this database: stop it first" : strerror(errno);
    db_setup();
    if (db_open(&r->db, r->path, DB_WRITE) != ERR_OK || db_user_version(r->db, &version) != ERR_OK)
        return "the database cannot be opened; the line above says why";
    if (version != migration_count)
        return "the database is of another version of imd: start this one once, and stop it again";
    return NULL;
}

static void
close_database(struct opened *r)
{
    db_close(r->db);
    free(r);
}

const char *
sqlite_repair_open(struct repair **out, const char *uri)
{
    struct opened *r = calloc(1, sizeof(*r));
    const char *why;

    if (r == NULL)
        return "there is no memory";
    r->face.engine = &sqlite_engine;
    r->path = engine_rest(uri);
    why = open_database(r);
    if (why == NULL)
        *out = &r->face;
    else
        close_database(r);
    return why;
}

void
sqlite_repair_close(struct repair *r)
{
    close_database(of(r));
}

static enum err
begin_map(struct db *db, int64_t now_ms)
{
    struct stmt *s;
    enum err err = db_do(db, SQL_BEGIN_WRITE);

    if (err == ERR_OK)
        err = db_do(db, SQL_REPAIR_TABLE);
    if (err == ERR_OK)
        err = db_do(db, SQL_REPAIR_FORGET);
    if (err != ERR_OK)
        return err;
    s = db_use(db, SQL_REPAIR_COLLECT);
    db_bind_int(s, 1, now_ms);
    return db_run(s);
}

static enum err
read_view(struct db *db, int64_t now_ms, struct repair_view *view)
{
    struct stmt *s = db_use(db, SQL_REPAIR_LOOK);
    bool row;
    enum err err;

    db_bind_int(s, 1, now_ms);
    err = db_step(s, &row);
    if (row)
        *view = (struct repair_view){db_int(s, 0), db_int(s, 1), db_int(s, 2), db_int(s, 3)};
    db_done(s);
    return err;
}

enum err
sqlite_repair_look(struct repair *r, int64_t now_ms, struct repair_view *view)
{
    struct db *db = of(r)->db;
    enum err err = begin_map(db, now_ms);

    *view = (struct repair_view){0};
    if (err == ERR_OK)
        err = read_view(db, now_ms, view);
    if (db_in_transaction(db))
        db_do(db, SQL_ROLLBACK);
    return err;
}

/* Replaces the times in the rows of one statement. The statement's first parameter is now. */
static enum err
move_rows(struct db *db, enum sql sql, int64_t now_ms)
{
    struct stmt *s = db_use(db, sql);

    db_bind_int(s, 1, now_ms);
    return db_run(s);
}

static enum err
move_messages(struct db *db, int64_t now_ms, int64_t last_id, void (*progress)(void *arg, int64_t message_id),
              void *arg)
{
    enum err err = ERR_OK;

    for (int64_t id = 0; err == ERR_OK && id < last_id; id += MESSAGES_AT_ONCE) {
        struct stmt *s = db_use(db, SQL_REPAIR_MESSAGES);

        db_bind_int(s, 1, now_ms);
        db_bind_int(s, 2, id);
        db_bind_int(s, 3, id + MESSAGES_AT_ONCE);
        err = db_run(s);
        progress(arg, id + MESSAGES_AT_ONCE < last_id ? id + MESSAGES_AT_ONCE : last_id);
    }
    return err;
}

static enum err
move_all(struct db *db, int64_t now_ms, void (*progress)(void *arg, int64_t message_id), void *arg)
{
    static const enum sql others[] = {SQL_REPAIR_ACCOUNTS, SQL_REPAIR_CONVERSATIONS, SQL_REPAIR_MEMBERSHIPS,
                                      SQL_REPAIR_MARKERS, SQL_REPAIR_INSTANCE};
    struct repair_view view = {0};
    enum err err = read_view(db, now_ms, &view);

    if (err == ERR_OK)
        err = move_rows(db, SQL_REPAIR_MAP, now_ms);
    if (err == ERR_OK)
        err = move_messages(db, now_ms, view.message_id, progress, arg);
    for (size_t i = 0; err == ERR_OK && i < sizeof(others) / sizeof(others[0]); i++)
        err = move_rows(db, others[i], now_ms);
    return err;
}

enum err
sqlite_repair_clock(struct repair *r, int64_t now_ms, void (*progress)(void *arg, int64_t message_id),
                    void *arg)
{
    struct db *db = of(r)->db;
    char epoch[EPOCH_BYTES];
    int64_t noted = 0;
    enum err err = begin_map(db, now_ms);

    if (err == ERR_OK)
        err = move_all(db, now_ms, progress, arg);
    if (err == ERR_OK)
        err = instance_renew_epoch(db, epoch);
    if (err == ERR_OK)
        err = outbox_trim(db, INT64_MAX);
    err = db_end_write(db, err);
    if (err == ERR_OK)
        witness_note(db, of(r)->path, &noted);
    return err;
}
