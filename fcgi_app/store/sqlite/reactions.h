/*
 * reactions.h - the rows that cleared reactions leave behind: housekeeping deletes them in batches.
 *
 * Clearing a set of reactions writes one row, whatever the set's size. The rows of the users stay
 * until then.
 */
#ifndef IMD_STORE_SQLITE_REACTIONS_H
#define IMD_STORE_SQLITE_REACTIONS_H

#include "store/reactions.h"

/* A cleared set that still has rows; 0: there is none. Needs no write transaction. */
enum err reactions_cleared(struct db *db, int64_t *set);
/*
 * Deletes at most `limit` rows of a cleared set; *done: those were the last, and the set is gone.
 * Needs a write transaction.
 */
enum err reactions_sweep(struct db *db, int64_t set, int limit, bool *done);

#endif
