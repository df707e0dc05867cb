/*
 * conversations.h - the table conversation.
 *
 * Functions that take a `struct tx` need a write transaction; those that take a `struct db` need
 * none, but several of them tell one story only inside one.
 */
#ifndef IMD_STORE_CONVERSATIONS_H
#define IMD_STORE_CONVERSATIONS_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

/*
 * Fills *c but for its members; the title from the arena. *found false: there is none of that id.
 */
enum err conversations_get(struct db *db, struct arena *arena, int32_t id, struct conversation *c,
                           bool *found);
/* The least that sending needs to know of a conversation. */
struct posting {
    struct str sender;                /* in */
    struct conversation conversation; /* in: its id; out: what conversations_bump() changes, if found */
    bool found;                       /* out: there is a conversation of that id */
    bool is_member;                   /* out: the sender is a member of it now */
};

/* Fills the outputs of the posting. */
enum err conversations_for_sender(struct db *db, struct posting *posting);
/* The private chat of the pair; low < high in byte order. */
enum err conversations_by_pair(struct db *db, struct str low, struct str high, int32_t *id, bool *found);
/*
 * A new one, at version 1, without messages. Of *c, the type, title, invite_only and member_count
 * are in, all but the members out; low and high: the pair of a private chat in byte order, absent
 * for a group.
 */
enum err conversations_add(struct tx *tx, struct str low, struct str high, struct conversation *c);

/* A creator's own key for a conversation that they create. */
struct creation_key {
    struct str creator;   /* "": nobody is named */
    struct str client_id; /* absent: no key is given */
    int fingerprint;      /* messages_fingerprint() of what is asked for */
};

/* The conversation that was created under the key, and in *fingerprint what was asked for then. */
enum err conversations_by_key(struct db *db, const struct creation_key *key, int32_t *id, int *fingerprint,
                              bool *found);
/* Notes that the conversation was created under the key. */
enum err conversations_add_key(struct tx *tx, const struct creation_key *key, int32_t id);
/*
 * Counts a change: c->version + 1, updated_at = tick, last_seq + `messages`, member_count +
 * `members`. Updates *c and the row, and what finds a member's active conversations
 * (memberships.h). So memberships_add() and memberships_end() come after it.
 */
enum err conversations_bump(struct tx *tx, struct conversation *c, int messages, int members);
/* Stores c->title and c->invite_only. */
enum err conversations_set_settings(struct tx *tx, const struct conversation *c);

#endif
