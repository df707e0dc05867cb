/*
 * commit.h - group commit: many commands, one transaction, one fsync. Each is answered after it.
 *
 * A thread that wants to write queues its command. One thread at a time leads: it takes the lock
 * that all processes share, runs all queued commands in ONE transaction, and commits. Then it makes
 * the first thread that has queued meanwhile the leader, and wakes each thread whose command is
 * done. So under load one fsync serves many commands.
 *
 * The transaction's timestamp is its tick: max(clock, last tick + 1). No two transactions share
 * one, and it never goes back, whatever the clock does.
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
 * Runs the command in a group's transaction. Returns once that is durable, or the command was
 * refused. If no command of the group has written anything, nothing is committed. `payer`: see
 * struct tx. Returns the command's error, or ERR_STORAGE if the transaction failed: then nothing of
 * it is stored. Opens a transaction itself.
 */
enum err commit_run(struct commit *c, const struct command *command, uint64_t payer);

#endif
