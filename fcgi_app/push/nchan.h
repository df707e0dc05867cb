/*
 * nchan.h - publishes to nchan: HTTP POSTs, pipelined over one kept connection on a unix socket.
 *
 * A publish may carry a ticket, and tickets come back in order as nchan answers. A failure loses
 * the connection and everything in flight: the caller then publishes again from the first ticket
 * that did not come back. Never blocks. For one thread.
 */
#ifndef IMD_PUSH_NCHAN_H
#define IMD_PUSH_NCHAN_H

#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"

/* The most channels that nchan accepts in one request. */
#define NCHAN_CHANNELS_MAX 255

struct nchan;

/* Creates a client that does not connect yet. `path` is borrowed. */
enum err nchan_new(struct nchan **out, const char *path);
void nchan_free(struct nchan *n);

/* ERR_IO: no server listens at the path. */
enum err nchan_connect(struct nchan *n);
bool nchan_connected(const struct nchan *n);
/* Closes the connection and discards everything in flight. */
void nchan_disconnect(struct nchan *n);

/* For poll(): the descriptor, and whether anything waits to be written. */
int nchan_fd(const struct nchan *n);
bool nchan_wants_write(const struct nchan *n);

/*
 * True if nchan should be given more. The next batch waits until nchan has given several answers,
 * and so grows while nchan is busy.
 */
bool nchan_has_room(const struct nchan *n);
bool nchan_in_flight(const struct nchan *n);
/* Returns how many bytes are queued and not yet written. */
size_t nchan_queued_bytes(const struct nchan *n);
/*
 * Queues one publish: `body` to `channels`, 1 … NCHAN_CHANNELS_MAX names joined by ",". ERR_MEMORY.
 */
enum err nchan_publish(struct nchan *n, struct str channels, struct str body);
/* Sets or replaces the ticket of the last publish. At least one must be in flight. */
void nchan_set_ticket(struct nchan *n, int64_t ticket);

/* Writes as much as the socket accepts. ERR_IO: disconnect. */
enum err nchan_write(struct nchan *n);
/*
 * Reads what has arrived, and calls `answered` for each answer with its ticket (0: none).
 *
 * A publish that nchan refuses for its content (400, 403, 413, 414) is logged and counts as
 * answered, because a retry would be refused too. ERR_REFUSED: nchan refused one for another
 * reason, such as full memory; disconnect. ERR_IO: disconnect; nchan is gone, or its Redis is
 * (503, or any such refusal that says X-Redis), and no publish is to blame. ERR_MEMORY.
 */
enum err nchan_read(struct nchan *n, void (*answered)(void *arg, int64_t ticket), void *arg);

#endif
