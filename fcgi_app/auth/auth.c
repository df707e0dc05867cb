/* auth.c - see auth.h. Must not know any route, nor the members of any conversation. */
#include "auth/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "auth/cache.h"
#include "auth/keys.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/names.h"

struct auth {
    const struct config *config;
    struct keys keys; /* AUTH_JWT only */
    struct cache *cache;
};

enum err
auth_check(const struct config *config, char *message, size_t size)
{
    struct keys keys;
    enum err err;

    if (config->auth == AUTH_NONE && !config->loopback_only && !config->insecure_public) {
        snprintf(
            message, size,
            "auth = none: any caller may claim any name, so everybody who reaches nginx can read and write "
            "everything. Set auth = proxy or auth = jwt; or loopback_only = yes to serve only this machine; "
            "or insecure_public = yes to serve everybody");
        return ERR_CONFIG;
    }
    if (config->auth != AUTH_JWT)
        return ERR_OK;
    if (token_claim_is_registered(config->jwt_admin_claim)) {
        snprintf(message, size,
                 "jwt_admin_claim = %s: this claim has another meaning in every token; choose one that only "
                 "imd uses",
                 config->jwt_admin_claim);
        return ERR_CONFIG;
    }
    err = keys_read(&keys, config->jwt_keys, message, size);
    keys_clear(&keys);
    return err;
}

enum err
auth_new(struct auth **out, const struct config *config)
{
    struct auth *a = calloc(1, sizeof(*a));
    char message[1024] = "memory";
    enum err err = a == NULL ? ERR_MEMORY : ERR_OK;

    if (err == ERR_OK && config->auth == AUTH_JWT) {
        err = keys_read(&a->keys, config->jwt_keys, message, sizeof(message));
        if (err == ERR_OK)
            err = cache_new(&a->cache);
    }
    if (err != ERR_OK) {
        log_event(LOG_ERROR, "keys_unusable", "reason=\"%s\"", message);
        auth_free(a);
        return err;
    }
    a->config = config;
    *out = a;
    return ERR_OK;
}

void
auth_free(struct auth *a)
{
    if (a == NULL)
        return;
    keys_clear(&a->keys);
    cache_free(a->cache);
    free(a);
}

const char *
auth_challenge(const struct auth *a)
{
    /* Not Basic: a browser would then ask its user for a password. */
    return a->config->auth == AUTH_JWT ? "Bearer realm=\"imd\"" : "Site realm=\"imd\"";
}

/* True if `names`, separated by blanks or commas, contains the name. */
static bool
is_listed(const char *names, struct str name)
{
    while (*names != '\0') {
        size_t n = strcspn(names, " ,\t");

        if (str_eq((struct str){names, n}, name))
            return true;
        names += n + (names[n] != '\0');
    }
    return false;
}

static bool
is_loopback(struct str address)
{
    static const char *const own[] = {"127.", "unix:", "::ffff:127."};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (address.n >= strlen(own[i]) && memcmp(address.p, own[i], strlen(own[i])) == 0)
            return true;
    return str_is(address, "::1");
}

static bool
is_foreign(enum origin origin)
{
    return origin == ORIGIN_FOREIGN || origin == ORIGIN_UNLISTED;
}

/*
 * Takes the user whom the host's nginx authenticated. Browsers send the credentials for that, a
 * cookie or a password, with the requests of any site's page. So the origin is checked.
 */
static enum err
identify_by_proxy(const struct credentials *c, struct str *name)
{
    if (c->remote_user.n == 0)
        return ERR_CREDENTIALS_MISSING;
    if (is_foreign(c->origin))
        return ERR_ORIGIN;
    if (!names_valid(c->remote_user))
        return ERR_CALLER_NAME;
    *name = c->remote_user;
    return ERR_OK;
}

/*
 * True if the cookie may authenticate this request. Browsers send it with the requests of any
 * site's page, so a forged request must not count. A request that changes something needs the
 * origin of this site or of a listed one. A GET or HEAD may also have no origin: another site's
 * page can send it, but not read the answer.
 */
static bool
cookie_counts(const struct credentials *c)
{
    if (c->safe)
        return !is_foreign(c->origin);
    return c->origin == ORIGIN_OWN || c->origin == ORIGIN_LISTED;
}

static struct str
find_token(const struct credentials *c)
{
    static const char scheme[] = "Bearer ";
    size_t n = sizeof(scheme) - 1;
    struct str token = c->authorization;

    /* Another scheme is for the host's nginx. */
    if (token.n > n && strncasecmp(token.p, scheme, n) == 0) {
        token = (struct str){token.p + n, token.n - n};
        while (token.n > 0 && token.p[0] == ' ')
            token = (struct str){token.p + 1, token.n - 1};
        return token;
    }
    if (c->cookie.n > 0 && cookie_counts(c))
        return c->cookie;
    return c->socket ? c->url_token : (struct str){0};
}

static enum err
identify_by_token(struct auth *a, const struct credentials *c, struct token_claims *claims)
{
    struct token_rules rules = {&a->keys, a->config->jwt_audience, a->config->jwt_issuer,
                                a->config->jwt_admin_claim};
    unsigned char digest[TOKEN_DIGEST_BYTES];
    int64_t now_ms = clock_wall_ms();
    struct str token = find_token(c);
    const char *why;
    enum err err;

    if (token.n == 0)
        return ERR_CREDENTIALS_MISSING;
    if (token.n > TOKEN_BYTES_MAX)
        return ERR_TOKEN;
    token_digest(token, digest);
    if (cache_get(a->cache, digest, now_ms, claims))
        return ERR_OK;
    err = token_verify(&rules, token, now_ms / 1000, claims, &why);
    if (err == ERR_OK)
        cache_put(a->cache, digest, now_ms, claims);
    else if (log_wants(LOG_DEBUG))
        log_event(LOG_DEBUG, "token_refused", "reason=\"%s\"", why);
    return err;
}

enum err
auth_identify(struct auth *a, const struct credentials *c, struct arena *arena, struct caller *caller)
{
    const struct config *config = a->config;
    struct token_claims claims = {.subject = ""};
    enum err err = ERR_OK;

    *caller = (struct caller){.admin = false};
    if (c->socket && c->origin == ORIGIN_UNLISTED)
        return ERR_ORIGIN;
    switch ((enum auth_mode)config->auth) {
    case AUTH_NONE:
        return config->insecure_public || is_loopback(c->server_address) ? ERR_OK : ERR_LOOPBACK_ONLY;
    case AUTH_PROXY:
        err = identify_by_proxy(c, &caller->name);
        break;
    case AUTH_JWT:
        err = identify_by_token(a, c, &claims);
        caller->name = str_c(claims.subject);
        break;
    }
    if (err != ERR_OK)
        return err;
    caller->name = arena_copy(arena, caller->name);
    caller->admin = claims.admin || is_listed(config->admins, caller->name);
    return caller->name.p == NULL ? ERR_MEMORY : ERR_OK;
}
