/*
 * janitor.h - housekeeping of the database, on a thread of the relay, so that no request ever does it:
 * copies the write-ahead log into the database file before it grows long, and sweeps delivered outbox rows
 * when no writer comes by to do it, takes deleted content out of the log, and keeps the database's witness.
 */
#ifndef IMD_RELAY_JANITOR_H
#define IMD_RELAY_JANITOR_H

#include "run/shared.h"

struct janitor;

/* Opens a connection of its own and starts the thread. `path` is borrowed. */
enum err janitor_start(struct janitor **out, const char *path, struct shared *shared);
/* Ends the thread and closes. */
void janitor_stop(struct janitor *j);

#endif
