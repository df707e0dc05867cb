/*
 * nchan.h - publishing to nchan: HTTP POSTs, pipelined over one kept connection on a unix socket.
 *
 * Each publish may carry a ticket; the tickets come back in order as nchan answers. After any failure the
 * connection is gone with all that was in flight: whoever published does so again from the first ticket
 * that did not come back. Never blocks. For one thread.
 */
#ifndef IMD_PUSH_NCHAN_H
#define IMD_PUSH_NCHAN_H

#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"

/* As many channels as nchan takes in one request. */
#define NCHAN_CHANNELS_MAX 255

struct nchan;

/* Does not connect yet. `path` is borrowed. */
enum err nchan_new(struct nchan **out, const char *path);
void nchan_free(struct nchan *n);

/* ERR_IO where nobody listens. */
enum err nchan_connect(struct nchan *n);
bool nchan_connected(const struct nchan *n);
/* Forgets everything in flight. */
void nchan_disconnect(struct nchan *n);

/* For poll(): the descriptor, and whether something waits to be written. */
int nchan_fd(const struct nchan *n);
bool nchan_wants_write(const struct nchan *n);

/*
 * Has nchan answered so much that it should be given more? Many at once, rather than one for each answer,
 * lets the next batch grow while nchan is busy.
 */
bool nchan_has_room(const struct nchan *n);
bool nchan_in_flight(const struct nchan *n);
/* Bytes queued and not yet written. */
size_t nchan_queued_bytes(const struct nchan *n);
/* Queues one: `body` to `channels` (1 … NCHAN_CHANNELS_MAX names joined by ","). ERR_MEMORY. */
enum err nchan_publish(struct nchan *n, struct str channels, struct str body);
/* Gives the last publish in flight a ticket, or a later one. There must be one in flight. */
void nchan_set_ticket(struct nchan *n, int64_t ticket);

/* Writes what the socket takes. ERR_IO: disconnect. */
enum err nchan_write(struct nchan *n);
/*
 * Reads what the socket has and calls `answered` for each answer, with its ticket (0: none). A publish that
 * nchan refuses for what it is (400, 403, 413, 414) is logged and counts as answered: it would never get
 * better. ERR_REFUSED: nchan refused one for another reason; disconnect. ERR_IO: disconnect.
 */
enum err nchan_read(struct nchan *n, void (*answered)(void *arg, int64_t ticket), void *arg);

/* --- What all of push/ shares. */

/* A connection to the unix socket at `path` that never blocks; the caller's to close. -1: nobody listens. */
int nchan_open_socket(const char *path);

/* Borrowed from the text that it was parsed from. */
struct nchan_answer {
    int status;
    struct str head; /* the lines after the first, with the empty one that ends them */
    struct str body;
};

/*
 * Takes one HTTP answer off the front of `text`: its length in bytes. 0: not all there yet. -1: not an answer
 * that can be understood.
 */
long nchan_parse_answer(struct str text, struct nchan_answer *answer);
/* What follows "name:", in any case of letters, on the first such whole line; absent where there is none. */
struct str nchan_field(struct str lines, const char *name);

#endif
