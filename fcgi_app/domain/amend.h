/* amend.h - the commands that change a sent message: edit, delete, react. */
#ifndef IMD_DOMAIN_AMEND_H
#define IMD_DOMAIN_AMEND_H

#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

struct amendment {
    struct arena *arena;    /* in */
    int64_t id;             /* in: of the message */
    struct actor actor;     /* in: who changes it */
    struct str content;     /* in: for amend_edit(): the new content */
    struct str emoji;       /* in: for the reactions */
    struct message message; /* out: after the command */
};

/*
 * Replaces the content. Only the sender may, while they are a member; a site administrator who acts
 * as themselves need not be one. Idempotent: the same content again changes nothing. Checked in
 * this order: ERR_MESSAGE_UNKNOWN, ERR_NOT_THE_SENDER, ERR_NOT_A_MEMBER, ERR_MESSAGE_DELETED. Opens
 * a transaction.
 */
enum err amend_edit(struct store *store, struct amendment *a);
/*
 * Leaves a tombstone without content and reactions. The sender may, member or not, and so may an
 * admin of the group. Idempotent. ERR_MESSAGE_UNKNOWN, ERR_NOT_THE_SENDER. Opens a transaction.
 */
enum err amend_delete(struct store *store, struct amendment *a);

/*
 * Adds or removes the actor's reaction. Both are idempotent. Checked in this order:
 * ERR_MESSAGE_UNKNOWN, ERR_NOT_A_MEMBER; and for adding ERR_MESSAGE_DELETED,
 * ERR_TOO_MANY_REACTIONS. Each opens a transaction.
 */
enum err amend_react(struct store *store, struct amendment *a);
enum err amend_unreact(struct store *store, struct amendment *a);
/*
 * Removes all reactions with that emoji. Users who may delete the message may; its sender only
 * while they are a member. ERR_MESSAGE_UNKNOWN, ERR_NOT_THE_SENDER, ERR_NOT_A_MEMBER. Opens a
 * transaction.
 */
enum err amend_clear(struct store *store, struct amendment *a);

#endif
