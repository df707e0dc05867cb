/*
 * pipe.h - a kept connection to nginx's push socket: pipelined HTTP requests, with answers in
 * order.
 *
 * Never blocks. After an error, close the connection; everything in flight is lost. For one thread.
 */
#ifndef IMD_PUSH_PIPE_H
#define IMD_PUSH_PIPE_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct pipe {
    const char *path; /* of the socket; borrowed */
    int fd;           /* for poll(); -1: not connected */
    struct buf out;   /* requests not yet written completely: the caller adds to it */
    size_t written;   /* bytes of `out` that are written */
    struct buf in;    /* answers not yet taken */
    size_t taken;     /* bytes of `in` that are taken */
};

/* Initialises the caller's memory; does not connect. */
void pipe_init(struct pipe *p, const char *path);
/* Closes the connection and frees the buffers. */
void pipe_clear(struct pipe *p);

/* ERR_IO: nothing listens at the path. */
enum err pipe_connect(struct pipe *p);
/* Closes the connection, if there is one, and discards everything in flight. */
void pipe_close(struct pipe *p);

/* Returns how many bytes are queued and not yet written. */
size_t pipe_queued_bytes(const struct pipe *p);
/* Writes as much as the socket accepts. ERR_IO: the peer closed it. */
enum err pipe_write(struct pipe *p);
/* Reads once. *more: there may be more to read. ERR_IO: the peer closed it. ERR_MEMORY. */
enum err pipe_read(struct pipe *p, bool *more);

/* An HTTP answer, borrowed from the text that it was parsed from. */
struct pipe_answer {
    int status;
    struct str head; /* the header lines, with the empty line that ends them */
    struct str body;
};

/*
 * Takes the next complete answer; it is valid until pipe_read(). *found is false if there is none.
 * ERR_IO: the peer did not send an answer that imd understands.
 */
enum err pipe_take(struct pipe *p, struct pipe_answer *answer, bool *found);

/*
 * Parses the HTTP answer at the front of `text` and returns its length in bytes. 0: it is
 * incomplete. -1: it is not an answer that imd understands.
 */
long pipe_parse_answer(struct str text, struct pipe_answer *answer);
/*
 * Returns the value of the first complete line "name: value", whatever the case of the name.
 * Absent: there is none.
 */
struct str pipe_field(struct str lines, const char *name);

#endif
