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

/*
 * What a route needs, beside its body, before its handler runs: flags. Who asks, whose name stands in the
 * request, and what it reads. api/gate.c enforces them; where nobody is asked who they are (auth = none) only
 * the names count.
 */
enum route_need {
    FOR_ANYONE = 0,
    FOR_CALLERS = 1 << 0,       /* whoever is known */
    FOR_ADMINS = 1 << 1,        /* administrators of the site */
    SELF_IN_BODY = 1 << 2,      /* "username" is who does it: the caller, or whom an administrator acts for */
    SELF_IN_QUERY = 1 << 3,     /* the same; unless named, it is the caller */
    SELF_IF_NAMED = 1 << 4,     /* "username" in the query narrows the answer to what they may see */
    READS = 1 << 5,             /* gets a snapshot instead of the store; the next four go with it */
    MEMBER_OF_PATH = 1 << 6,    /* reads the conversation {id} */
    MEMBER_OF_MESSAGE = 1 << 7, /* reads the message {id} */
    MEMBER_OF_QUERY = 1 << 8,   /* reads the conversation "conversation_id", unless "username" is there */
    MEMBER_OF_LISTED = 1 << 9,  /* reads the conversations "id", unless "username" is there */
    NAMES_ANOTHER = 1 << 10,    /* "username" in the body is whom it is done to: the domain asks by whom */
    SUBSCRIBES = 1 << 11,       /* opens a socket: may bear its token in the query */
    CATCHES_UP = 1 << 12,       /* asked for by users who may have just opened one */
};

struct route {
    const char *method; /* GET answers HEAD as well */
    const char
        *path; /* "{id}" stands for one segment: an id, 1 … 2^63-1; another "{…}" for one that is a text */
    route_handler *handler;
    size_t body_bytes_max; /* 0: takes no body; else it needs a JSON object no longer than this */
    unsigned needs;        /* of enum route_need */
};

struct route_match {
    const struct route *route;
    int64_t id;      /* of "{id}" */
    struct str text; /* of the other "{…}" */
    char allow[64];  /* on ERR_METHOD: for the Allow header */
};

/* Finds the route of method and path. ERR_NOT_FOUND, or ERR_METHOD with match->allow. One trailing '/' is
 * ignored. */
enum err router_find(const struct route *routes, size_t count, struct str method, struct str path,
                     struct route_match *match);

#endif
