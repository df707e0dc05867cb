/*
 * commit.h - PostgreSQL's group commit (store/group.h): one transaction for many commands.
 *
 * Each transaction first locks the row of instance, by a separate statement. So transactions of all
 * processes and hosts run one after the other, and each statement after the lock sees what earlier
 * transactions have committed. The transaction's timestamp is its tick: max(clock, last tick + 1).
 * No two transactions share a tick, and ticks never go back, even if the clocks of the hosts do.
 */
#ifndef IMD_STORE_PG_COMMIT_H
#define IMD_STORE_PG_COMMIT_H

#include "run/shared.h"
#include "store/command.h"

struct pg_commit;

/*
 * Makes the writer of a process, which connects at its first command. Borrows `uri` and `shared`.
 */
enum err pg_commit_open(struct pg_commit **out, const char *uri, struct shared *shared);
/* No command may be running. NULL is allowed. */
void pg_commit_close(struct pg_commit *c);

/*
 * Runs the command in a group's transaction. Returns after the commit, or when the command is
 * refused. If no command of the group has written anything, nothing is committed. `payer`: see
 * struct tx. Returns the command's error, or ERR_STORAGE if the transaction failed: then nothing of
 * it is stored, unless the connection was lost during the commit. Opens a transaction itself.
 */
enum err pg_commit_run(struct pg_commit *c, const struct command *command, uint64_t payer);

#endif
