/*
 * markers.h - the table read_marker: how far each user has read in each conversation.
 *
 * Functions that take a `struct tx` need a write transaction; those that take a `struct db` need none.
 */
#ifndef IMD_STORE_MARKERS_H
#define IMD_STORE_MARKERS_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

/* 0: the user has never read there. */
enum err markers_get(struct db *db, int32_t conversation, struct str username, int64_t *seq);
enum err markers_set(struct tx *tx, int32_t conversation, struct str username, int64_t seq);
/* Those of the present members, by user name in byte order; *markers from the arena. */
enum err markers_of_conversation(struct db *db, struct arena *arena, int32_t conversation,
                                 struct read_marker **markers, size_t *count);
/*
 * The user's conversations where they have read since `after` (UNIX ms) and still are a member, with the
 * conversation's updated_at.
 */
enum err markers_moved(struct db *db, struct str username, int64_t after,
                       bool (*each)(void *arg, int32_t conversation, int64_t updated_at), void *arg);

#endif
