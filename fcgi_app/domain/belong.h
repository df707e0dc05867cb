/* belong.h - the commands about who belongs to a conversation: join, leave, add, remove, and their roles. */
#ifndef IMD_DOMAIN_BELONG_H
#define IMD_DOMAIN_BELONG_H

#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

/*
 * What a role lets its holder do in a group. Private chats have none; in a group without an owner (nobody was
 * named as its creator) each member may rename it, and nobody but an administrator of the site may do the
 * rest.
 *
 *   member  add others, unless they were removed
 *   admin   remove members, bring them back, delete others' messages, rename, say whether anybody may join
 *   owner   give roles, remove admins; one at a time, and when they leave another takes their place
 */

/* Whose belonging is to change, where, and by whom. */
struct belonging {
    struct arena *arena;
    int32_t conversation;
    struct actor actor;  /* who does it; username absent: the user in question */
    struct str username; /* the user in question */
    enum role role;      /* belong_set(): which to give, ROLE_NONE: none is meant; out: which they have */
};

/*
 * All of these: what is so already is a success that changes nothing. Checked first, in this order:
 * ERR_CONVERSATION_UNKNOWN, ERR_JOIN_PRIVATE or ERR_LEAVE_PRIVATE, ERR_USERNAME_UNKNOWN (bad or unknown; but
 * belong_set() creates an unknown user, and who has proved who they are may join unnamed). Each opens a
 * transaction.
 *
 * belong_join: by themselves, ERR_INVITE_ONLY, ERR_REMOVED; by another, ERR_NOT_YOURSELF where that is no
 * member, ERR_ROLE where it takes an admin to bring them back.
 */
enum err belong_join(struct store *store, struct belonging *b);
/* By themselves. The last owner's place goes to who has been there longest, admins first. */
enum err belong_leave(struct store *store, struct belonging *b);
/*
 * As belong_join(), and then gives b->role where one is meant. ERR_NOT_A_MEMBER, ERR_ROLE; ERR_OWNER where
 * the owner would be none and nobody else become it.
 */
enum err belong_set(struct store *store, struct belonging *b);
/* As belong_leave() where it is themselves. ERR_NOT_A_MEMBER, ERR_ROLE. */
enum err belong_remove(struct store *store, struct belonging *b);

/* May the actor do in this conversation what takes that role? ERR_NOT_A_MEMBER, ERR_ROLE. Needs a
 * transaction. */
enum err belong_check_role(struct db *db, const struct conversation *c, struct actor actor, enum role needed);

#endif
