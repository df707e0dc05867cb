/* response.h - an answer as it is written: status, a few headers, a body in a buffer. */
#ifndef IMD_HTTP_RESPONSE_H
#define IMD_HTTP_RESPONSE_H

#include "base/buf.h"

struct response {
    int status;
    const char *content_type;
    const char *allow;         /* Allow header; NULL: none */
    int retry_after_s;         /* Retry-After header; 0: none */
    const char *challenge;     /* WWW-Authenticate header; NULL: none */
    const char *accel_caller;  /* X-Imd-Caller header: for nginx's limits on sockets; NULL: none */
    bool replayed;             /* Idempotent-Replayed header: the answer to an earlier request */
    struct str accel_redirect; /* X-Accel-Redirect: nginx goes on at this location; absent: no */
    struct buf body;
};

#endif
