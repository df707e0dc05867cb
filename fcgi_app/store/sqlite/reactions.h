/*
 * reactions.h - the rows that cleared reactions leave behind. Housekeeping deletes them in batches.
 *
 * Clearing a set of reactions writes one row, whatever the set's size. The rows of its users remain
 * until then.
 */
#ifndef IMD_STORE_SQLITE_REACTIONS_H
#define IMD_STORE_SQLITE_REACTIONS_H

#include "store/reactions.h"

/*
 * Returns in *set a cleared set that still has rows; 0 if there is none. Needs no write
 * transaction.
 */
enum err reactions_cleared(struct db *db, int64_t *set);
/*
 * Deletes at most `limit` rows of a cleared set. *done: none is left, and the set is deleted. Needs
 * a write transaction.
 */
enum err reactions_sweep(struct db *db, int64_t set, int limit, bool *done);

#endif
