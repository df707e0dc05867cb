/*
 * db.c - see db.h. The only file that knows libpq. Must not know what the tables mean.
 */
#include "store/pg/db.h"

#include <endian.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/pg/engine.h"

#define PARAMETERS_MAX 12
/* How long to wait for the server's answer. */
#define ANSWER_MS 30000
/* The pause after a failed attempt to connect. It doubles with each further failure. */
#define RECONNECT_MS     100
#define RECONNECT_MS_MAX 1000
/*
 * How many statements are sent before their answers are read. These fit into the socket's buffers,
 * so the server never waits for this process while this process waits for the server.
 */
#define QUEUED_MAX 256
/* How many statements pg_ask() may send before the first of them is stepped. */
#define ASKED_MAX 4

/* Object identifiers of types, which never change. */
#define OID_BIGINT 20
#define OID_TEXT   25

struct pg_stmt {
    struct db *db;
    enum pg_sql sql;
    bool prepared;    /* on the current connection */
    int64_t command;  /* its number, once sent; 0: not sent */
    PGresult *result; /* the rows; NULL: not sent, or there is no result */
    int row;          /* the current row; -1: before the first */
    int count;        /* the number of parameters */
    const char *values[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX];
    int64_t ints[PARAMETERS_MAX]; /* big-endian */
    struct buf arrays[PARAMETERS_MAX];
};

struct connection {
    struct db face; /* first */
    const char *uri;
    enum pg_use_of use_of;
    PGconn *conn; /* NULL: not connected */
    bool failed;  /* the current transaction has failed, so nothing else of it is sent */
    bool in_transaction;
    int64_t sessions; /* how many were made so far */
    int64_t queued;   /* commands sent, on this connection */
    int64_t answered; /* those of them whose answers were read */
    int64_t writes;
    struct pg_stmt *asked[ASKED_MAX]; /* statements whose results are wanted, in order … */
    int asked_count;                  /* … so many */
    struct pg_ahead *ahead;
    enum err (*flush)(struct db *db); /* NULL: nothing is held back */
    bool flushing;
    int failures;       /* how many attempts to connect have failed in a row */
    int64_t connect_ms; /* when to connect again, at the earliest (clock_mono_ms) */
    struct pg_stmt stmts[PG_SQL_COUNT];
};

static struct connection *
of(struct db *db)
{
    return (struct connection *)(void *)db;
}

/* The format of statements and answers. */
#define BINARY 1

static const int binary[PARAMETERS_MAX] = {BINARY, BINARY, BINARY, BINARY, BINARY, BINARY,
                                           BINARY, BINARY, BINARY, BINARY, BINARY, BINARY};

/* --- connecting */

/*
 * Returns whether one of the hosts, separated by commas, is a name or an address. A directory, an
 * abstract name and an absent host mean a unix socket.
 */
static bool
has_host(const char *hosts)
{
    for (const char *host = hosts; host != NULL; host = strchr(host, ',')) {
        host += *host == ',' ? 1 : 0;
        if (*host != '\0' && *host != ',' && *host != '/' && *host != '@')
            return true;
    }
    return false;
}

/* Returns whether the option, or its environment variable, may name another machine. */
static bool
leads_away(const PQconninfoOption *option)
{
    const char *value = option->val;

    if (value == NULL && option->envvar != NULL)
        value = getenv(option->envvar);
    if (value == NULL || value[0] == '\0')
        return false;
    if (strcmp(option->keyword, "host") == 0)
        return has_host(value);
    return strcmp(option->keyword, "hostaddr") == 0 || strcmp(option->keyword, "service") == 0;
}

bool
pg_look_at(const char *uri, bool *network)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(uri, &message);

    *network = false;
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        *network = *network || leads_away(o);
    PQconninfoFree(options);
    PQfreemem(message);
    return options != NULL;
}

enum err
pg_open(struct db **out, const char *uri, enum pg_use_of use_of)
{
    struct connection *c;
    bool network;

    if (!pg_look_at(uri, &network))
        return ERR_CONFIG;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_MEMORY;
    c->face.engine = &pg_engine;
    c->uri = uri;
    c->use_of = use_of;
    for (int i = 0; i < PG_SQL_COUNT; i++) {
        c->stmts[i].db = &c->face;
        c->stmts[i].sql = (enum pg_sql)i;
    }
    *out = &c->face;
    return ERR_OK;
}

static void
disconnect(struct connection *c)
{
    for (int i = 0; i < PG_SQL_COUNT; i++)
        c->stmts[i].prepared = false;
    PQfinish(c->conn);
    c->conn = NULL;
    c->in_transaction = false;
}

void
pg_close(struct db *db)
{
    struct connection *c = of(db);

    if (db == NULL)
        return;
    disconnect(c);
    for (int i = 0; i < PG_SQL_COUNT; i++)
        for (int k = 0; k < PARAMETERS_MAX; k++)
            buf_clear(&c->stmts[i].arrays[k]);
    free(c);
}

/*
 * Logs the failure, and gives the transaction up. Messages of libpq and the server may have several
 * lines. The later ones can contain values, so only the first is logged.
 */
static enum err
fail(struct connection *c, const char *action, const PGresult *result)
{
    const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *why = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (why == NULL)
        why = result == NULL ? PQerrorMessage(c->conn) : PQresultErrorMessage(result);
    if (!c->failed)
        log_event(LOG_ERROR, "storage_failed", "action=%s sqlstate=%s message=\"%.*s\"", action,
                  state == NULL ? "" : state, (int)strcspn(why, "\n"), why);
    c->failed = true;
    return ERR_STORAGE;
}

/*
 * Defaults for what the URI leaves open. Of several hosts, this connects to the one that takes
 * writes. A connection whose other end is gone is given up after about three seconds; the session's
 * settings make the server do the same.
 */
static PGconn *
connect_to(const char *uri)
{
    static const char *const keywords[] = {"connect_timeout",  "target_session_attrs",
                                           "keepalives_idle",  "keepalives_interval",
                                           "keepalives_count", "tcp_user_timeout",
                                           "client_encoding",  "fallback_application_name",
                                           "dbname",           NULL};
    const char *const values[] = {"3", "read-write", "1", "1", "2", "3000", "UTF8", "imd", uri, NULL};

    return PQconnectdbParams(keywords, values, 1);
}

/*
 * Waits for the lock that all sessions hold, because a session that has just ended may hold it
 * still.
 */
static enum err
wait_for_lock(struct connection *c)
{
    PGresult *result = PQexec(c->conn, pg_session_lock[c->use_of]);
    bool locked = PQresultStatus(result) == PGRES_TUPLES_OK;

    if (!locked)
        log_event(LOG_ERROR, "storage_failed", "action=configure message=\"%s\"",
                  c->use_of == PG_SHARED ? "imctl uses the database alone" : "imd uses the database");
    PQclear(result);
    return locked ? ERR_OK : ERR_STORAGE;
}

static enum err
configure(struct connection *c)
{
    PGresult *result = PQexec(c->conn, pg_session[c->use_of]);
    enum err err = PQresultStatus(result) == PGRES_TUPLES_OK ? ERR_OK : fail(c, "configure", result);
    bool locked = err == ERR_OK && PQgetvalue(result, 0, 0)[0] == 't';

    PQclear(result);
    if (err == ERR_OK && !locked)
        err = wait_for_lock(c);
    if (err == ERR_OK && (PQsetnonblocking(c->conn, 1) != 0 || PQenterPipelineMode(c->conn) != 1))
        err = fail(c, "configure", NULL);
    return err;
}

/* Ignores the server's notices, which libpq would print. */
static void
ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static enum err
connect_again(struct connection *c)
{
    int64_t pause_ms = RECONNECT_MS;
    enum err err = ERR_OK;

    if (clock_mono_ms() < c->connect_ms)
        return ERR_STORAGE;
    disconnect(c);
    c->failed = false;
    c->conn = connect_to(c->uri);
    c->sessions++;
    c->queued = 0;
    c->answered = 0;
    c->asked_count = 0;
    PQsetNoticeProcessor(c->conn, ignore_notice, NULL);
    if (PQstatus(c->conn) != CONNECTION_OK)
        err = fail(c, "connect", NULL);
    else
        err = configure(c);
    if (err == ERR_OK) {
        c->failures = 0;
        return ERR_OK;
    }
    disconnect(c);
    for (int i = 0; i < c->failures && pause_ms < RECONNECT_MS_MAX; i++)
        pause_ms *= 2;
    c->failures++;
    c->connect_ms = clock_mono_ms() + (pause_ms < RECONNECT_MS_MAX ? pause_ms : RECONNECT_MS_MAX);
    return err;
}

/* --- the pipeline */

/* Sends the queued data, and returns when PQgetResult() would not wait. */
static enum err
wait_for_answer(struct connection *c)
{
    int64_t deadline_ms = clock_mono_ms() + ANSWER_MS;

    for (;;) {
        struct pollfd fd = {.fd = PQsocket(c->conn), .events = POLLIN};
        int unsent = PQflush(c->conn);
        int64_t left_ms = deadline_ms - clock_mono_ms();

        if (unsent < 0)
            return fail(c, "send", NULL);
        if (!PQisBusy(c->conn))
            return ERR_OK;
        if (unsent > 0)
            fd.events |= POLLOUT;
        if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) == 0) {
            log_event(LOG_ERROR, "storage_failed", "action=receive message=\"no answer for %d ms\"",
                      ANSWER_MS);
            c->failed = true;
            return ERR_STORAGE;
        }
        if ((fd.revents & ~POLLOUT) != 0 && PQconsumeInput(c->conn) != 1)
            return fail(c, "receive", NULL);
    }
}

/* Takes one result of the current command, and keeps it if a statement was asked for it. */
static enum err
take_result(struct connection *c, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    struct pg_stmt *asked = c->asked_count > 0 ? c->asked[0] : NULL;
    enum err err = ERR_OK;

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_SYNC)
        err = fail(c, "run", result);
    if (err == ERR_OK && status != PGRES_PIPELINE_SYNC && asked != NULL &&
        asked->command == c->answered + 1 && asked->result == NULL)
        asked->result = result;
    else
        PQclear(result);
    return err;
}

/* Ends the current command, after its last result. */
static void
end_command(struct connection *c)
{
    c->answered++;
    if (c->asked_count == 0 || c->asked[0]->command != c->answered)
        return;
    c->asked_count--;
    memmove((void *)c->asked, (void *)(c->asked + 1), (size_t)c->asked_count * sizeof(struct pg_stmt *));
}

/* Reads the answers up to that of the last command sent. */
static enum err
read_answers(struct connection *c)
{
    enum err err = ERR_OK;

    while (err == ERR_OK && c->answered < c->queued) {
        PGresult *result;

        err = wait_for_answer(c);
        if (err != ERR_OK)
            break;
        result = PQgetResult(c->conn);
        if (result != NULL)
            err = take_result(c, result);
        else if (PQstatus(c->conn) != CONNECTION_OK)
            err = fail(c, "receive", NULL);
        else
            end_command(c);
    }
    return err;
}

/* Sends the rows that are held back, before any other statement. */
static enum err
flush(struct connection *c)
{
    enum err err = ERR_OK;

    if (c->flush == NULL || c->flushing)
        return ERR_OK;
    c->flushing = true;
    err = c->flush(&c->face);
    c->flushing = false;
    if (err != ERR_OK)
        c->failed = true;
    return err;
}

/* Queues the statement. At its first use, also queues its preparation. */
static enum err
send(struct pg_stmt *s)
{
    struct connection *c = of(s->db);
    char name[16];

    if (c->failed || c->conn == NULL || flush(c) != ERR_OK)
        return ERR_STORAGE;
    snprintf(name, sizeof(name), "s%d", (int)s->sql);
    if (!s->prepared) {
        if (PQsendPrepare(c->conn, name, pg_sql_texts[s->sql], 0, NULL) != 1)
            return fail(c, "prepare", NULL);
        c->queued++;
        s->prepared = true;
    }
    if (PQsendQueryPrepared(c->conn, name, s->count, s->values, s->lengths, binary, BINARY) != 1)
        return fail(c, "send", NULL);
    c->queued++;
    return ERR_OK;
}

/* Makes the server answer all queued commands, and reads the answers. */
static enum err
settle(struct connection *c)
{
    if (c->failed || c->conn == NULL)
        return ERR_STORAGE;
    if (PQpipelineSync(c->conn) != 1)
        return fail(c, "send", NULL);
    return read_answers(c);
}

/* --- transactions */

/*
 * Returns false if the server has closed the connection while it was idle, so that no transaction
 * depends on a closed one. Other data that has arrived is read later.
 */
static bool
is_alive(struct connection *c)
{
    struct pollfd fd = {.fd = PQsocket(c->conn), .events = POLLIN};

    /* The server may send a message before it closes the connection. */
    for (int i = 0; i < 2 && poll(&fd, 1, 0) > 0; i++)
        if (PQconsumeInput(c->conn) != 1)
            return false;
    return PQstatus(c->conn) == CONNECTION_OK;
}

enum err
pg_begin(struct db *db, enum pg_sql sql)
{
    struct connection *c = of(db);
    enum err err = ERR_OK;

    if (c->conn == NULL || c->failed || !is_alive(c))
        err = connect_again(c);
    if (err == ERR_OK)
        err = send(pg_use(db, sql));
    c->in_transaction = err == ERR_OK;
    return err;
}

void
pg_end_read(struct db *db)
{
    struct connection *c = of(db);

    if (c->in_transaction && send(pg_use(db, PG_COMMIT)) == ERR_OK &&
        (PQpipelineSync(c->conn) != 1 || PQflush(c->conn) < 0))
        fail(c, "send", NULL);
    c->in_transaction = false;
}

enum err
pg_end_write(struct db *db, enum err err)
{
    struct connection *c = of(db);
    enum err end = ERR_STORAGE;

    if (c->in_transaction)
        end = send(pg_use(db, err == ERR_OK ? PG_COMMIT : PG_ROLLBACK));
    if (end == ERR_OK)
        end = settle(c);
    c->in_transaction = false;
    return err == ERR_OK ? end : err;
}

bool
pg_in_transaction(struct db *db)
{
    return of(db)->in_transaction && !of(db)->failed;
}

int64_t
pg_writes(struct db *db)
{
    return of(db)->writes;
}

void
pg_hold_back(struct db *db, enum err (*send_held)(struct db *db))
{
    of(db)->flush = send_held;
    of(db)->writes++;
}

void
pg_release(struct db *db)
{
    of(db)->flush = NULL;
}

struct pg_ahead *
pg_ahead(struct db *db)
{
    return of(db)->ahead;
}

void
pg_set_ahead(struct db *db, struct pg_ahead *ahead)
{
    of(db)->ahead = ahead;
}

/* --- statements */

struct pg_stmt *
pg_use(struct db *db, enum pg_sql sql)
{
    struct pg_stmt *s = &of(db)->stmts[sql];

    s->count = 0;
    s->command = 0;
    s->row = -1;
    return s;
}

static void
bind(struct pg_stmt *s, int parameter, const void *value, size_t bytes)
{
    while (s->count < parameter)
        s->values[s->count++] = NULL;
    s->values[parameter - 1] = value;
    s->lengths[parameter - 1] = (int)bytes;
}

void
pg_bind_int(struct pg_stmt *s, int parameter, int64_t value)
{
    s->ints[parameter - 1] = (int64_t)htobe64((uint64_t)value);
    bind(s, parameter, &s->ints[parameter - 1], sizeof(int64_t));
}

void
pg_bind_int_or_null(struct pg_stmt *s, int parameter, int64_t value)
{
    if (value != 0)
        pg_bind_int(s, parameter, value);
    else
        bind(s, parameter, NULL, 0);
}

void
pg_bind_bool(struct pg_stmt *s, int parameter, bool value)
{
    bind(s, parameter, value ? "\1" : "\0", 1);
}

void
pg_bind_text(struct pg_stmt *s, int parameter, struct str value)
{
    bind(s, parameter, value.p, value.n);
}

static void
add_word(struct buf *b, uint32_t word)
{
    uint32_t be = htobe32(word);

    buf_add(b, &be, sizeof(be));
}

/* Writes the header of an array with one dimension, whose first index is 1. */
static void
begin_array(struct buf *b, uint32_t type, size_t count)
{
    buf_reset(b);
    add_word(b, count > 0 ? 1 : 0);
    add_word(b, 1); /* there may be NULLs */
    add_word(b, type);
    if (count == 0)
        return;
    add_word(b, (uint32_t)count);
    add_word(b, 1);
}

/* Out of memory, this binds no valid array, so the server refuses the statement. */
static void
bind_array(struct pg_stmt *s, int parameter)
{
    const struct buf *b = &s->arrays[parameter - 1];

    bind(s, parameter, b->p == NULL ? "" : b->p, buf_ok(b) ? b->n : 0);
}

void
pg_bind_ints(struct pg_stmt *s, int parameter, const int64_t *values, size_t count)
{
    struct buf *b = &s->arrays[parameter - 1];

    begin_array(b, OID_BIGINT, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t be = htobe64((uint64_t)values[i]);

        add_word(b, sizeof(be));
        buf_add(b, &be, sizeof(be));
    }
    bind_array(s, parameter);
}

void
pg_bind_texts(struct pg_stmt *s, int parameter, const struct str *values, size_t count)
{
    struct buf *b = &s->arrays[parameter - 1];

    begin_array(b, OID_TEXT, count);
    for (size_t i = 0; i < count; i++) {
        add_word(b, values[i].p == NULL ? UINT32_MAX : (uint32_t)values[i].n);
        if (values[i].p != NULL)
            buf_str(b, values[i]);
    }
    bind_array(s, parameter);
}

enum err
pg_ask(struct pg_stmt *s)
{
    struct connection *c = of(s->db);
    enum err err = c->asked_count == ASKED_MAX ? settle(c) : ERR_OK;

    PQclear(s->result);
    s->result = NULL;
    if (err == ERR_OK)
        err = send(s);
    if (err != ERR_OK)
        return err;
    s->command = c->queued;
    c->asked[c->asked_count++] = s;
    return ERR_OK;
}

struct pg_stmt *
pg_asked(struct db *db, enum pg_sql sql)
{
    return &of(db)->stmts[sql];
}

enum err
pg_step(struct pg_stmt *s, bool *row)
{
    struct connection *c = of(s->db);
    enum err err = ERR_OK;

    if (s->command == 0)
        err = pg_ask(s);
    if (err == ERR_OK && s->command > c->answered)
        err = settle(c);
    *row = err == ERR_OK && s->result != NULL && ++s->row < PQntuples(s->result);
    return err == ERR_OK && s->result == NULL ? ERR_STORAGE : err;
}

bool
pg_next(struct pg_stmt *s, enum err *err)
{
    bool row;

    *err = pg_step(s, &row);
    return row;
}

bool
pg_is_null(struct pg_stmt *s, int column)
{
    return PQgetisnull(s->result, s->row, column) != 0;
}

int64_t
pg_int(struct pg_stmt *s, int column)
{
    const char *value = PQgetvalue(s->result, s->row, column);
    uint64_t be64 = 0;
    uint32_t be32 = 0;

    /* A NULL has no bytes. */
    switch (PQgetlength(s->result, s->row, column)) {
    case 8:
        memcpy(&be64, value, sizeof(be64));
        return (int64_t)be64toh(be64);
    case 4:
        memcpy(&be32, value, sizeof(be32));
        return (int32_t)be32toh(be32);
    case 1:
        return value[0];
    default:
        return 0;
    }
}

int64_t
pg_int_or(struct pg_stmt *s, int column, int64_t otherwise)
{
    return pg_is_null(s, column) ? otherwise : pg_int(s, column);
}

struct str
pg_text(struct pg_stmt *s, int column)
{
    if (pg_is_null(s, column))
        return (struct str){0};
    return (struct str){PQgetvalue(s->result, s->row, column),
                        (size_t)PQgetlength(s->result, s->row, column)};
}

/* Takes the next word of an array from `rest`; 0: there is none. */
static uint32_t
take_word(struct str *rest)
{
    uint32_t be = 0;

    if (rest->n < sizeof(be))
        return 0;
    memcpy(&be, rest->p, sizeof(be));
    *rest = (struct str){rest->p + sizeof(be), rest->n - sizeof(be)};
    return be32toh(be);
}

enum err
pg_texts(struct pg_stmt *s, int column, struct arena *arena, struct str **texts, size_t *count)
{
    struct str rest = pg_text(s, column);
    bool any = take_word(&rest) == 1;

    *texts = NULL;
    *count = 0;
    if (!any)
        return ERR_OK;
    take_word(&rest);
    if (take_word(&rest) != OID_TEXT)
        return ERR_STORAGE;
    *count = take_word(&rest);
    take_word(&rest);
    if (*count > rest.n)
        return ERR_STORAGE;
    *texts = arena_alloc(arena, *count * sizeof(**texts));
    for (size_t i = 0; *texts != NULL && i < *count; i++) {
        size_t n = take_word(&rest);

        if (n > rest.n)
            return ERR_STORAGE;
        (*texts)[i] = arena_copy(arena, (struct str){rest.p, n});
        if ((*texts)[i].p == NULL)
            return ERR_MEMORY;
        rest = (struct str){rest.p + n, rest.n - n};
    }
    return *texts == NULL ? ERR_MEMORY : ERR_OK;
}

void
pg_done(struct pg_stmt *s)
{
    PQclear(s->result);
    s->result = NULL;
}

enum err
pg_run(struct pg_stmt *s)
{
    bool row;
    enum err err = pg_step(s, &row);

    pg_done(s);
    return err;
}

enum err
pg_queue(struct pg_stmt *s)
{
    struct connection *c = of(s->db);
    enum err err = send(s);

    /* pg_hold_back() has counted the rows that were held back. */
    c->writes += c->flushing ? 0 : 1;
    if (err == ERR_OK && c->queued - c->answered >= QUEUED_MAX)
        err = settle(c);
    return err;
}

enum err
pg_column(struct pg_stmt *s, struct arena *arena, struct str **texts, size_t *count)
{
    enum err err = ERR_OK;

    *texts = NULL;
    *count = 0;
    while (pg_next(s, &err)) {
        if (*texts == NULL)
            *texts = arena_alloc(arena, (size_t)PQntuples(s->result) * sizeof(**texts));
        err = ERR_MEMORY;
        if (*texts == NULL)
            break;
        (*texts)[*count] = arena_copy(arena, pg_text(s, 0));
        if ((*texts)[(*count)++].p == NULL)
            break;
        err = ERR_OK;
    }
    pg_done(s);
    return err;
}

/* --- notifications */

int
pg_socket(struct db *db)
{
    const struct connection *c = of(db);

    return c->conn == NULL || c->failed ? -1 : PQsocket(c->conn);
}

enum err
pg_take_notices(struct db *db, int64_t *highest)
{
    struct connection *c = of(db);
    PGnotify *notice;

    *highest = 0;
    if (c->conn == NULL || c->failed)
        return ERR_STORAGE;
    if (read_answers(c) != ERR_OK)
        return ERR_STORAGE;
    if (PQconsumeInput(c->conn) != 1)
        return fail(c, "receive", NULL);
    /* The result of the last sync precedes notifications. */
    while (!PQisBusy(c->conn)) {
        PGresult *result = PQgetResult(c->conn);

        if (result == NULL)
            break;
        PQclear(result);
    }
    while ((notice = PQnotifies(c->conn)) != NULL) {
        int64_t number = 0;

        if (str_to_int(str_c(notice->extra), &number) && number > *highest)
            *highest = number;
        PQfreemem(notice);
    }
    return ERR_OK;
}

int64_t
pg_session_number(struct db *db)
{
    return of(db)->sessions;
}

/* --- scripts */

enum err
pg_script(struct db *db, const char *script)
{
    struct connection *c = of(db);
    PGresult *result;
    enum err err = ERR_OK;

    if (c->conn == NULL || c->failed)
        err = connect_again(c);
    if (err == ERR_OK)
        err = settle(c);
    if (err != ERR_OK)
        return err;
    /* Reads the result of the last sync. */
    while ((result = PQgetResult(c->conn)) != NULL)
        PQclear(result);
    if (PQexitPipelineMode(c->conn) != 1 || PQsetnonblocking(c->conn, 0) != 0)
        return fail(c, "script", NULL);
    result = PQexec(c->conn, script);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        err = fail(c, "script", result);
    PQclear(result);
    if (err == ERR_OK && (PQsetnonblocking(c->conn, 1) != 0 || PQenterPipelineMode(c->conn) != 1))
        err = fail(c, "script", NULL);
    return err;
}
