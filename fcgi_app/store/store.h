/*
 * store.h - the interface of the database: prepare it, open it, take a snapshot, run a command.
 *
 * The other headers of this room describe its tables. Only the engine behind them knows its
 * statements, locks, logs and files: store/sqlite/ is the default, store/pg/ uses a PostgreSQL
 * server, and store/memory/ serves unit tests. A URI names the engine and what it opens:
 * "sqlite:/var/lib/imd/imd.db". Pass only URIs that store_check() accepts. ERR_CONFIG: no engine of
 * this program opens the URI.
 */
#ifndef IMD_STORE_STORE_H
#define IMD_STORE_STORE_H

#include <stddef.h>
#include "run/shared.h"
#include "store/command.h"

/* Writes the names of the engines of this program into `text`, separated by commas. */
void store_engines(char *text, size_t size);
/*
 * Checks the URI without opening anything. ERR_CONFIG: no engine of this program opens it;
 * `message` says why, and which URIs are allowed.
 */
enum err store_check(const char *uri, char *message, size_t size);
/*
 * Returns the path of the database's file, a part of `uri`; NULL if it is not in a file of this
 * machine.
 */
const char *store_file(const char *uri);
/* True if the store is reached by TCP, so processes need sockets of the network. */
bool store_uses_network(const char *uri);

/*
 * Prepares the database at the start, before the first child. Locks it for this process and its
 * children, creates it if it is missing, and migrates its schema. Gives it a new epoch if it was
 * replaced, for example by a backup. Logs what it does. ERR_STORAGE, ERR_CONFIG.
 */
enum err store_prepare(const char *uri);

struct connections;

/* A process's connections to the database: one to write, some to read. Opened after the fork. */
struct store {
    struct connections *connections; /* known only to the engine; NULL: closed */
    uint64_t payer;                  /* charged for the changes of its commands: see struct tx */
};

/*
 * Opens the database into the zeroed *s. Borrows `uri` and `shared`. Call store_close() after an
 * error as well. ERR_STORAGE, ERR_MEMORY, ERR_CONFIG.
 */
enum err store_open(struct store *s, const char *uri, int readers, struct shared *shared);
/* Opens the database read-only: store_run() must not be called. */
enum err store_open_for_reading(struct store *s, const char *uri, int readers, struct shared *shared);
/* Closes. No command may be running, and all snapshots must have ended. Zeroed is allowed. */
void store_close(struct store *s);

/*
 * Runs the command in a transaction that it may share with others; returns after the transaction is
 * durable, or the command was refused. Borrows the command and the strings of its declaration.
 * Returns the command's error, or ERR_STORAGE if the transaction failed: then nothing of it is
 * stored.
 */
enum err store_run(struct store *s, const struct command *command);

/*
 * One state of the database. Everything that is read through a snapshot is of one moment, between
 * its begin and its first read.
 *
 * Functions of domain/ that only read take a snapshot, so they cannot write. Commands take the
 * store. A thread must end its snapshot before it commits, waits, or begins another one: a snapshot
 * occupies a reader, and keeps the engine from discarding the state that it shows.
 */
struct snapshot {
    struct db *db;
};

/* Begins a snapshot; waits if all readers are in use. End it with snapshot_end(). ERR_STORAGE. */
enum err snapshot_begin(struct store *s, struct snapshot **out);
/* Ends it. NULL is allowed. */
void snapshot_end(struct snapshot *s);

#endif
