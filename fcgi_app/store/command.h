/*
 * command.h - a command, and what the engine must know before it runs: above all, what it will
 * read.
 *
 * An engine behind a network runs many commands at once. It fetches everything that they declare in
 * one round trip, runs their rules in memory, and writes in another round trip. SQLite reads on
 * demand and ignores the declaration. The engine in memory compares each read with the declaration,
 * so a unit test fails if a command of domain/ reads something undeclared.
 */
#ifndef IMD_STORE_COMMAND_H
#define IMD_STORE_COMMAND_H

#include "base/str.h"
#include "store/tx.h"

struct creation_key;

/* The number of users whose standing a command can declare: the actor, and the user acted upon. */
#define COMMAND_USERS 2

/*
 * What a command will read. A member that is absent, false or 0 declares nothing.
 *
 * A command is about the conversations that it declares, mostly one. Each is known by its id, or by
 * a row that leads to it: a message, a pair, a creation key. An engine finds it by a join, in the
 * same round trip. Of each declared conversation, the row is read.
 */
struct command_reads {
    /* The conversations. */
    int32_t conversation;                /* by id */
    int64_t message;                     /* id: the message's head, and the conversation it is in */
    struct str low;                      /* the private chat of this pair … */
    struct str high;                     /* … in byte order */
    const struct creation_key *creation; /* the key, and the conversation created under it */

    /* In each of them. */
    struct str users[COMMAND_USERS]; /* whether these accounts exist, and their last stays */
    bool marker;                     /* how far users[0] has read */
    bool names;                      /* the present members, if there are at most MEMBERS_FEW */
    bool owner;                      /* the present owner */

    /* Of the declared message. */
    bool content;
    bool reactions;   /* as users[0] sees them */
    struct str emoji; /* plain: whether anybody reacted with it, and whether users[0] did */

    /* Other messages. */
    struct str client_id; /* the message that users[0] sent under this key, with its reactions */
    int64_t reply_to;     /* id: where that message stands, no more */

    /* Reads that are not fetched ahead. Each may cost a round trip of its own. */
    bool heir; /* the next owner: only the reads above show whether one is needed */
    bool open; /* anything: for commands that no user waits for, such as those of tests */
};

struct command {
    command_fn *run;
    void *arg;    /* passed to `run` */
    size_t bytes; /* about how much it stores */
    struct command_reads reads;
};

#endif
