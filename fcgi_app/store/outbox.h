/*
 * outbox.h - the table outbox: committed changes that nchan has not acknowledged yet.
 *
 * The engine deletes acknowledged changes (shared->acknowledged_change) by itself, with a later
 * command.
 */
#ifndef IMD_STORE_OUTBOX_H
#define IMD_STORE_OUTBOX_H

#include "base/arena.h"
#include "base/str.h"
#include "model/model.h"
#include "store/tx.h"

/*
 * Adds a change at the present version of *c, whether or not it counted that version. Needs the
 * write transaction of the change.
 */
enum err outbox_add(struct tx *tx, enum change_event event, const struct conversation *c, int64_t seq,
                    struct str username);
/*
 * Does the same for a reaction to a message. An absent username: all reactions with the emoji were
 * cleared.
 */
enum err outbox_add_reaction(struct tx *tx, const struct conversation *c, const struct change *reaction);

/* A walk over the changes in the outbox, in order, one bounded batch at a time. */
struct outbox_walk {
    int64_t after;          /* id; advances */
    int rows;               /* the largest batch */
    struct change *changes; /* out: the next changes, with their strings, from the arena … */
    size_t count;           /* … so many; fewer than `rows`: there are no more */
};

/*
 * Copies the change's strings into the arena, because the engine's own copies do not last.
 * ERR_MEMORY.
 */
enum err outbox_keep(struct arena *arena, struct change *change);
/* Reads the next batch, and advances the walk. */
enum err outbox_after(struct db *db, struct arena *arena, struct outbox_walk *walk);
/* Returns the lowest id in the outbox; 0 if it is empty. */
enum err outbox_oldest(struct db *db, int64_t *id);

#endif
