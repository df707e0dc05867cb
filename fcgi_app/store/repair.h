/*
 * repair.h - repairs the timestamps that a wrong clock put into the future.
 *
 * imd must be stopped. It reads every row.
 */
#ifndef IMD_STORE_REPAIR_H
#define IMD_STORE_REPAIR_H

#include <stdint.h>
#include "base/err.h"

struct repair;

/* The times after `now_ms`. */
struct repair_view {
    int64_t moments;    /* the number of different times after it; 0: there is nothing to repair */
    int64_t last_ms;    /* the latest of them, UNIX ms */
    int64_t messages;   /* with such a timestamp */
    int64_t message_id; /* the highest id of a message, up to which repair_clock() counts */
};

/*
 * Opens the database of the URI (store.h), which is borrowed, for this process alone. Returns NULL,
 * or a sentence that says why it cannot be repaired; then nothing is open.
 */
const char *repair_open(struct repair **out, const char *uri);
void repair_close(struct repair *r);

/* Fills *view. ERR_STORAGE. */
enum err repair_look(struct repair *r, int64_t now_ms, struct repair_view *view);

/*
 * Moves all times that lie ahead of `now_ms` back, so that the latest is now; intervals stay where
 * there is room, and order and differences stay in any case: where more moments must fit than there
 * are milliseconds since the last right one, they follow it closely. Numbers, order and contents
 * stay. The database gets another epoch, so that clients start over, and what was still to be
 * pushed is dropped. All in one transaction. Calls back as messages are done, with the highest id
 * of those. ERR_STORAGE: nothing has changed.
 */
enum err repair_clock(struct repair *r, int64_t now_ms, void (*progress)(void *arg, int64_t message_id),
                      void *arg);

#endif
