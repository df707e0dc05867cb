/*
 * router.h - which handler answers a request, and what it needs before it runs.
 *
 * A route is one row of the table in routes.c. The router turns its needs into refusals, so a handler
 * starts with everything checked.
 */
#ifndef IMD_HTTP_ROUTER_H
#define IMD_HTTP_ROUTER_H

#include <stdint.h>
#include "http/request.h"

struct context; /* what a handler works with: api/context.h */

typedef enum err route_handler(struct context *context);

struct route {
    const char *method; /* GET answers HEAD as well */
    const char *path; /* "{id}" stands for one segment: an id, 1 … 2^63-1; "{emoji}" for one that is a text */
    route_handler *handler;
    size_t body_bytes_max; /* 0: takes no body; else it needs a JSON object no longer than this */
};

struct route_match {
    const struct route *route;
    int64_t id;      /* of "{id}" */
    struct str text; /* of "{emoji}" */
    char allow[64];  /* on ERR_METHOD: for the Allow header */
};

/* Finds the route of method and path. ERR_NOT_FOUND, or ERR_METHOD with match->allow. One trailing '/' is
 * ignored. */
enum err router_find(const struct route *routes, size_t count, struct str method, struct str path,
                     struct route_match *match);

#endif
