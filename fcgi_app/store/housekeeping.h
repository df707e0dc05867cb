/*
 * housekeeping.h - housekeeping of the database, on a thread of the relay, so that no request ever
 * does it. It deletes acknowledged outbox rows if no writer does, deletes the rows of cleared
 * reactions in batches, and checks the clock. An engine that writes to a log first also keeps the
 * log short and free of deleted content.
 *
 * If several hosts share the database, it also decides whose relay publishes: one at a time,
 * because the order of pushes is the order of commits. It keeps shared->relay_stands_by, and
 * announces the commits of other hosts.
 */
#ifndef IMD_STORE_HOUSEKEEPING_H
#define IMD_STORE_HOUSEKEEPING_H

#include "run/shared.h"
#include "store/store.h"

struct housekeeping;

/*
 * Opens a separate connection and starts the thread. On return shared->relay_stands_by is true
 * unless this relay is the only one that there can be. Borrows `uri` (store.h) and `shared`. *out
 * is NULL if the engine needs no housekeeping. ERR_STORAGE, ERR_MEMORY, ERR_IO, ERR_CONFIG.
 */
enum err housekeeping_start(struct housekeeping **out, const char *uri, struct shared *shared);
/* Ends the thread and closes its connection. NULL is allowed. */
void housekeeping_stop(struct housekeeping *h);

/* The engine's log of writes that are not in the database file yet. An engine without one has 0. */
struct housekeeping_view {
    int64_t log_pages;   /* its length after the last commit, in pages of the engine */
    int64_t checkpoints; /* how often it was copied completely since the start */
};

/* Fills *view, without reading the database. `shared`: that of the store. */
void housekeeping_look(const struct store *s, struct shared *shared, struct housekeeping_view *view);

#endif
