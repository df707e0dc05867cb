/*
 * conversations.h - the table conversation.
 *
 * Functions that take a `struct tx` need a write transaction; those that take a `struct db` need none, but
 * several of them tell one story only inside one.
 */
#ifndef IMD_STORE_CONVERSATIONS_H
#define IMD_STORE_CONVERSATIONS_H

#include "base/arena.h"
#include "base/model.h"
#include "store/commit.h"

/* Fills *c but for its members; the title from the arena. *found false: there is none of that id. */
enum err conversations_get(struct db *db, struct arena *arena, int32_t id, struct conversation *c,
                           bool *found);
/* The least that sending needs: what conversations_bump() changes, and whether `sender` is a member now. */
enum err conversations_for_sender(struct db *db, int32_t id, struct str sender, struct conversation *c,
                                  bool *found, bool *is_member);
/* The private chat of the pair; low < high in byte order. */
enum err conversations_by_pair(struct db *db, struct str low, struct str high, int32_t *id, bool *found);
/*
 * A new one of `member_count` members, at version 1, without messages; low and high absent for a group. Fills
 * *c but for its members.
 */
enum err conversations_add(struct tx *tx, enum conversation_type type, struct str low, struct str high,
                           int64_t member_count, bool invite_only, struct conversation *c);
/*
 * Counts a change: c->version + 1, updated_at = tick, last_seq + `messages`, member_count + `members`.
 * Updates *c and the row, and where it is time its members' lists (memberships.h tells of them); so
 * memberships_add() and memberships_end() come after it.
 */
enum err conversations_bump(struct tx *tx, struct conversation *c, int messages, int members);
/* Stores c->title and c->invite_only. */
enum err conversations_set_face(struct tx *tx, const struct conversation *c);

#endif
