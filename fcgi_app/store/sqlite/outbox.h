/* outbox.h - the part of the outbox for this engine alone: deleting changes that were pushed. */
#ifndef IMD_STORE_SQLITE_OUTBOX_H
#define IMD_STORE_SQLITE_OUTBOX_H

#include "store/outbox.h"

/* Deletes all changes up to `id`. Needs a write transaction. */
enum err outbox_trim(struct db *db, int64_t id);

#endif
