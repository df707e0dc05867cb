/*
 * auth.h - authenticates callers in the mode of the settings: not at all (none), by the host's
 * nginx (proxy), or by a signed token (jwt).
 *
 * Must not know any route. The gate and the domain decide what a caller may do.
 */
#ifndef IMD_AUTH_AUTH_H
#define IMD_AUTH_AUTH_H

#include "base/arena.h"
#include "run/config.h"
#include "base/err.h"
#include "base/str.h"

struct auth;

/* The origin of the page that sent the request, as nginx classifies it (imd-http.conf). */
enum origin {
    ORIGIN_NONE,    /* no Origin, and not marked cross-site: no browser, or a read by a page of this site */
    ORIGIN_OWN,     /* this site */
    ORIGIN_LISTED,  /* a site that the operator allows */
    ORIGIN_FOREIGN, /* another site; the operator allows none */
    ORIGIN_UNLISTED /* another site, not among those that the operator allows */
};

/* The credentials of a request. An absent string: the request has none of this kind. */
struct credentials {
    struct str remote_user;    /* the user that the host's nginx authenticated */
    struct str authorization;  /* the Authorization header */
    struct str cookie;         /* the cookie imd_token */
    struct str url_token;      /* the query parameter token; only for subscriptions */
    struct str server_address; /* the address that the request arrived at */
    enum origin origin;
    bool safe;   /* GET or HEAD, which change nothing */
    bool socket; /* asks for a subscription */
};

struct caller {
    struct str name; /* from the arena; absent: not authenticated (AUTH_NONE) */
    bool admin;
};

/*
 * Checks what config_read() cannot: whether the mode is safe, and the keys usable. ERR_CONFIG: imd
 * must not start, and `message` says why.
 */
enum err auth_check(const struct config *config, char *message, size_t size);
/*
 * Creates the authentication of one worker; `config` must outlive it. ERR_CONFIG or ERR_MEMORY,
 * logged.
 */
enum err auth_new(struct auth **out, const struct config *config);
/* NULL is allowed. */
void auth_free(struct auth *a);

/*
 * Authenticates the caller; any thread may call it. ERR_LOOPBACK_ONLY, ERR_ORIGIN,
 * ERR_CREDENTIALS_MISSING, ERR_TOKEN, ERR_TOKEN_EXPIRED, ERR_CALLER_NAME, ERR_MEMORY.
 */
enum err auth_identify(struct auth *a, const struct credentials *c, struct arena *arena,
                       struct caller *caller);
/* Returns the value of the WWW-Authenticate header. */
const char *auth_challenge(const struct auth *a);

#endif
