/*
 * store.h - the face of the database: prepare it, open it, take a snapshot, run a command.
 *
 * The other headers of this room speak of its tables. What is behind them is the engine, and nobody else's
 * business: sqlite/ holds SQLite's statements, locks, logs and files.
 */
#ifndef IMD_STORE_STORE_H
#define IMD_STORE_STORE_H

#include "run/shared.h"
#include "store/command.h"

/*
 * At the start, before the first child: locks the database for this process and its children, makes it where
 * there is none, brings its schema up to date, and gives it another epoch where it is not what it was. What
 * happens is logged. ERR_STORAGE.
 */
enum err store_prepare(const char *path);

struct engine;

/* What a process holds of the database: one writer, some readers. Opened after the fork. */
struct store {
    struct engine *engine; /* behind the face */
    uint64_t payer;        /* of what its commands change: see struct tx */
};

/* `shared` is borrowed. After an error store_close() is owed as well. ERR_STORAGE, ERR_MEMORY. */
enum err store_open(struct store *s, const char *path, int readers, struct shared *shared);
/* The same without a writer: store_run() must not be called. */
enum err store_open_for_reading(struct store *s, const char *path, int readers);
/* No command may be running, all snapshots must have ended. Zeroed is allowed. */
void store_close(struct store *s);

/*
 * Runs the command in a transaction that it may share with others; returns after the transaction is
 * durable, or the command was refused. Borrows the command and the strings of its declaration. Returns
 * the command's error, or ERR_STORAGE if the transaction failed: then nothing of it is stored.
 */
enum err store_run(struct store *s, const struct command *command);

/*
 * One state of the database. Everything that is read through a snapshot is of one moment, which lies
 * between its begin and the first look at it. Questions of the domain take a snapshot and cannot
 * write; commands take the store. A thread must end its snapshot before it commits, waits, or
 * begins another one: a snapshot keeps a reader from others, and what it sees from being cleared
 * away.
 */
struct snapshot {
    struct db *db;
};

/* Begins a snapshot, and waits where all readers are lent. snapshot_end() is owed. ERR_STORAGE. */
enum err snapshot_begin(struct store *s, struct snapshot **out);
/* Ends it. NULL is allowed. */
void snapshot_end(struct snapshot *s);

#endif
