/*
 * markers.h - the table read_marker: how far each user has read in each conversation.
 *
 * Functions that take a `struct tx` need a write transaction. Those that take a `struct db` need
 * none.
 */
#ifndef IMD_STORE_MARKERS_H
#define IMD_STORE_MARKERS_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

/* 0: the user has never read there. */
enum err markers_get(struct db *db, int32_t conversation, struct str username, int64_t *seq);
enum err markers_set(struct tx *tx, int32_t conversation, struct str username, int64_t seq);
/*
 * Returns the markers of the present members, in byte order of user names; *markers from the arena.
 */
enum err markers_of_conversation(struct db *db, struct arena *arena, int32_t conversation,
                                 struct read_marker **markers, size_t *count);

/* A conversation in which a user has read. */
struct moved_marker {
    int32_t conversation;
    int64_t updated_at; /* UNIX ms: of the conversation */
};

/* A walk over a user's markers, in the order in which they moved, one bounded batch at a time. */
struct moved_walk {
    struct str username;
    int64_t from;               /* moves on: markers that moved at this moment (UNIX ms) or later … */
    int32_t beyond;             /* … moves on: at `from` itself, in conversations beyond; 0: in all */
    int rows;                   /* of a batch, at most */
    struct moved_marker *moved; /* out: the next ones, from the arena … */
    size_t count;               /* … so many; fewer than `rows`: the walk is at its end */
};

/*
 * Reads the next batch: markers in conversations of which the user still is a member. Advances the
 * walk.
 */
enum err markers_moved(struct db *db, struct arena *arena, struct moved_walk *walk);

#endif
