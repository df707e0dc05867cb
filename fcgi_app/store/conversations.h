/*
 * conversations.h - the table conversation.
 *
 * Functions that take a `struct tx` need a write transaction. Those that take a `struct db` need
 * none, but several of them agree with each other only inside one.
 */
#ifndef IMD_STORE_CONVERSATIONS_H
#define IMD_STORE_CONVERSATIONS_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

/*
 * Fills *c except its members. The title is from the arena. *found: there is a conversation of that
 * id.
 */
enum err conversations_get(struct db *db, struct arena *arena, int32_t id, struct conversation *c,
                           bool *found);
/* Everything that sending a message needs to know about its conversation. */
struct posting {
    struct str sender;                /* in */
    struct conversation conversation; /* in: its id; out: what conversations_bump() changes, if found */
    bool found;                       /* out: there is a conversation of that id */
    bool is_member;                   /* out: the sender is a member of it now */
};

/* Fills the outputs of the posting. */
enum err conversations_for_sender(struct db *db, struct posting *posting);
/* Returns in *id the private chat of the pair; low < high in byte order. */
enum err conversations_by_pair(struct db *db, struct str low, struct str high, int32_t *id, bool *found);
/*
 * Adds a conversation, at version 1, without messages. Reads the type, title, invite_only and
 * member_count of *c, and fills the rest of *c except the members. low and high: the pair of a
 * private chat in byte order, absent for a group.
 */
enum err conversations_add(struct tx *tx, struct str low, struct str high, struct conversation *c);

/* The idempotency key of a creation. */
struct creation_key {
    struct str creator;   /* "": an anonymous caller without a name */
    struct str client_id; /* absent: no key is given */
    int fingerprint;      /* messages_fingerprint() of the request */
};

/*
 * Returns the conversation that was created under the key, and in *fingerprint that of its request.
 */
enum err conversations_by_key(struct db *db, const struct creation_key *key, int32_t *id, int *fingerprint,
                              bool *found);
/* Records that the conversation was created under the key. */
enum err conversations_add_key(struct tx *tx, const struct creation_key *key, int32_t id);
/*
 * Counts a change: c->version + 1, updated_at = tick, last_seq + `messages`, member_count +
 * `members`. Updates *c, its row, and the data by which a member's active conversations are found
 * (memberships.h). Call it before memberships_add() and memberships_end().
 */
enum err conversations_bump(struct tx *tx, struct conversation *c, int messages, int members);
/* Stores c->title and c->invite_only. */
enum err conversations_set_settings(struct tx *tx, const struct conversation *c);

#endif
