/*
 * group.h - group commit, for engines: many commands, one transaction, each answered after it is
 * durable.
 *
 * A thread that wants to write queues its command. One thread at a time leads: it takes the lock
 * that all processes share, runs all queued commands in ONE transaction, and commits. Then it makes
 * the first thread that has queued meanwhile the leader, and wakes each thread whose command is
 * done. So under load one commit serves many commands.
 *
 * The engine says how a transaction begins and ends, and counts its writes.
 */
#ifndef IMD_STORE_GROUP_H
#define IMD_STORE_GROUP_H

#include "run/shared.h"
#include "store/command.h"

/* One command of a group. */
struct group_item {
    const struct command *command;
    uint64_t payer;          /* see struct tx */
    enum err err;            /* out: the command's result */
    struct group_item *next; /* NULL: the last of its group */
    _Atomic int state;       /* only group.c uses it */
};

/* What an engine does for its groups. `db` is the connection that writes. */
struct group_engine {
    /* Runs the group, all or nothing. ERR_STORAGE: nothing of it is stored. */
    enum err (*transact)(void *arg, struct group_item *first);
    /* Counts writes. If two calls return the same, nothing was written between them. */
    int64_t (*writes)(struct db *db);
    /* False if the transaction has failed. */
    bool (*in_transaction)(struct db *db);
};

struct group;

/* Borrows `shared` and `engine`. `arg` is passed to transact(). ERR_MEMORY. */
enum err group_open(struct group **out, const struct group_engine *engine, void *arg, struct shared *shared);
/* No command may be running. NULL is allowed. */
void group_close(struct group *g);

/*
 * Runs the command in a group's transaction. Returns after the commit, or when the command is
 * refused. `payer`: see struct tx. Returns the command's error, or ERR_STORAGE if the transaction
 * failed: then nothing of it is stored.
 */
enum err group_run(struct group *g, const struct command *command, uint64_t payer);

/*
 * For transact(), inside the transaction: runs the group's commands. *changed: whether a command
 * that was not refused has written something. ERR_STORAGE: the whole transaction must be rolled
 * back.
 */
enum err group_run_commands(struct group *g, struct tx *tx, struct group_item *first, bool *changed);
/*
 * For transact(): records whether the transaction was committed, if it had something to commit.
 * Needs the write lock.
 */
void group_note_outcome(struct group *g, enum err err, const struct group_item *first);

#endif
