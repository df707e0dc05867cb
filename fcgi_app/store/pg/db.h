/*
 * db.h - PostgreSQL, as the rest of this directory sees it: connect, prepare once, bind, step, read
 * columns.
 *
 * db.c alone includes libpq-fe.h. A connection and its statements belong to one thread at a time. A
 * statement is in use from pg_use() to pg_done(), pg_run() or pg_queue(); columns are valid until
 * pg_done().
 *
 * The connection is always in pipeline mode. pg_queue() sends a statement whose answer nobody waits
 * for; pg_step() waits for its own, and for those of all that were queued before it. So a
 * transaction that writes costs as many round trips as it reads, and one for its end.
 *
 * Whatever goes wrong (the server refuses a statement, ends, does not answer) fails the whole
 * transaction: every later statement of it returns ERR_STORAGE, and the next transaction begins on
 * a new connection.
 */
#ifndef IMD_STORE_PG_DB_H
#define IMD_STORE_PG_DB_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "store/pg/sql.h"

struct db;
struct pg_stmt;

/*
 * Makes the handle; the first transaction connects. Borrows `uri` (store.h). ERR_MEMORY,
 * ERR_CONFIG: libpq does not understand the URI.
 */
enum err pg_open(struct db **out, const char *uri, enum pg_use_of use_of);
/* Disconnects. NULL is allowed. */
void pg_close(struct db *db);

/*
 * Begins a transaction by the statement, which is sent with the next one. Connects, if there is no
 * connection: ERR_STORAGE if that fails, or has failed a moment ago.
 */
enum err pg_begin(struct db *db, enum pg_sql sql);
/*
 * Ends a transaction that only read: the server's answer is not waited for. Does nothing outside of
 * one.
 */
void pg_end_read(struct db *db);
/*
 * Ends a write transaction: commits if `err` is ERR_OK, and rolls back where it is not. Returns
 * `err`, or ERR_STORAGE if a queued statement or the commit failed: then nothing is stored, unless
 * the connection was lost while the commit was under way.
 */
enum err pg_end_write(struct db *db, enum err err);
/* True from pg_begin() to the end, unless the transaction has failed. */
bool pg_in_transaction(struct db *db);

/* The statement, unbound. Never NULL; failure shows at the step. */
struct pg_stmt *pg_use(struct db *db, enum pg_sql sql);
void pg_bind_int(struct pg_stmt *s, int parameter, int64_t value);
/* 0 binds NULL. */
void pg_bind_int_or_null(struct pg_stmt *s, int parameter, int64_t value);
void pg_bind_bool(struct pg_stmt *s, int parameter, bool value);
/* Borrowed until the statement is sent. An absent string binds NULL. */
void pg_bind_text(struct pg_stmt *s, int parameter, struct str value);
/* An array of bigint; the numbers are copied. */
void pg_bind_ints(struct pg_stmt *s, int parameter, const int64_t *values, size_t count);

/* An array of text; the strings are copied, and absent ones are NULL. */
void pg_bind_texts(struct pg_stmt *s, int parameter, const struct str *values, size_t count);

/*
 * Sends the statement without waiting, so that several can be stepped after one round trip. At most
 * four at a time.
 */
enum err pg_ask(struct pg_stmt *s);
/* The statement as pg_ask() has sent it. */
struct pg_stmt *pg_asked(struct db *db, enum pg_sql sql);
/*
 * Next row: true in *row, or false at the end. The first call waits, and sends the statement unless
 * pg_ask() has.
 */
enum err pg_step(struct pg_stmt *s, bool *row);
/*
 * Steps to the next row of a loop over all of them. False: there is none, or the engine failed, and
 * *err says which.
 */
bool pg_next(struct pg_stmt *s, enum err *err);
int64_t pg_int(struct pg_stmt *s, int column);
/* The same; `otherwise` stands for NULL. */
int64_t pg_int_or(struct pg_stmt *s, int column, int64_t otherwise);
bool pg_is_null(struct pg_stmt *s, int column);
struct str pg_text(struct pg_stmt *s, int column);
/* The elements of a column of type text[], copied to the arena. ERR_MEMORY, ERR_STORAGE. */
enum err pg_texts(struct pg_stmt *s, int column, struct arena *arena, struct str **texts, size_t *count);
/* Ends the use. Always to be called after the last step. */
void pg_done(struct pg_stmt *s);
/* Step until the end and done, for statements without rows of interest. */
enum err pg_run(struct pg_stmt *s);
/*
 * Sends the statement, which writes, and ends its use. Its failure shows at a later step of the
 * transaction, at the latest when that ends.
 */
enum err pg_queue(struct pg_stmt *s);
/*
 * Steps until the end and done: the first column of all rows, copied to the arena. NULL: there were
 * none.
 */
enum err pg_column(struct pg_stmt *s, struct arena *arena, struct str **texts, size_t *count);

/* How many statements were queued: two looks tell whether anything was written between. */
int64_t pg_writes(struct db *db);

/*
 * For a connection that listens, between transactions. The socket becomes readable when there may
 * be notifications, or the connection is lost; -1: there is no connection.
 */
int pg_socket(struct db *db);
/*
 * Reads what has arrived: *highest is the highest number that was notified since the last call; 0:
 * none. ERR_STORAGE: the connection is lost.
 */
enum err pg_take_notices(struct db *db, int64_t *highest);
/*
 * Tells connections apart: it changes with each. What a session holds, such as an advisory lock, is
 * gone with its connection.
 */
int64_t pg_session_number(struct db *db);

/*
 * Something was written that is not sent yet: `send_held` sends it, before any other statement is
 * sent. It calls pg_release() first, which ends this.
 */
void pg_hold_back(struct db *db, enum err (*send_held)(struct db *db));
void pg_release(struct db *db);

/* What was read ahead for the transaction (store/pg/ahead.h); NULL: this connection only reads. */
struct pg_ahead *pg_ahead(struct db *db);
void pg_set_ahead(struct db *db, struct pg_ahead *ahead);

/* For migrations: runs a script of many statements, outside of the pipeline. */
enum err pg_script(struct db *db, const char *script);

#endif
