/*
 * guard.h - validates a FastCGI request, byte by byte, before libfcgi reads it.
 *
 * libfcgi trusts its input: an oversized length, or a management record, ends the process. Only
 * nginx may write to the socket. Any other writer, by accident or with malice, should lose its
 * connection and harm nobody else. So libfcgi reads only requests that were found complete and
 * valid here.
 */
#ifndef IMD_HTTP_GUARD_H
#define IMD_HTTP_GUARD_H

#include <stddef.h>
#include <stdint.h>

enum guard_verdict {
    GUARD_WHOLE, /* a complete request, and nothing after it */
    GUARD_BEGUN, /* its parameters are complete; its body is not */
    GUARD_CUT,   /* its parameters are incomplete */
    GUARD_BROKEN /* not a request to a responder, whatever follows */
};

/*
 * The state of the validation: the caller's memory, with nothing to clear. Only guard.c uses the
 * members.
 */
struct guard {
    enum guard_stage { GUARD_AT_BEGIN, GUARD_AT_PARAMS, GUARD_AT_BODY, GUARD_AT_END, GUARD_AT_FAULT } stage;
    int id;                  /* of the request */
    unsigned char header[8]; /* of the current record, as far as it has arrived */
    size_t header_n;
    size_t content_left; /* of the current record */
    size_t padding_left;
    unsigned char pair[8]; /* both lengths of the current parameter, as far as they have arrived */
    size_t pair_n;
    uint64_t data_left; /* bytes of its name and value still to come */
};

/* Starts a new request. */
void guard_init(struct guard *g);
/* Consumes the next n bytes. The verdict is on all bytes since guard_init(). */
enum guard_verdict guard_feed(struct guard *g, const unsigned char *bytes, size_t n);

#endif
