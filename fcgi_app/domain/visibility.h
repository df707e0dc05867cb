/*
 * visibility.h - what a viewer sees of a message.
 *
 * Present members see all of it. Former members, who left or were removed, see it at most as it was
 * at the end of their last stay: content that was written later is not meant for them.
 * domain/history.h decides whether a user received a message at all.
 *
 * imd keeps no earlier states of a message, so what is newer than the stay is left out:
 *   - the content, if it was last edited in the tick of the leaving or later;
 *   - the reactions, if the message changed after the leaving.
 * Deletions always show. Users who have joined again see the present state.
 *
 * Reads and pushes apply the same functions.
 */
#ifndef IMD_DOMAIN_VISIBILITY_H
#define IMD_DOMAIN_VISIBILITY_H

#include "base/arena.h"
#include "model/model.h"
#include "store/messages.h"
#include "store/store.h"

/* The viewer of messages and their snapshot. */
struct view {
    const struct snapshot *snapshot;
    struct arena *arena; /* for what is read */
    struct str viewer;   /* absent: none */
    bool may_be_former;  /* true unless the gate has checked that the viewer is a present member or an
                            administrator */
};

/* Returns a reader of messages for this viewer. It borrows the snapshot and the arena. */
struct message_reader visibility_reader(const struct view *view);

/* How a user's last stay in a conversation ended. */
struct ending {
    bool former;          /* false: they are a member now, and the rest is not set */
    int64_t left_at;      /* UNIX ms */
    int64_t left_version; /* of the conversation; the leaving itself is this change */
};

/* Removes from *m what a former member with this ending must not see. */
void visibility_withhold(struct message *m, const struct ending *ending);

/*
 * True if the state at version `now` is still the one that the change of `version` made. If not, a
 * push of that change must show the state to present members alone.
 */
bool visibility_is_current(int64_t now, int64_t version);

/*
 * Reads how the user's last stay ended. A user who never was a member counts as one who left before
 * the first change.
 */
enum err visibility_ending(struct db *db, int32_t conversation, struct str username, struct ending *ending);

#define VISIBILITY_KEPT 64

/* One viewer of many messages, in one snapshot. */
struct visibility {
    struct db *db;     /* in: borrowed */
    struct str viewer; /* in: a present or former member of the messages' conversations */
    struct {
        int32_t conversation; /* CONVERSATION_NONE: none yet */
        struct ending ending;
    } kept[VISIBILITY_KEPT]; /* the last lookups, by conversation */
};

/*
 * Removes from *m what the viewer must not see. Costs no lookup for a message that was never
 * changed, and one for consecutive messages of a conversation.
 */
enum err visibility_apply(struct visibility *v, struct message *m);

#endif
