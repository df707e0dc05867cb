/*
 * guard.h - judges a FastCGI request, byte by byte, before libfcgi sees it.
 *
 * libfcgi believes what it reads: a length too large, or a management record, ends the process. Only nginx
 * may write to our socket, but whoever else got there, by accident or with malice, should lose its connection
 * and cost nobody else anything. So no byte reaches libfcgi that was not judged here, and only a request that
 * was found whole does.
 */
#ifndef IMD_HTTP_GUARD_H
#define IMD_HTTP_GUARD_H

#include <stddef.h>
#include <stdint.h>

enum guard_verdict {
    GUARD_WHOLE, /* a whole request, and nothing after it */
    GUARD_BEGUN, /* its parameters are whole; its body has not ended yet */
    GUARD_CUT,   /* its parameters are not whole */
    GUARD_BROKEN /* not a request to a responder, whatever may follow */
};

/* Where a request stands; the caller's memory, nothing to clear. The members are guard.c's. */
struct guard {
    enum guard_stage { GUARD_AT_BEGIN, GUARD_AT_PARAMS, GUARD_AT_BODY, GUARD_AT_END, GUARD_AT_FAULT } stage;
    int id;                  /* of the request */
    unsigned char header[8]; /* of the record at hand, as far as it has come */
    size_t header_n;
    size_t content_left; /* of the record at hand */
    size_t padding_left;
    unsigned char pair[8]; /* both lengths of the parameter at hand, as far as they have come */
    size_t pair_n;
    uint64_t data_left; /* bytes of its name and value still to come */
};

/* At the beginning of a request. */
void guard_init(struct guard *g);
/* Judges the n bytes that come next; the verdict is on all bytes since guard_init(). */
enum guard_verdict guard_feed(struct guard *g, const unsigned char *bytes, size_t n);

#endif
