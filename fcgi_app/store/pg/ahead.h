/*
 * ahead.h - reads what a group's commands have declared, for all of them in one round trip.
 *
 * Commands declare their reads (store/command.h). This reads those that most commands need:
 * conversations, found by id or by a message, the users' accounts, last stays and read markers, the
 * heads of messages, and whether an idempotency key was used. Each other read sends its own
 * statement.
 *
 * An entry here equals what the server would answer if it had all rows that are held back
 * (behind.h). So a function that writes a row must change or forget its entry. For a row without an
 * entry, the server is asked. Only the connection that writes has entries; on others, all functions
 * return NULL.
 */
#ifndef IMD_STORE_PG_AHEAD_H
#define IMD_STORE_PG_AHEAD_H

#include "store/group.h"
#include "store/memberships.h"
#include "store/pg/db.h"

/* A user by name. */
struct pg_known_account {
    struct str name;
    int64_t id; /* 0: no user has that name */
};

struct pg_known_conversation {
    struct conversation row; /* without its members; the title is from the group's memory */
    bool found;              /* whether there is a conversation with row.id */
    bool bumped;             /* pg_behind_bump() changed row, and the change is not sent yet */
    int64_t last_sender;     /* account.id of the newest message's sender; 0: no message, or unknown … */
    int64_t last_run;        /* … and its run */
    bool last_known;
};

/* A user's last stay in a conversation. */
struct pg_known_stay {
    int32_t conversation;
    struct str username;
    bool found;
    struct stay stay;
};

struct pg_known_marker {
    int32_t conversation;
    struct str username;
    int64_t seq; /* 0: the user has read nothing in it */
    bool moved;  /* pg_behind_mark() changed seq, and the change is not sent yet */
    int64_t moved_at;
};

struct pg_known_head {
    int64_t id;
    bool found;
    struct message message; /* as messages_head() reads it, from the group's memory */
};

/* An idempotency key that no message has. */
struct pg_unused_key {
    struct str sender;
    struct str client_id;
};

/* The lists have no order and are short: a few entries for each command of a group. */
struct pg_ahead {
    struct arena arena; /* reset with each group */
    struct pg_known_account *accounts;
    size_t account_count;
    struct pg_known_conversation *conversations;
    size_t conversation_count;
    struct pg_known_stay *stays;
    size_t stay_count;
    struct pg_known_marker *markers;
    size_t marker_count;
    struct pg_known_head *heads;
    size_t head_count;
    struct pg_unused_key *keys;
    size_t key_count;
    bool asked_standings; /* between pg_ahead_ask() and pg_ahead_read() */
    bool asked_heads;
    struct pg_behind *behind; /* store/pg/behind.h */
};

/* Forgets everything. Keeps `behind`. */
void pg_ahead_reset(struct pg_ahead *ahead);
/*
 * Sends the statements that read what the group's commands have declared. ERR_STORAGE, ERR_MEMORY.
 */
enum err pg_ahead_ask(struct db *db, const struct group_item *first);
/* Reads their answers. */
enum err pg_ahead_read(struct db *db);

/* Return an entry, valid until the next call that forgets. NULL: ask the server. */
struct pg_known_account *pg_ahead_account(struct db *db, struct str name);
struct pg_known_conversation *pg_ahead_conversation(struct db *db, int32_t id);
struct pg_known_stay *pg_ahead_stay(struct db *db, int32_t conversation, struct str username);
struct pg_known_marker *pg_ahead_marker(struct db *db, int32_t conversation, struct str username);
struct pg_known_head *pg_ahead_head(struct db *db, int64_t id);
/* True if it is known that the sender has sent nothing under the key. */
bool pg_ahead_unused(struct db *db, struct str sender, struct str client_id);

/* Forget the entry of a row that is being written. */
void pg_ahead_forget_conversation(struct db *db, int32_t id);
void pg_ahead_forget_stay(struct db *db, int32_t conversation, struct str username);
void pg_ahead_forget_head(struct db *db, int64_t id);
void pg_ahead_forget_unused(struct db *db, struct str sender, struct str client_id);

#endif
