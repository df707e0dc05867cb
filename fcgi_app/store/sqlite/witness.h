/*
 * witness.h - detects a database that was replaced: by a restored backup, or by a copy from
 * elsewhere.
 *
 * Clients hold versions of conversations. A database that went back in time would assign the same
 * versions to other changes, and clients could not notice. So imd gives it a new epoch, and clients
 * start over.
 *
 * The small file DATABASE-witness records the expected state: the epoch, the last tick, and the
 * file's inode and time of creation. Inode and time belong to the file, wherever it is mounted. The
 * device number is not recorded, because it may differ after each boot (btrfs, overlay, NFS).
 */
#ifndef IMD_STORE_SQLITE_WITNESS_H
#define IMD_STORE_SQLITE_WITNESS_H

#include <stdbool.h>
#include "store/sqlite/db.h"

/*
 * Gives the database a new epoch, and deletes the outbox, if it is older than its witness, is
 * another file than its witness names, or has no witness. A missing witness is right if `expected`
 * is set, because the database is new. Call at the start, while no other process has the database
 * open. Opens a transaction. ERR_STORAGE.
 */
enum err witness_check(struct db *db, const char *path, bool expected);
/*
 * Records the present tick in the witness, unless it is *noted_tick. Call it regularly, and at the
 * end. *noted_tick belongs to the caller and begins as 0. A failed write is logged; it can only
 * lead to a superfluous new epoch.
 */
void witness_note(struct db *db, const char *path, int64_t *noted_tick);

#endif
