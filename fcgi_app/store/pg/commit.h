/*
 * commit.h - PostgreSQL's group commit (store/group.h): one transaction for many commands.
 *
 * Each transaction first locks the row of instance, by a statement of its own: so transactions of
 * all processes and hosts run one after the other, and each statement after the lock sees what the
 * transaction before has committed. The transaction's timestamp is its tick: max(clock, last tick +
 * 1). No two transactions share one, and it never goes back, whatever the clocks of the hosts do.
 */
#ifndef IMD_STORE_PG_COMMIT_H
#define IMD_STORE_PG_COMMIT_H

#include "run/shared.h"
#include "store/command.h"

struct pg_commit;

/* The writer of one process. `uri` and `shared` are borrowed. Connects at its first command. */
enum err pg_commit_open(struct pg_commit **out, const char *uri, struct shared *shared);
/* No command may be running. NULL is allowed. */
void pg_commit_close(struct pg_commit *c);

/*
 * Runs the command in a group's transaction. Returns once that is durable, or the command was
 * refused. If no command of the group has written anything, nothing is committed. `payer`: see
 * struct tx. Returns the command's error, or ERR_STORAGE if the transaction failed: then nothing of
 * it is stored, unless the connection was lost while the commit was under way. Opens a transaction
 * itself.
 */
enum err pg_commit_run(struct pg_commit *c, const struct command *command, uint64_t payer);

#endif
