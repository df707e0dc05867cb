/* response.h - an answer that is being made: status, a few headers, a body in a buffer. */
#ifndef IMD_HTTP_RESPONSE_H
#define IMD_HTTP_RESPONSE_H

#include "base/buf.h"

struct response {
    int status;
    const char *content_type;
    const char *allow;         /* Allow header; NULL: none */
    int retry_after_s;         /* Retry-After header; 0: none */
    const char *challenge;     /* WWW-Authenticate header; NULL: none */
    const char *accel_caller;  /* X-Imd-Caller header: nginx limits sockets by it; NULL: none */
    bool replayed;             /* Idempotent-Replayed header: a repeated request got its first answer */
    struct str accel_redirect; /* X-Accel-Redirect header: nginx continues at this location; absent: none */
    struct buf body;
};

#endif
