/* memberships.h - memberships, as the rest of this engine reads and touches them. */
#ifndef IMD_STORE_SQLITE_MEMBERSHIPS_H
#define IMD_STORE_SQLITE_MEMBERSHIPS_H

#include "store/memberships.h"
#include "store/sqlite/db.h"

/*
 * Returns the stay of the current row, whose columns from `column` on are those of the macro STAY
 * of sql.c.
 */
struct stay memberships_stay_of(struct stmt *s, int column);

/*
 * Sets active_at of all present members: to tx->tick, or to ACTIVE_ALWAYS if *c has many members.
 * Only an engine that finds a user's active conversations by active_at needs this. conversations.c
 * calls it so that active_at is never more than ACTIVE_LAG_MS behind updated_at. Needs a write
 * transaction.
 */
enum err memberships_touch(struct tx *tx, const struct conversation *c);

#endif
