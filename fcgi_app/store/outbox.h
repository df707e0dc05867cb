/*
 * outbox.h - the table outbox: committed changes that nchan has not acknowledged yet.
 *
 * The engine deletes acknowledged changes (shared->acknowledged_change) by itself, with a later
 * command.
 */
#ifndef IMD_STORE_OUTBOX_H
#define IMD_STORE_OUTBOX_H

#include "model/model.h"
#include "base/str.h"
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
/*
 * Calls back with changes after `id`, in order, at most `limit`, until `each` says false; strings
 * live for the call.
 */
enum err outbox_after(struct db *db, int64_t id, int limit,
                      bool (*each)(void *arg, const struct change *change), void *arg);
/* Returns the lowest id in the outbox; 0 if it is empty. */
enum err outbox_oldest(struct db *db, int64_t *id);

#endif
