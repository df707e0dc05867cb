/*
 * witness.h - notices that a database is not what it was: a restored backup, or a copy from
 * elsewhere.
 *
 * Clients hold versions of the conversations they know. A database that has gone back in time would
 * give the same versions to other changes, and no client could tell; so it gets a new epoch, and
 * they start over. What it was is told by a small file beside it, DATABASE-witness: its epoch, how
 * far its tick had come, and which file it is: its inode and the moment at which that was made.
 * Both last as long as the file, whatever is mounted where. The number of its device does not: it
 * may be another one after each boot (btrfs, overlay, NFS).
 */
#ifndef IMD_STORE_SQLITE_WITNESS_H
#define IMD_STORE_SQLITE_WITNESS_H

#include <stdbool.h>
#include "store/sqlite/db.h"

/*
 * At the start, before anybody else has the database open: gives it a new epoch, and drops what was
 * still to be pushed, where it is behind the witness, another file than the witness knows, or
 * (unless `expected`: it has just come into being) without a witness. Opens a transaction.
 * ERR_STORAGE.
 */
enum err witness_check(struct db *db, const char *path, bool expected);
/*
 * Writes down how far the database has come; from now and then, and at the end. *noted_tick is the
 * caller's, 0 to begin; nothing is written while it stands. What cannot be written is logged: a new
 * epoch too many does no harm.
 */
void witness_note(struct db *db, const char *path, int64_t *noted_tick);

#endif
