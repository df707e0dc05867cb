/*
 * guard.h - looks at a FastCGI request before libfcgi does.
 *
 * libfcgi believes what it reads: a length too large, or a management record, ends the process. Only nginx
 * may write to our socket, but what a program that strayed there sends should cost it its connection and
 * nobody else anything. So what has arrived is looked at first, without taking it off the connection. What
 * follows later, in the course of a long body, is not looked at: that takes malice, and a place in nginx's
 * group.
 */
#ifndef IMD_HTTP_GUARD_H
#define IMD_HTTP_GUARD_H

#include <stddef.h>

enum guard {
    GUARD_WHOLE, /* a whole request */
    GUARD_BEGUN, /* its parameters are whole; its body has not ended yet */
    GUARD_CUT,   /* its parameters are not whole */
    GUARD_BROKEN /* not the beginning of a request to a responder */
};

/* Looks at the first n bytes that have arrived on a connection at the beginning of a request. */
enum guard guard_look(const unsigned char *bytes, size_t n);

#endif
