/*
 * router.h - finds the handler of a request, and declares what it needs before it runs.
 *
 * A route is one row of the table in routes.c. api/gate.c refuses requests that do not meet its
 * needs, so a handler starts with everything checked.
 */
#ifndef IMD_HTTP_ROUTER_H
#define IMD_HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

struct context; /* what a handler works with: api/context.h */

typedef enum err route_handler(struct context *context);

/*
 * What a route needs before its handler runs, as flags: who may call it, where the acting user is
 * named, and what it reads. api/gate.c enforces them. With auth = none, callers have no identity,
 * so only the names in the request count.
 */
enum route_need {
    FOR_ANYONE = 0,
    FOR_CALLERS = 1 << 0, /* authenticated callers */
    FOR_ADMINS = 1 << 1,  /* site administrators; with auth = none, every caller */
    SELF_IN_BODY =
        1 << 2, /* "username" is the acting user: the caller, or the user an administrator acts for */
    SELF_IN_QUERY = 1 << 3, /* the same in the query; absent: the caller, unless conversations are selected */
    SELF_IF_NAMED = 1 << 4, /* "username" in the query is the reader; with auth = none the gate ignores it */
    READS = 1 << 5,         /* the handler gets a snapshot instead of the store; the next four need this */
    MEMBER_OF_PATH = 1 << 6,    /* reads the conversation {id} */
    MEMBER_OF_MESSAGE = 1 << 7, /* reads the message {id} */
    MEMBER_OF_QUERY = 1 << 8,   /* reads the conversation "conversation_id", unless a user is selected */
    MEMBER_OF_IDS = 1 << 9,     /* reads the conversations "id", unless a user is selected */
    NAMES_ANOTHER =
        1 << 10, /* "username" in the body is the affected user; the domain checks whether the caller may */
    SUBSCRIBES = 1 << 11,  /* opens a subscription, so the query may carry the token */
    CATCHES_UP = 1 << 12,  /* users ask for this just after they opened a subscription */
    FOR_CONTROL = 1 << 13, /* exists on the control socket alone, whose callers are administrators */
};

struct route {
    const char *method; /* GET also matches HEAD */
    const char *path;   /* "{id}": a segment with an id, 1 … 2^63-1; any other "{…}": a segment of text */
    route_handler *handler;
    size_t body_bytes_max; /* 0: the body is not read; else a JSON object of at most this size is required */
    unsigned needs;        /* flags of enum route_need */
};

/* A look-up and its outcome. */
struct route_request {
    struct str method;
    struct str path;
    bool control; /* it came by the control socket: routes FOR_CONTROL exist */
};

struct route_match {
    const struct route *route;
    int64_t id;      /* of "{id}" */
    struct str text; /* of the other "{…}" */
    char allow[64];  /* on ERR_METHOD: the Allow header */
};

/*
 * Finds the route of a method and a path; one trailing '/' is ignored. ERR_NOT_FOUND, or ERR_METHOD
 * with match->allow.
 */
enum err router_find(const struct route *routes, size_t count, const struct route_request *request,
                     struct route_match *match);

#endif
