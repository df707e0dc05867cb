/*
 * reactions.h - the engine's part of reactions: reading those of a whole batch of messages, and
 * sweeping. Clearing reactions leaves their rows, which housekeeping deletes in batches.
 */
#ifndef IMD_STORE_PG_REACTIONS_H
#define IMD_STORE_PG_REACTIONS_H

#include "store/reactions.h"

/* The messages of a batch that have reactions. Zeroed at first, except for the viewer. */
struct pg_reacted {
    struct str viewer;         /* as in reactions_read() */
    struct message **messages; /* from the arena … */
    size_t count;              /* … so many */
};

/* Notes the message if it has reactions. It must stay where it is. ERR_MEMORY. */
enum err pg_reactions_note(struct arena *arena, struct pg_reacted *reacted, struct message *m);
/*
 * Does for all noted messages what reactions_read() does for one, in at most one round trip.
 * ERR_STORAGE, ERR_MEMORY.
 */
enum err pg_reactions_read_all(struct db *db, struct arena *arena, const struct pg_reacted *reacted);

/*
 * Returns in *set a cleared set that still has rows; 0: there is none. Needs no write transaction.
 */
enum err pg_reactions_cleared(struct db *db, int64_t *set);
/*
 * Deletes at most `limit` rows of a cleared set, and with the last rows the set. Needs a write
 * transaction.
 */
enum err pg_reactions_sweep(struct db *db, int64_t set, int limit);

#endif
