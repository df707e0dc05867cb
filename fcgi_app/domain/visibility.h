/*
 * visibility.h - what somebody sees of a message.
 *
 * Present members see all of it. Former members, who left or were removed, see no more than it was at the end
 * of their last stay: whoever writes after that does not write for them. Whether somebody received a message
 * at all is not decided here (domain/history.h).
 *
 * imd keeps no earlier states, so what is newer than the stay is left out:
 *   - the content, if the last edit is not older than the leaving: the two may share a tick;
 *   - the reactions, if the message changed after the leaving.
 * A deletion always shows, and so does the present state to whoever has joined again.
 *
 * Reads and pushes ask the same functions.
 */
#ifndef IMD_DOMAIN_VISIBILITY_H
#define IMD_DOMAIN_VISIBILITY_H

#include "base/arena.h"
#include "model/model.h"
#include "store/messages.h"
#include "store/store.h"

/* Who looks at messages, and as of when. */
struct view {
    const struct snapshot *snapshot;
    struct arena *arena; /* for what is read */
    struct str viewer;   /* absent: nobody in particular */
    bool may_be_former; /* the gate has not checked that the viewer is a present member or an administrator */
};

/* Returns a reader of messages for this viewer. It borrows the snapshot and the arena. */
struct message_reader visibility_reader(const struct view *view);

/* How a user's last stay in a conversation ended. */
struct ending {
    bool former;          /* false: they are a member now, and the rest is not set */
    int64_t left_at;      /* UNIX ms */
    int64_t left_version; /* of the conversation; the leaving itself is this change */
};

/* Leaves out of *m what a member whose stay ended so must not see. */
void visibility_withhold(struct message *m, const struct ending *ending);

/*
 * Does what is at version `now` still stand as the change that made `version` left it? If not, a push about
 * that change must show it to present members alone.
 */
bool visibility_is_current(int64_t now, int64_t version);

/* A user's last stay. Whoever never was a member is a former one, of before the first change. */
enum err visibility_ending(struct db *db, int32_t conversation, struct str username, struct ending *ending);

#define VISIBILITY_KEPT 64

/* One viewer of many messages, in one snapshot. */
struct visibility {
    struct db *db;     /* in: borrowed */
    struct str viewer; /* in: who was or is a member of the messages' conversations */
    struct {
        int32_t conversation; /* CONVERSATION_NONE: none yet */
        struct ending ending;
    } kept[VISIBILITY_KEPT]; /* looked up last, by conversation */
};

/*
 * Leaves out of *m what the viewer must not see. A message that was never changed costs no look, and
 * consecutive ones of a conversation share one.
 */
enum err visibility_apply(struct visibility *v, struct message *m);

#endif
