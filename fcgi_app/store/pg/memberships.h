/* memberships.h - memberships, as the rest of this engine reads and touches them. */
#ifndef IMD_STORE_PG_MEMBERSHIPS_H
#define IMD_STORE_PG_MEMBERSHIPS_H

#include "store/memberships.h"
#include "store/pg/db.h"

/*
 * Returns the stay of the current row, where the columns of the macro STAY of sql.c begin at
 * `column`.
 */
struct stay pg_memberships_stay(struct pg_stmt *s, int column);

/*
 * Keeps active_at within ACTIVE_LAG_MS of the conversation's updated_at: sets active_at of all
 * present members to tx->tick, or to ACTIVE_ALWAYS if *c has many members. Needs a write
 * transaction.
 */
enum err pg_memberships_touch(struct tx *tx, const struct conversation *c);

#endif
