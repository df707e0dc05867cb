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
#include "store/tx.h"

#include <stddef.h>
#include <stdint.h>

struct commit_command {
    command_fn *run;
    void *arg;
    size_t bytes;   /* about how much it stores; a group's sum is bounded */
    uint64_t payer; /* see struct tx */
};

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
enum err commit_run(struct commit *c, const struct commit_command *command);

#endif
