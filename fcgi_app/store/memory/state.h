/*
 * state.h - all tables at one moment, and the only functions that change them.
 *
 * Each change is noted, so that a failed command can be undone. The engine owns the bytes of all
 * strings until it is closed. States share them, and rows may point to them forever.
 */
#ifndef IMD_STORE_MEMORY_STATE_H
#define IMD_STORE_MEMORY_STATE_H

#include <stdatomic.h>
#include "base/arena.h"
#include "model/model.h"
#include "store/engine.h"
#include "store/memory/table.h"

/* The rows. Each is ordered by the members above its blank line. */
struct account_row {
    struct str name;
};

struct conversation_row {
    struct conversation conversation; /* by id; without members */

    struct str low, high; /* the pair of a private chat; absent: it is a group */
};

struct creation_row {
    struct str creator;
    struct str client_id;

    int32_t conversation;
    int fingerprint;
};

struct stay_row {
    int32_t conversation;
    struct str username;
    int64_t joined_version;

    int64_t version; /* of the last change to the user's standing; 0: superseded by a later stay */
    int64_t after;   /* this and the following as in struct stay */
    int64_t until;
    int64_t left_version;
    int64_t left_at;
    int64_t since_at;
    enum role role;
    bool removed;
};

struct marker_row {
    int32_t conversation;
    struct str username;

    int64_t seq;
    int64_t moved_at; /* UNIX ms */
};

struct message_row {
    struct message message; /* by conversation and seq; without reactions */

    int64_t version; /* of the conversation, that created it */
    int fingerprint; /* of the first content, once it was edited or deleted; -1: before that */
};

struct id_row {
    struct message_key key; /* by id */
};

struct reaction_row {
    int32_t conversation;
    int64_t seq;
    struct str emoji; /* plain */
    struct str username;
};

struct outbox_row {
    struct change change; /* by id */
};

/* The last ids that were assigned. */
struct tx_counters {
    int64_t last_message_id;
    int64_t last_change;
};

enum table_name { ACCOUNT, CONVERSATION, CREATION, STAY, MARKER, MESSAGE, ID, REACTION, OUTBOX, TABLE_COUNT };

struct undo {
    enum table_name table;
    const void *old; /* the row as it was; NULL: it was added */
    const void *new; /* the row as it is, or at least its key; NULL: it was deleted */
};

/* Room for the sentence that names a read which its command did not declare. */
#define UNDECLARED_BYTES 256

struct state {
    struct db face; /* first */
    struct table tables[TABLE_COUNT];
    struct instance instance;
    atomic_int users;     /* the engine, if this is its newest state, and snapshots */
    struct arena *bytes;  /* of all strings: the engine's */
    struct arena noted;   /* the rows that `changes` points to */
    struct undo *changes; /* since the command began */
    size_t change_count;
    size_t change_room;
    bool touched;                      /* the command stores something other than rows */
    const struct command_reads *reads; /* declared by the running command; NULL: none runs */
    char undeclared[UNDECLARED_BYTES]; /* the first read that it did not declare (declared.h); "": none */
};

/* Returns the state behind a handle of the interface. */
static inline struct state *
state_of(struct db *db)
{
    return (struct state *)(void *)db;
}

/* Returns a table of the handle's state. */
static inline const struct table *
state_table(const struct db *db, enum table_name table)
{
    return &((const struct state *)(const void *)db)->tables[table];
}

/* Makes an empty state with one user; borrows `bytes`. NULL: out of memory. */
struct state *state_new(struct arena *bytes);
/* Makes a copy with one user. NULL: out of memory. */
struct state *state_copy(const struct state *state);
/* Removes a user, and frees the state after the last. NULL is allowed. */
void state_leave(struct state *state);

/* Copies the string for the engine's life; an absent one stays absent. ERR_MEMORY. */
enum err state_keep(struct db *db, struct str *text);
/*
 * Adds a copy of the row, whose strings must be kept. ERR_STORAGE: there is a row with this key.
 * ERR_MEMORY.
 */
enum err state_add(struct db *db, enum table_name table, const void *row);
/* Notes the row as it is. The caller may then change everything except its key. ERR_MEMORY. */
enum err state_change(struct db *db, enum table_name table, const void *row);
/* Deletes row i. ERR_MEMORY. */
enum err state_delete(struct db *db, enum table_name table, size_t i);
/* True if anything has changed since the command began. */
bool state_changed(const struct state *state);
/* Forgets the noted changes: the command is done. */
void state_accept(struct state *state);
/* Undoes every change of the command. */
void state_undo(struct state *state);

/* True if there is an account of that name. */
bool state_has_account(const struct db *db, struct str name);
/* Return NULL if there is none. */
struct conversation_row *state_conversation(const struct db *db, int32_t id);
struct message_row *state_message(const struct db *db, int32_t conversation, int64_t seq);

#endif
