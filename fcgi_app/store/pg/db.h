/*
 * db.h - PostgreSQL for the other files of this directory: connect, prepare once, bind, step, read
 * columns.
 *
 * Only db.c includes libpq-fe.h. A connection and its statements belong to one thread at a time. A
 * statement is in use from pg_use() to pg_done(), pg_run() or pg_queue(); columns are valid until
 * pg_done().
 *
 * The connection is always in pipeline mode. pg_queue() sends a statement without waiting for its
 * answer; pg_step() waits for its answer and for those of all statements queued before it. So a
 * transaction that writes costs as many round trips as it reads, and one for its end.
 *
 * Any failure (the server refuses a statement, ends, or does not answer) fails the whole
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
 * Returns false if libpq does not understand the URI. *network: whether the URI, libpq's
 * environment variables or its service files may name another machine.
 */
bool pg_look_at(const char *uri, bool *network);
/*
 * Makes the handle; the first transaction connects. Borrows `uri` (store.h). ERR_MEMORY,
 * ERR_CONFIG: libpq does not understand the URI.
 */
enum err pg_open(struct db **out, const char *uri, enum pg_use_of use_of);
/* Disconnects. NULL is allowed. */
void pg_close(struct db *db);

/*
 * Begins a transaction by the statement, which is sent together with the next one. Connects if
 * there is no connection. ERR_STORAGE: that failed, or failed a short time ago.
 */
enum err pg_begin(struct db *db, enum pg_sql sql);
/*
 * Ends a transaction that only read, without waiting for the server's answer. Does nothing outside
 * of a transaction.
 */
void pg_end_read(struct db *db);
/*
 * Ends a write transaction: commits if `err` is ERR_OK, and else rolls back. Returns `err`, or
 * ERR_STORAGE if a queued statement or the commit failed: then nothing is stored, unless the
 * connection was lost during the commit.
 */
enum err pg_end_write(struct db *db, enum err err);
/* True from pg_begin() to the end, unless the transaction has failed. */
bool pg_in_transaction(struct db *db);

/* Returns the statement without parameters. Never NULL; errors show at the step. */
struct pg_stmt *pg_use(struct db *db, enum pg_sql sql);
void pg_bind_int(struct pg_stmt *s, int parameter, int64_t value);
/* Binds NULL for 0. */
void pg_bind_int_or_null(struct pg_stmt *s, int parameter, int64_t value);
void pg_bind_bool(struct pg_stmt *s, int parameter, bool value);
/* Binds NULL for an absent string. Borrows the value until the statement is sent. */
void pg_bind_text(struct pg_stmt *s, int parameter, struct str value);
/* Binds an array of bigint. Copies the numbers. */
void pg_bind_ints(struct pg_stmt *s, int parameter, const int64_t *values, size_t count);

/* Binds an array of text, with NULL for absent strings. Copies the strings. */
void pg_bind_texts(struct pg_stmt *s, int parameter, const struct str *values, size_t count);

/*
 * Sends the statement without waiting, so that several statements take one round trip. At most four
 * at a time.
 */
enum err pg_ask(struct pg_stmt *s);
/* Returns the statement that pg_ask() has sent. */
struct pg_stmt *pg_asked(struct db *db, enum pg_sql sql);
/*
 * Steps to the next row: true in *row, or false at the end. The first call waits for the answer,
 * and sends the statement unless pg_ask() has sent it.
 */
enum err pg_step(struct pg_stmt *s, bool *row);
/*
 * Steps to the next row of a loop over all rows. Returns false at the end or after an error; *err
 * tells which.
 */
bool pg_next(struct pg_stmt *s, enum err *err);
int64_t pg_int(struct pg_stmt *s, int column);
/* Returns the column as a number; `otherwise` for NULL. */
int64_t pg_int_or(struct pg_stmt *s, int column, int64_t otherwise);
bool pg_is_null(struct pg_stmt *s, int column);
struct str pg_text(struct pg_stmt *s, int column);
/* Returns the elements of a column of type text[], copied to the arena. ERR_MEMORY, ERR_STORAGE. */
enum err pg_texts(struct pg_stmt *s, int column, struct arena *arena, struct str **texts, size_t *count);
/* Ends the use. Must be called after the last step. */
void pg_done(struct pg_stmt *s);
/* Steps to the end and ends the use, for statements whose rows are of no interest. */
enum err pg_run(struct pg_stmt *s);
/*
 * Sends a statement that writes, and ends its use. Its errors show at a later step of the
 * transaction, at the latest when that ends.
 */
enum err pg_queue(struct pg_stmt *s);
/*
 * Steps to the end and ends the use. Returns the first column of all rows, copied to the arena;
 * NULL: no rows.
 */
enum err pg_column(struct pg_stmt *s, struct arena *arena, struct str **texts, size_t *count);

/*
 * Returns a count of the writes so far. If two calls return the same, nothing was written between
 * them.
 */
int64_t pg_writes(struct db *db);

/*
 * Returns the socket of a connection that listens, between transactions; -1: not connected. The
 * socket becomes readable when there may be notifications, or when the connection is lost.
 */
int pg_socket(struct db *db);
/*
 * Reads the notifications that have arrived: *highest is the highest number in them, or 0 without
 * any. ERR_STORAGE: the connection is lost.
 */
enum err pg_take_notices(struct db *db, int64_t *highest);
/*
 * Returns a number that is different for each connection. What a session holds, such as an advisory
 * lock, is gone with its connection.
 */
int64_t pg_session_number(struct db *db);

/*
 * Records that rows are held back: `send_held` sends them, before any other statement is sent. It
 * first calls pg_release(), which ends this.
 */
void pg_hold_back(struct db *db, enum err (*send_held)(struct db *db));
void pg_release(struct db *db);

/* What was read ahead for the transaction (store/pg/ahead.h). NULL: this connection only reads. */
struct pg_ahead *pg_ahead(struct db *db);
void pg_set_ahead(struct db *db, struct pg_ahead *ahead);

/* Runs a script of many statements, outside of the pipeline. For migrations. */
enum err pg_script(struct db *db, const char *script);

#endif
