/*
 * auth.h - who is calling, by the mode that the operator chose: nobody is asked (none), the host's nginx says
 * (proxy), or a token does (jwt).
 *
 * Knows nothing of routes: what a caller may do is for the gate and the domain to say.
 */
#ifndef IMD_AUTH_AUTH_H
#define IMD_AUTH_AUTH_H

#include "base/arena.h"
#include "run/config.h"
#include "base/err.h"
#include "base/str.h"

struct auth;

/* Where the page comes from that made a browser ask, as nginx tells (imd-http.conf). */
enum origin {
    ORIGIN_NONE,    /* it does not say: no browser, or one that reads for a page of this site */
    ORIGIN_OWN,     /* this site */
    ORIGIN_LISTED,  /* one that the operator allows */
    ORIGIN_FOREIGN, /* another one, and the operator allows none */
    ORIGIN_UNLISTED /* another one than those that the operator allows */
};

/* All that a request says of its caller; absent strings where it does not. */
struct credentials {
    struct str remote_user;    /* the host's nginx says so */
    struct str authorization;  /* header */
    struct str cookie;         /* imd_token */
    struct str url_token;      /* query parameter, of a socket alone */
    struct str server_address; /* that the request came to */
    enum origin origin;
    bool safe;   /* it changes nothing: GET, HEAD */
    bool socket; /* it asks for a subscription */
};

struct caller {
    struct str name; /* from the arena; absent: nobody was asked */
    bool admin;
};

/* Checks what config_read() cannot: modes and keys. ERR_CONFIG, and in `message` why imd must not start so.
 */
enum err auth_check(const struct config *config, char *message, size_t size);
/* For one worker; config must outlive it. ERR_CONFIG, ERR_MEMORY, logged. */
enum err auth_new(struct auth **out, const struct config *config);
/* NULL is allowed. */
void auth_free(struct auth *a);

/*
 * ERR_LOOPBACK_ONLY, ERR_ORIGIN, ERR_CREDENTIALS_MISSING, ERR_TOKEN, ERR_TOKEN_EXPIRED, ERR_CALLER_NAME. Any
 * thread.
 */
enum err auth_identify(struct auth *a, const struct credentials *c, struct arena *arena,
                       struct caller *caller);
/* For WWW-Authenticate. */
const char *auth_challenge(const struct auth *a);

#endif
