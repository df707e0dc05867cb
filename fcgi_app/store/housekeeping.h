/*
 * housekeeping.h - housekeeping of the database, on a thread of the relay, so that no request ever
 * does it. It copies the write-ahead log into the database file before the log grows long, removes
 * deleted content from the log, deletes acknowledged outbox rows if no writer does, and keeps the
 * database's witness up to date.
 *
 * If several hosts share the database, it also decides whose relay publishes: one at a time,
 * because the order of pushes is the order of commits. It keeps shared->relay_stands_by, and
 * announces the commits of other hosts.
 */
#ifndef IMD_STORE_HOUSEKEEPING_H
#define IMD_STORE_HOUSEKEEPING_H

#include "run/shared.h"

struct housekeeping;

/*
 * Opens a connection of its own and starts the thread. On return shared->relay_stands_by is true
 * unless this relay is the only one that there can be. Borrows `uri` (store.h) and `shared`. *out
 * is NULL if the engine needs no housekeeping. ERR_STORAGE, ERR_MEMORY, ERR_IO, ERR_CONFIG.
 */
enum err housekeeping_start(struct housekeeping **out, const char *uri, struct shared *shared);
/* Ends the thread and closes its connection. NULL is allowed. */
void housekeeping_stop(struct housekeeping *h);

#endif
