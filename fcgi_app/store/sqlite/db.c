/*
 * db.c - see db.h. The only file that knows SQLite. Must not know what the tables mean.
 */
#include "store/sqlite/db.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/sqlite/engine.h"

/*
 * Our writers queue at our own lock. So SQLite's busy handler waits only for other programs (a
 * backup, the sqlite3 shell) and for the recovery after a process was killed.
 */
#define BUSY_MS_WRITE 200
#define BUSY_MS_READ  2000
/* At the start no request waits, and a migration of another program may take this long. */
#define BUSY_MS_MIGRATE 60000
#define CACHE_KB        1536

#define PARAMETERS_MAX 10

struct stmt {
    sqlite3_stmt *handle; /* NULL: not prepared yet */
    /* SQLite numbers "$2" by where it first occurs. This maps our number to SQLite's. */
    int parameter[PARAMETERS_MAX + 1];
    struct db *db;
    enum err err; /* of preparing or binding; the next step returns it */
};

struct connection {
    struct db face; /* first */
    sqlite3 *handle;
    struct stmt stmts[SQL_COUNT];
    void (*on_commit)(void *arg, int wal_pages);
    void *on_commit_arg;
    bool wipe; /* requested, and not taken yet */
    struct known_users known;
    struct known_name names[DB_KNOWN_NAMES];
    _Atomic uint64_t *shared_renames; /* NULL: unknown */
    uint64_t renames;                 /* of db_renames() */
    bool renamed;                     /* in the current transaction */
};

static struct connection *
of(struct db *db)
{
    return (struct connection *)(void *)db;
}

void
db_setup(void)
{
    /* No statistics, and so no lock, around each allocation. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    /* Keep a statement's undo journal in memory, whatever its size. */
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    sqlite3_initialize();
}

static enum err
fail(struct db *db, const char *what)
{
    log_event(LOG_ERROR, "storage_failed", "action=%s sqlite_code=%d sqlite_message=\"%s\"", what,
              sqlite3_extended_errcode(of(db)->handle), sqlite3_errmsg(of(db)->handle));
    return ERR_STORAGE;
}

static enum err
pragmas(struct db *db, enum db_role role)
{
    static const int busy_ms[] = {
        [DB_MIGRATE] = BUSY_MS_MIGRATE, [DB_WRITE] = BUSY_MS_WRITE, [DB_READ] = BUSY_MS_READ};
    char limits[96];
    enum err err;

    sqlite3_busy_timeout(of(db)->handle, busy_ms[role]);
    sqlite3_snprintf(sizeof(limits), limits, "PRAGMA cache_size = -%d; PRAGMA journal_size_limit = %d",
                     CACHE_KB, DB_LOG_BYTES_KEPT);
    err = db_script(db, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                        "PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON;");
    if (err == ERR_OK)
        err = db_script(db, limits);
    if (err == ERR_OK && role == DB_MIGRATE)
        err = db_script(db, "PRAGMA journal_mode = WAL");
    if (err == ERR_OK && role == DB_READ)
        err = db_script(db, "PRAGMA query_only = ON");
    return err;
}

enum err
db_open(struct db **out, const char *path, enum db_role role)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (role == DB_MIGRATE ? SQLITE_OPEN_CREATE : 0);
    struct connection *c = calloc(1, sizeof(*c));
    struct db *db = &c->face;
    enum err err;

    if (c == NULL)
        return ERR_MEMORY;
    db->engine = &sqlite_engine;
    for (int i = 0; i < SQL_COUNT; i++)
        of(db)->stmts[i].db = db;
    if (sqlite3_open_v2(path, &of(db)->handle, flags, NULL) != SQLITE_OK) {
        err = fail(db, "open");
        goto fail_open;
    }
    sqlite3_extended_result_codes(of(db)->handle, 1);
    err = pragmas(db, role);
    if (err != ERR_OK)
        goto fail_open;
    *out = db;
    return ERR_OK;
fail_open:
    db_close(db);
    return err;
}

void
db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(of(db)->stmts[i].handle);
    sqlite3_close(of(db)->handle);
    free(of(db));
}

static enum err
prepare(struct stmt *s, enum sql sql)
{
    char name[8];

    if (sqlite3_prepare_v3(of(s->db)->handle, sql_texts[sql], -1, SQLITE_PREPARE_PERSISTENT, &s->handle,
                           NULL) != SQLITE_OK)
        return fail(s->db, "prepare");
    for (int i = 1; i <= PARAMETERS_MAX; i++) {
        sqlite3_snprintf(sizeof(name), name, "$%d", i);
        s->parameter[i] = sqlite3_bind_parameter_index(s->handle, name);
    }
    return ERR_OK;
}

/*
 * Returns true if the statement begins or ends a transaction: afterwards the connection may see
 * another state.
 */
static bool
changes_state(enum sql sql)
{
    return sql <= SQL_ROLLBACK;
}

struct stmt *
db_use(struct db *db, enum sql sql)
{
    struct stmt *s = &of(db)->stmts[sql];

    if (changes_state(sql)) {
        of(db)->known = (struct known_users){0};
        /*
         * Read before the transaction begins, so that a rename committed meanwhile counts as a
         * later one.
         */
        of(db)->renames = of(db)->shared_renames == NULL ? 0 : atomic_load(of(db)->shared_renames) + 1;
    }
    s->err = s->handle != NULL ? ERR_OK : prepare(s, sql);
    return s;
}

static void
bound(struct stmt *s, int rc)
{
    if (rc != SQLITE_OK && s->err == ERR_OK)
        s->err = fail(s->db, "bind");
}

void
db_bind_int(struct stmt *s, int parameter, int64_t value)
{
    if (s->err == ERR_OK)
        bound(s, sqlite3_bind_int64(s->handle, s->parameter[parameter], value));
}

void
db_bind_int_or_null(struct stmt *s, int parameter, int64_t value)
{
    if (value != 0)
        db_bind_int(s, parameter, value);
    else
        db_bind_text(s, parameter, (struct str){0});
}

void
db_bind_text(struct stmt *s, int parameter, struct str value)
{
    if (s->err != ERR_OK)
        return;
    if (value.p == NULL)
        bound(s, sqlite3_bind_null(s->handle, s->parameter[parameter]));
    else
        bound(s, sqlite3_bind_text64(s->handle, s->parameter[parameter], value.p, value.n, SQLITE_STATIC,
                                     SQLITE_UTF8));
}

void
db_refuse(struct stmt *s, enum err err)
{
    if (s->err == ERR_OK)
        s->err = err;
}

enum err
db_step(struct stmt *s, bool *row)
{
    int rc;

    *row = false;
    if (s->err != ERR_OK)
        return s->err;
    rc = sqlite3_step(s->handle);
    if (rc == SQLITE_ROW) {
        *row = true;
        return ERR_OK;
    }
    if (rc == SQLITE_DONE)
        return ERR_OK;
    s->err = fail(s->db, sqlite3_sql(s->handle));
    return s->err;
}

bool
db_next(struct stmt *s, enum err *err)
{
    bool row;

    *err = db_step(s, &row);
    return row;
}

int64_t
db_int(struct stmt *s, int column)
{
    return sqlite3_column_int64(s->handle, column);
}

bool
db_is_null(struct stmt *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

struct str
db_text(struct stmt *s, int column)
{
    const char *p = (const char *)sqlite3_column_text(s->handle, column);

    return (struct str){p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(s->handle, column)};
}

void
db_done(struct stmt *s)
{
    /* Bindings remain: each use binds all parameters again before it steps. */
    if (s->handle != NULL)
        sqlite3_reset(s->handle);
}

enum err
db_run(struct stmt *s)
{
    bool row = true;
    enum err err = ERR_OK;

    while (err == ERR_OK && row)
        err = db_step(s, &row);
    db_done(s);
    return err;
}

enum err
db_do(struct db *db, enum sql sql)
{
    enum err err = db_run(db_use(db, sql));

    if (changes_state(sql) && of(db)->renamed) {
        atomic_fetch_add(of(db)->shared_renames, 1);
        of(db)->renamed = false;
    }
    return err;
}

enum err
db_end_write(struct db *db, enum err err)
{
    if (err == ERR_OK)
        err = db_do(db, SQL_COMMIT);
    if (err != ERR_OK && db_in_transaction(db))
        db_do(db, SQL_ROLLBACK);
    return err;
}

enum err
db_texts(struct stmt *s, struct arena *arena, struct str **texts, size_t *count)
{
    struct str *all = NULL;
    size_t n = 0;
    enum err err = ERR_OK;

    while (db_next(s, &err)) {
        all = arena_grow(arena, all, n, sizeof(*all));
        if (all == NULL || (all[n] = arena_copy(arena, db_text(s, 0))).p == NULL) {
            err = ERR_MEMORY;
            break;
        }
        n++;
    }
    db_done(s);
    *texts = all;
    *count = n;
    return err;
}

void
db_request_wipe(struct db *db)
{
    of(db)->wipe = true;
}

bool
db_take_wipe(struct db *db)
{
    bool wipe = of(db)->wipe;

    of(db)->wipe = false;
    return wipe;
}

int64_t
db_changes(struct db *db)
{
    return sqlite3_total_changes64(of(db)->handle);
}

int64_t
db_steps(struct db *db)
{
    int64_t steps = 0;

    for (int i = 0; i < SQL_COUNT; i++)
        if (of(db)->stmts[i].handle != NULL)
            steps += sqlite3_stmt_status(of(db)->stmts[i].handle, SQLITE_STMTSTATUS_VM_STEP, 1);
    return steps;
}

struct known_users *
db_known_users(struct db *db)
{
    if (!db_in_transaction(db))
        of(db)->known = (struct known_users){0};
    return &of(db)->known;
}

struct known_name *
db_known_name(struct db *db, int64_t number)
{
    return &of(db)->names[(uint64_t)number % DB_KNOWN_NAMES];
}

uint64_t
db_renames(struct db *db)
{
    return db_in_transaction(db) ? of(db)->renames : 0;
}

/*
 * SQLite calls this for each row that the connection writes. A new account's name must not be kept
 * either: if the transaction fails, another user gets the number.
 */
static void
note_account(void *arg, int action, const char *schema, const char *table, sqlite3_int64 row)
{
    struct db *db = arg;

    (void)schema;
    (void)row;
    if (strcmp(table, "account") != 0)
        return;
    of(db)->renames = 0;
    if (action == SQLITE_INSERT)
        return;
    of(db)->known = (struct known_users){0};
    of(db)->renamed = true;
}

void
db_follow_renames(struct db *db, _Atomic uint64_t *renames)
{
    of(db)->shared_renames = renames;
    sqlite3_update_hook(of(db)->handle, note_account, db);
}

bool
db_in_transaction(struct db *db)
{
    return sqlite3_get_autocommit(of(db)->handle) == 0;
}

static int
committed(void *arg, sqlite3 *handle, const char *name, int wal_pages)
{
    struct db *db = arg;

    (void)handle;
    (void)name;
    of(db)->on_commit(of(db)->on_commit_arg, wal_pages);
    return SQLITE_OK;
}

void
db_on_commit(struct db *db, void (*call)(void *arg, int wal_pages), void *arg)
{
    of(db)->on_commit = call;
    of(db)->on_commit_arg = arg;
    sqlite3_wal_hook(of(db)->handle, committed, db);
}

const char *
db_path(struct db *db)
{
    const char *path = sqlite3_db_filename(of(db)->handle, "main");

    return path == NULL ? "" : path;
}

enum err
db_user_version(struct db *db, int64_t *version)
{
    sqlite3_stmt *s = NULL;
    enum err err = ERR_OK;

    if (sqlite3_prepare_v2(of(db)->handle, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        *version = sqlite3_column_int64(s, 0);
    else
        err = fail(db, "user_version");
    sqlite3_finalize(s);
    return err;
}

enum err
db_script(struct db *db, const char *script)
{
    if (sqlite3_exec(of(db)->handle, script, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, "script");
    return ERR_OK;
}

enum err
db_checkpoint(struct db *db, enum db_checkpoint how, bool *done)
{
    static const int modes[] = {
        [DB_CHECKPOINT_COPY] = SQLITE_CHECKPOINT_PASSIVE,
        [DB_CHECKPOINT_RESTART] = SQLITE_CHECKPOINT_RESTART,
        [DB_CHECKPOINT_EMPTY] = SQLITE_CHECKPOINT_TRUNCATE,
    };
    int rc;

    sqlite3_busy_timeout(of(db)->handle, 0);
    rc = sqlite3_wal_checkpoint_v2(of(db)->handle, NULL, modes[how], NULL, NULL);
    sqlite3_busy_timeout(of(db)->handle, BUSY_MS_WRITE);
    *done = rc == SQLITE_OK;
    return *done || (rc & 0xff) == SQLITE_BUSY ? ERR_OK : fail(db, "checkpoint");
}
