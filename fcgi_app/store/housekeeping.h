/*
 * housekeeping.h - housekeeping of the database, on a thread of the relay, so that no request ever
 * does it: copies the write-ahead log into the database file before it grows long, and sweeps
 * delivered outbox rows when no writer comes by to do it, takes deleted content out of the log, and
 * keeps the database's witness.
 */
#ifndef IMD_STORE_HOUSEKEEPING_H
#define IMD_STORE_HOUSEKEEPING_H

#include "run/shared.h"

struct housekeeping;

/*
 * Opens a connection of its own and starts the thread. Borrows `uri` (store.h) and `shared`. *out
 * is NULL if the engine needs no housekeeping. ERR_STORAGE, ERR_MEMORY, ERR_IO, ERR_CONFIG.
 */
enum err housekeeping_start(struct housekeeping **out, const char *uri, struct shared *shared);
/* Ends the thread and closes. NULL is allowed. */
void housekeeping_stop(struct housekeeping *h);

#endif
