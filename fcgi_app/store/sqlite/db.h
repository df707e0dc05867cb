/*
 * db.h - SQLite as the rest of this directory sees it: open, prepare once, bind, step, read
 * columns.
 *
 * Only db.c includes sqlite3.h. A connection and its statements belong to one thread at a time. A
 * statement is in use from db_use() to db_done() (or db_run()). Columns are valid until the next
 * step of the same statement.
 */
#ifndef IMD_STORE_SQLITE_DB_H
#define IMD_STORE_SQLITE_DB_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "model/model.h"
#include "store/sqlite/sql.h"

struct db;
struct stmt;

enum db_role {
    DB_MIGRATE, /* may create the file; journal mode is set */
    DB_WRITE,   /* the one writer of a process */
    DB_READ,    /* never writes */
};

/* Call once for each process, before its first connection and its first thread. */
void db_setup(void);
/* ERR_STORAGE if the file cannot be opened; the reason is logged. */
enum err db_open(struct db **out, const char *path, enum db_role role);
/* Finalizes the statements and closes. NULL is allowed. */
void db_close(struct db *db);

/*
 * Returns the statement, reset, and prepared if this is its first use. Never NULL: a failure is
 * returned by the next step.
 */
struct stmt *db_use(struct db *db, enum sql sql);
void db_bind_int(struct stmt *s, int parameter, int64_t value);
/* 0 binds NULL. */
void db_bind_int_or_null(struct stmt *s, int parameter, int64_t value);
/* The bytes are borrowed until db_done(). Binds NULL if the string is absent. */
void db_bind_text(struct stmt *s, int parameter, struct str value);
/*
 * Makes the statement's next step return `err`, which is not ERR_OK. For a value to be bound that
 * could not be determined.
 */
void db_refuse(struct stmt *s, enum err err);
/*
 * Steps. *row: there is a row; false: the statement has ended. ERR_STORAGE: SQLite failed; the
 * reason is logged.
 */
enum err db_step(struct stmt *s, bool *row);
/*
 * Steps to the next row, as the condition of a loop. Returns false at the end, or if SQLite failed;
 * *err says which. Call db_done() after the loop, however it ends.
 */
bool db_next(struct stmt *s, enum err *err);
int64_t db_int(struct stmt *s, int column);
bool db_is_null(struct stmt *s, int column);
struct str db_text(struct stmt *s, int column);
/* Ends the use of the statement. Must be called after the last step. */
void db_done(struct stmt *s);
/* Steps to the end, then ends the use: for statements whose rows are not needed. */
enum err db_run(struct stmt *s);
/* db_use and db_run of a statement without parameters. */
enum err db_do(struct db *db, enum sql sql);

/*
 * Ends a write transaction: commits if `err` is ERR_OK, else rolls back. Rolls back if the commit
 * fails, too. Returns `err`, or the commit's error. If the transaction was never begun, `err` says
 * so, and this does nothing.
 */
enum err db_end_write(struct db *db, enum err err);
/*
 * Steps to the end, then ends the use. Returns in *texts the first column of all rows, copied to
 * the arena; NULL if there are no rows.
 */
enum err db_texts(struct stmt *s, struct arena *arena, struct str **texts, size_t *count);

/* Notes that this transaction deleted content: no copy of it may remain in the write-ahead log. */
void db_request_wipe(struct db *db);
/*
 * Returns whether db_request_wipe() was called since the last call. A command that was refused
 * later may have called it; then the wipe is superfluous.
 */
bool db_take_wipe(struct db *db);

/*
 * Returns how many rows this connection has ever written. If two calls return the same number,
 * nothing was written in between.
 */
int64_t db_changes(struct db *db);
/*
 * Returns how many steps of SQLite's virtual machine this connection's statements have taken since
 * the last call: about the number of rows and index entries that they touched. Tests bound the cost
 * of statements by it. Resets the count.
 */
int64_t db_steps(struct db *db);
/* True inside a transaction. After a failure SQLite may have ended it by itself. */
bool db_in_transaction(struct db *db);
/*
 * Calls `call` after each commit of this connection, with the length of the write-ahead log in
 * pages.
 */
void db_on_commit(struct db *db, void (*call)(void *arg, int wal_pages), void *arg);

/* The path of the database file; borrowed. */
const char *db_path(struct db *db);

/* Users looked up by name, with their numbers. */
#define DB_KNOWN_USERS 4

struct known_user {
    int64_t number; /* account.id; 0: the entry is empty */
    size_t bytes;
    char name[USERNAME_BYTES_MAX];
};

struct known_users {
    struct known_user users[DB_KNOWN_USERS];
    unsigned next; /* the entry to overwrite next */
};

/*
 * Returns the users that accounts.c has looked up in the current transaction. They are forgotten
 * when a transaction begins or ends, when it renames a user, and at each call outside of
 * transactions. So they match the state that the connection sees.
 */
struct known_users *db_known_users(struct db *db);

/* Users looked up by number, with their names: as many as the members of several large groups. */
#define DB_KNOWN_NAMES 512

struct known_name {
    uint64_t renames; /* see db_renames(); 0: the entry is empty */
    struct known_user user;
};

/*
 * Returns the entry for the number. It may hold another number, or a name from an earlier
 * transaction: it is valid if its number and its count of renames are right. Entries outlive
 * transactions, because most transactions read the same names.
 */
struct known_name *db_known_name(struct db *db, int64_t number);
/*
 * Returns how often users had been renamed when the current transaction began. A name that is read
 * in it is valid in all transactions with the same count. Returns 0 if a name must not be kept:
 * outside of transactions, after this one added or renamed a user, or without db_follow_renames().
 */
uint64_t db_renames(struct db *db);
/*
 * Connects this connection to the count of renames that all processes share. The connection raises
 * it after each commit in which it renamed a user. A transaction that begins between the commit and
 * that may still read the old name; later ones never do.
 */
void db_follow_renames(struct db *db, _Atomic uint64_t *renames);

/* For migrations: the number of the last one applied, and running a script of many statements. */
enum err db_user_version(struct db *db, int64_t *version);
enum err db_script(struct db *db, const char *script);

/*
 * A writer that restarts the write-ahead log truncates the file to this length, so the file does
 * not keep its peak size.
 */
#define DB_LOG_BYTES_KEPT (32 * 1024 * 1024)

enum db_checkpoint {
    /*
     * While writers continue. Only if the log is known not to be copied completely
     * (store/sqlite/housekeeping.c).
     */
    DB_CHECKPOINT_COPY,
    /* And have the next writer restart the log. Only under the write lock. */
    DB_CHECKPOINT_RESTART,
    /* And truncate the log, so that nothing of it remains. Only under the write lock. */
    DB_CHECKPOINT_EMPTY,
};

/*
 * Copies the write-ahead log into the database file. *done is false if a reader still needs the old
 * log. This does not wait for the reader.
 */
enum err db_checkpoint(struct db *db, enum db_checkpoint how, bool *done);

#endif
