/*
 * fastcgi.h - the client's side of FastCGI: writes a request as bytes, and reads an answer from
 * bytes.
 *
 * Written from the FastCGI specification, 1.0. libfcgi has no client side. What comes from the
 * socket is untrusted, like all input: it may be cut, lie about lengths, or never end.
 */
#ifndef IMD_IMCTL_FASTCGI_H
#define IMD_IMCTL_FASTCGI_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/str.h"

/* An answer with more bytes on its two streams together is broken. */
#define FASTCGI_ANSWER_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct fastcgi_request {
    struct str method;
    struct str path; /* of the table of routes, decoded */
    struct str query;
    struct str request_id; /* letters and digits */
    struct str body;       /* absent: none */
};

/* Appends the whole request. The connection is to be closed after its answer. */
void fastcgi_write(const struct fastcgi_request *request, struct buf *out);

enum fastcgi_verdict {
    FASTCGI_MORE,   /* so far it is an answer; more must come */
    FASTCGI_WHOLE,  /* a complete answer, and nothing after it */
    FASTCGI_BROKEN, /* not an answer, whatever follows */
};

/* An answer that is being received. Only fastcgi.c uses the members. */
struct fastcgi_answer {
    unsigned char header[8]; /* of the current record, as far as it has arrived */
    size_t header_n;
    size_t content_left; /* of the current record */
    size_t padding_left;
    unsigned char end[8]; /* the content of the END record */
    size_t end_n;
    struct buf output;  /* the stream STDOUT: head and body */
    size_t bytes_total; /* of both streams */
    enum fastcgi_verdict verdict;
};

/* The caller must call fastcgi_clear(). */
void fastcgi_init(struct fastcgi_answer *a);
void fastcgi_clear(struct fastcgi_answer *a);
/* Consumes the next n bytes. The verdict is on all bytes since fastcgi_init(). */
enum fastcgi_verdict fastcgi_feed(struct fastcgi_answer *a, const void *bytes, size_t n);

/* The parts of a whole answer, borrowed from it. */
struct fastcgi_reply {
    int status; /* 100 … 599 */
    struct str head;
    struct str body;
};

/*
 * Splits a whole answer. False: its head is not one of imd's, or the body is not as long as the
 * head says.
 */
bool fastcgi_read(const struct fastcgi_answer *a, struct fastcgi_reply *reply);
/* Returns the value of a header of the head; absent: there is none. Names are exact. */
struct str fastcgi_header(struct str head, const char *name);

#endif
