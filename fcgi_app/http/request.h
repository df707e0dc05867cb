/*
 * request.h - one HTTP request as imd sees it.
 *
 * Everything is borrowed from the connection or the request's arena and lives until the answer is sent.
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
    struct str path;       /* decoded by nginx, without the prefix imd is mounted under; "/…" */
    struct str query;      /* as the client wrote it */
    struct str request_id; /* nginx's $request_id, letters and digits; "" where it is none; ended by NUL */
    struct str accept;     /* header; absent where there is none */
    struct str upgrade;    /* header; absent where there is none */
    struct str websocket_version; /* header Sec-WebSocket-Version; absent where there is none */
    struct str websocket_key;     /* header Sec-WebSocket-Key; absent where there is none */
    struct str idempotency_key;   /* header; absent where there is none */
    struct str authorization;     /* header; absent where there is none */
    struct str token_cookie;      /* the cookie imd_token; absent where there is none */
    struct str remote_user;       /* whom the host's nginx knows; absent where it knows nobody */
    struct str remote_address;    /* the client's, as nginx sees it */
    struct str server_address;    /* that the request came to */
    struct str origin;    /* what nginx thinks of the page that asks (imd-http.conf); absent: no page */
    bool limited;         /* nginx's files say that there are limits */
    struct str body;      /* absent until read */
    struct param *params; /* the query, decoded */
    size_t param_count;
    const char *at_fault; /* the parameter that ERR_QUERY is about, where its name can be read; else NULL */
    struct arena *arena;
};

/* Decodes request->query into request->params. ERR_QUERY: a bad escape, NUL or invalid UTF-8; r->at_fault. */
enum err request_parse_query(struct request *r);
/* The parameter's value; absent where there is none. ERR_DUPLICATE_PARAMETER where it stands twice. */
enum err request_param(const struct request *r, const char *name, struct str *value);

#endif
