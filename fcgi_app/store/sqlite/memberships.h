/*
 * memberships.h - keeps membership.active_at within ACTIVE_LAG_MS of its conversation's updated_at.
 *
 * An engine that finds a user's active conversations otherwise needs no such column.
 */
#ifndef IMD_STORE_SQLITE_MEMBERSHIPS_H
#define IMD_STORE_SQLITE_MEMBERSHIPS_H

#include "store/memberships.h"

/*
 * Sets active_at of all present members to tx->tick; to ACTIVE_ALWAYS if *c has many members. Needs a write
 * transaction.
 */
enum err memberships_touch(struct tx *tx, const struct conversation *c);

#endif
