/*
 * outbox.h - the engine's part of the outbox: notifying other hosts, and deleting delivered
 * changes.
 */
#ifndef IMD_STORE_PG_OUTBOX_H
#define IMD_STORE_PG_OUTBOX_H

#include "store/outbox.h"

/*
 * Announces changes up to `id` to the relay that publishes, on any host. Takes effect with the
 * commit.
 */
enum err pg_outbox_notify(struct db *db, int64_t id);
/* Deletes all changes up to `id`. Needs a write transaction. */
enum err pg_outbox_trim(struct db *db, int64_t id);

#endif
