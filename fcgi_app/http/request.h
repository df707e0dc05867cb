/*
 * request.h - one HTTP request as imd sees it.
 *
 * Everything is borrowed from the connection or the request's arena, and lives until the answer is
 * sent. Headers and cookies that the request lacks are absent strings.
 */
#ifndef IMD_HTTP_REQUEST_H
#define IMD_HTTP_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>

struct param {
    struct str name; /* decoded */
    struct str value;
};

struct request {
    struct str method;
    struct str path;              /* decoded by nginx, without the prefix that imd is mounted under */
    struct str query;             /* not decoded */
    struct str request_id;        /* nginx's $request_id, letters and digits, ended by NUL; "": none */
    struct str accept;            /* header */
    struct str upgrade;           /* header */
    struct str websocket_version; /* header Sec-WebSocket-Version */
    struct str websocket_key;     /* header Sec-WebSocket-Key */
    struct str idempotency_key;   /* header */
    struct str authorization;     /* header */
    struct str token_cookie;      /* the cookie imd_token */
    struct str remote_user;       /* the user that the host's nginx authenticated; absent: none */
    struct str remote_address;    /* the client's, as nginx sees it */
    struct str server_address;    /* the address that the request arrived at */
    struct str origin;    /* nginx's classification of the Origin (imd-http.conf); absent: no Origin */
    bool limited;         /* nginx turns the rate limits on */
    bool control;         /* it came by the control socket, from a peer that may use it (listener.h) */
    struct str body;      /* absent until read */
    struct param *params; /* of the query, decoded */
    size_t param_count;
    const char *at_fault; /* on ERR_ENCODING: the parameter at fault, if its name is readable; else NULL */
    struct arena *arena;
};

/*
 * Decodes request->query into request->params. ERR_ENCODING: a bad escape, a NUL or invalid UTF-8;
 * see r->at_fault.
 */
enum err request_parse_query(struct request *r);
/*
 * Returns the parameter's value; absent: it is not given. ERR_GIVEN_TWICE: it is given
 * twice.
 */
enum err request_param(const struct request *r, const char *name, struct str *value);

#endif
