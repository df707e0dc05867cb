/* outbox.h - deleting the changes that are pushed: the engine's part of the outbox. */
#ifndef IMD_STORE_PG_OUTBOX_H
#define IMD_STORE_PG_OUTBOX_H

#include "store/outbox.h"

/*
 * Tells the relay that publishes, on whatever host, of changes up to `id`, once they are committed.
 */
enum err pg_outbox_notify(struct db *db, int64_t id);
/* Deletes all changes up to `id`. Needs a write transaction. */
enum err pg_outbox_trim(struct db *db, int64_t id);

#endif
