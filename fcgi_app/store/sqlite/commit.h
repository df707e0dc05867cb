/*
 * commit.h - group commit: many commands, one transaction, one fsync, each answered after it.
 *
 * A thread that wants to write queues its command. One thread at a time leads: it takes the lock that all
 * processes share, runs everything that has queued up in ONE transaction (each command in a savepoint of
 * its own, so a refused one leaves nothing), commits, hands the lead to the first of those who queued
 * meanwhile, and wakes each whose command is done. So under load the disk is asked once for many.
 *
 * The transaction's timestamp is its tick: max(clock, last tick + 1). No two transactions share one, and it
 * never goes back, whatever the clock does.
 */
#ifndef IMD_STORE_SQLITE_COMMIT_H
#define IMD_STORE_SQLITE_COMMIT_H

#include "run/shared.h"
#include "store/command.h"

struct commit;

/* The writer of one process. `shared` is borrowed. Opens a connection. */
enum err commit_open(struct commit **out, const char *path, struct shared *shared);
/* No command may be running. NULL is allowed. */
void commit_close(struct commit *c);

/*
 * Runs the command in a group's transaction; returns after that is durable (or the command was refused).
 * Where no command of the group wrote anything, nothing is committed. Returns the command's error, or
 * ERR_STORAGE where the transaction failed: then nothing of it is stored. Opens a transaction itself.
 */
enum err commit_run(struct commit *c, const struct command *command, uint64_t payer);

#endif
