/* amend.h - what happens to a message after it was sent: edit, delete, react. */
#ifndef IMD_DOMAIN_AMEND_H
#define IMD_DOMAIN_AMEND_H

#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

struct amendment {
    struct arena *arena;    /* in */
    int64_t id;             /* in: of the message */
    struct actor actor;     /* in: who amends it */
    struct str content;     /* in: the new one, for amend_edit() */
    struct str emoji;       /* in: for the reactions */
    struct message message; /* out: as it is afterwards */
};

/*
 * Another content. By the sender alone, who must be a member now; an administrator by their own authority
 * need not be. The same content again changes nothing. Checked in this order: ERR_MESSAGE_UNKNOWN,
 * ERR_NOT_THE_SENDER, ERR_NOT_A_MEMBER, ERR_MESSAGE_DELETED. Opens a transaction.
 */
enum err amend_edit(struct store *store, struct amendment *a);
/*
 * Leaves a stub without content and reactions. By the sender, member or not, or an admin of the group; again
 * changes nothing. ERR_MESSAGE_UNKNOWN, ERR_NOT_THE_SENDER. Opens a transaction.
 */
enum err amend_delete(struct store *store, struct amendment *a);

/*
 * Adds or removes the user's reaction; what is so already changes nothing. Checked in this order:
 * ERR_MESSAGE_UNKNOWN, ERR_NOT_A_MEMBER; and for adding ERR_MESSAGE_DELETED, ERR_TOO_MANY_REACTIONS. Open a
 * transaction.
 */
enum err amend_react(struct store *store, struct amendment *a);
enum err amend_unreact(struct store *store, struct amendment *a);
/*
 * Takes away everybody's reaction with that emoji. By whoever may delete the message, and is a member where
 * they are its sender. ERR_MESSAGE_UNKNOWN, ERR_NOT_THE_SENDER, ERR_NOT_A_MEMBER. Opens a transaction.
 */
enum err amend_clear(struct store *store, struct amendment *a);

#endif
