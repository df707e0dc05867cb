/* belong.h - the membership commands: join, leave, add, remove, and give roles. */
#ifndef IMD_DOMAIN_BELONG_H
#define IMD_DOMAIN_BELONG_H

#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

/*
 * The rights of each role in a group. Private chats have no roles. In a group without an owner
 * (none was named when it was created) each member may rename it, and only a site administrator may
 * do the rest.
 *
 *   member  add users, unless they were removed
 *   admin   remove members, bring them back, delete others' messages, rename the group, set who
 *           may join
 *   owner   give roles, remove admins. A group has one owner. When the owner leaves, another takes
 *           over
 */

/* A change of one user's membership. */
struct belonging {
    struct arena *arena;
    int32_t conversation;
    struct actor actor;  /* username absent: the user themselves */
    struct str username; /* whose membership changes */
    enum role role;      /* for belong_set(): the role to give, ROLE_NONE: none; out: the user's role */
};

/*
 * All of these are idempotent. They check first, in this order: ERR_CONVERSATION_UNKNOWN,
 * ERR_JOIN_PRIVATE or ERR_LEAVE_PRIVATE, ERR_USERNAME_UNKNOWN (invalid or unknown). But
 * belong_set() creates an unknown user, and an authenticated user may join before they have an
 * account. Each opens a transaction.
 *
 * belong_join: for users who join by themselves, ERR_INVITE_ONLY, ERR_REMOVED. For users who add
 * another, ERR_NOT_YOURSELF if they are not a member, ERR_ROLE if only an admin may bring the user
 * back.
 */
enum err belong_join(struct store *store, struct belonging *b);
/*
 * Ends the user's own stay. If they own the group, the admin who has been there longest becomes the
 * owner, else the member.
 */
enum err belong_leave(struct store *store, struct belonging *b);
/*
 * Adds the user as belong_join() does, and then gives b->role if it is set. ERR_NOT_A_MEMBER,
 * ERR_ROLE; ERR_OWNER if the group would lose its owner.
 */
enum err belong_set(struct store *store, struct belonging *b);
/* Ends the user's stay, by themselves or by another. ERR_NOT_A_MEMBER, ERR_ROLE. */
enum err belong_remove(struct store *store, struct belonging *b);

/*
 * Checks that the actor has at least the role `needed` in the conversation. ERR_NOT_A_MEMBER,
 * ERR_ROLE. Needs a transaction.
 */
enum err belong_check_role(struct db *db, const struct conversation *c, struct actor actor, enum role needed);

#endif
