/*
 * db.h - SQLite, as the rest of this directory sees it: open, prepare once, bind, step, read
 * columns.
 *
 * db.c alone includes sqlite3.h. A connection and its statements
 * belong to one thread at a time. A statement is in use from db_use() to db_done() (or db_run());
 * columns are valid until the next step of the same statement.
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

/* Once for each process, before the first connection and the first thread. */
void db_setup(void);
/* ERR_STORAGE where the file cannot be opened; the reason is logged. */
enum err db_open(struct db **out, const char *path, enum db_role role);
/* Finalizes the statements and closes. NULL is allowed. */
void db_close(struct db *db);

/*
 * The statement, reset and unbound, prepared if this is its first use. Never NULL; failure shows at
 * the step.
 */
struct stmt *db_use(struct db *db, enum sql sql);
void db_bind_int(struct stmt *s, int parameter, int64_t value);
/* 0 binds NULL. */
void db_bind_int_or_null(struct stmt *s, int parameter, int64_t value);
/* Borrowed until db_done(). An absent string binds NULL. */
void db_bind_text(struct stmt *s, int parameter, struct str value);
/*
 * The statement's next step returns `err`, which is not ERR_OK: a value to be bound could not be
 * found out.
 */
void db_refuse(struct stmt *s, enum err err);
/* Next row: true in *row, or false at the end. ERR_STORAGE: the engine failed; it is logged. */
enum err db_step(struct stmt *s, bool *row);
/*
 * Steps to the next row of a loop over all of them. False: there is none, or the engine failed, and
 * *err says which. The loop ends with db_done(), however it is left.
 */
bool db_next(struct stmt *s, enum err *err);
int64_t db_int(struct stmt *s, int column);
bool db_is_null(struct stmt *s, int column);
struct str db_text(struct stmt *s, int column);
/* Ends the use. Always to be called after the last step. */
void db_done(struct stmt *s);
/* Step until the end and done: for statements without rows of interest. */
enum err db_run(struct stmt *s);
/* db_use and db_run of a statement without parameters. */
enum err db_do(struct db *db, enum sql sql);

/*
 * Ends a write transaction: commits if `err` is ERR_OK, and rolls back where it is not or the
 * commit fails. Returns `err`, or the commit's error. If beginning the transaction failed, `err`
 * says so, and nothing is done.
 */
enum err db_end_write(struct db *db, enum err err);
/*
 * Steps until the end and done: the first column of all rows, copied to the arena. NULL: there were
 * none.
 */
enum err db_texts(struct stmt *s, struct arena *arena, struct str **texts, size_t *count);

/* Content was deleted in this transaction: no copy of it may stay in the write-ahead log. */
void db_request_wipe(struct db *db);
/*
 * Was that requested since the last call? A refused command may have, which costs a needless wipe.
 */
bool db_take_wipe(struct db *db);

/*
 * How many rows this connection has ever written: two looks tell whether anything was written
 * between.
 */
int64_t db_changes(struct db *db);
/*
 * How many steps of SQLite's machine this connection's statements have taken since the last call.
 * About that many rows and index entries were touched: by this, tests hold what a statement reads.
 * Resets the count.
 */
int64_t db_steps(struct db *db);
/* True inside a transaction. The engine may have ended one by itself after a failure. */
bool db_in_transaction(struct db *db);
/*
 * Calls back after each commit of this connection with the length of the write-ahead log in pages.
 */
void db_on_commit(struct db *db, void (*call)(void *arg, int wal_pages), void *arg);

/* The path of the database file; borrowed. */
const char *db_path(struct db *db);

/* Users that were looked up by name, with their numbers. */
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
 * Returns what accounts.c knows of users in the transaction at hand. It is emptied when a
 * transaction begins or ends, when it renames a user, and at each call outside of transactions: so
 * it holds for the state that the connection sees.
 */
struct known_users *db_known_users(struct db *db);

/*
 * Users that were looked up by number, with their names: as many as the members of several large
 * groups.
 */
#define DB_KNOWN_NAMES 512

struct known_name {
    uint64_t renames; /* see db_renames(); 0: the entry is empty */
    struct known_user user;
};

/*
 * Returns the entry for the number. Another number may have it, or an earlier transaction: the
 * entry holds if both are right. It outlives the transaction, because most transactions read the
 * same names.
 */
struct known_name *db_known_name(struct db *db, int64_t number);
/*
 * Returns how often users were renamed until the transaction at hand began: what is read in it
 * holds for transactions of the same count. 0: what is read must not be kept, because there is no
 * transaction, it has added or renamed a user itself, or the count is not known
 * (db_follow_renames).
 */
uint64_t db_renames(struct db *db);
/*
 * Connects the count to the one that all processes share. This connection raises it after each
 * commit in which it renamed a user. A transaction that begins between the two may still show the
 * old name, later ones never do.
 */
void db_follow_renames(struct db *db, _Atomic uint64_t *renames);

/* For migrations: the number of the last one applied, and running a script of many statements. */
enum err db_user_version(struct db *db, int64_t *version);
enum err db_script(struct db *db, const char *script);

/*
 * A writer that begins the write-ahead log anew cuts its file off at this length: it does not keep
 * its peak size.
 */
#define DB_LOG_BYTES_KEPT (32 * 1024 * 1024)

enum db_checkpoint {
    DB_CHECKPOINT_COPY,    /* while writers go on; only while the log is known not to be wholly copied
                              (store/sqlite/housekeeping.c) */
    DB_CHECKPOINT_RESTART, /* and have the next writer begin the log anew; only under the write lock */
    DB_CHECKPOINT_EMPTY,   /* and cut the log off, so that nothing of it is left; only under the write lock */
};

/*
 * Copies the write-ahead log into the database file. *done false: a reader still needs the old log;
 * it is not waited for.
 */
enum err db_checkpoint(struct db *db, enum db_checkpoint how, bool *done);

#endif
