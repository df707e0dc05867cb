/*
 * commit.h - SQLite's group commit (store/group.h): one transaction, with one fsync, for many
 * commands.
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
