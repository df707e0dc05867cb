/*
 * subscribe.c - the handler of /ws: grants or refuses a subscription. nchan serves the granted
 * ones.
 *
 * A grant is a redirect to an internal location of nginx, which subscribes to the user's channel.
 * Refusals are imd's, in JSON. The redirect expires within 5 s, which push/silence.c relies on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include "api/input.h"
#include "base/clock.h"

/*
 * The internal location of imd-server.conf, with the seconds of the wall clock in which nginx
 * accepts it.
 */
#define REDIRECT           "/_imd_sub/%.*s?%" PRId64 "-%" PRId64 "-%" PRId64 "-%" PRId64 "-%" PRId64 "-%" PRId64
#define REDIRECT_BYTES_MAX 256

static bool
contains(struct str text, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= text.n; i++)
        if (strncasecmp(text.p + i, word, n) == 0)
            return true;
    return false;
}

/* Checks that nchan will accept the request, because its own refusals are not JSON. */
static enum err
check_protocol(const struct request *r)
{
    if (contains(r->upgrade, "websocket"))
        return str_is(r->websocket_version, "13") && r->websocket_key.n > 0 ? ERR_OK : ERR_HANDSHAKE;
    return contains(r->accept, "text/event-stream") ? ERR_OK : ERR_PROTOCOL;
}

/*
 * Sets the redirect. nginx cannot compare numbers, so the redirect lists the seconds in which it is
 * valid: the previous one, because nginx's clock may be a moment behind, this one, and the next
 * four.
 */
static enum err
redirect(struct context *x, struct str username)
{
    char location[REDIRECT_BYTES_MAX];
    int64_t now_s = clock_wall_ms() / 1000;

    snprintf(location, sizeof(location), REDIRECT, (int)username.n, username.p, now_s - 1, now_s, now_s + 1,
             now_s + 2, now_s + 3, now_s + 4);
    /* After the seconds are fixed, and before the redirect leaves this process. */
    grants_note(&x->shared->grants, username);
    x->response->accel_redirect = arena_copy(x->arena, str_c(location));
    return x->response->accel_redirect.p == NULL ? ERR_MEMORY : ERR_OK;
}

/* GET /ws?username=NAME */
enum err
api_subscribe(struct context *x)
{
    struct str username = x->actor.username;
    enum err err = input_actor(x);

    if (err == ERR_OK)
        err = check_protocol(x->request);
    if (err != ERR_OK)
        return err;
    /* A subscription has no length, so HEAD gets an empty 200. */
    if (str_is(x->request->method, "HEAD"))
        return ERR_OK;
    /*
     * nginx limits sockets by user; for anonymous callers, by the address, which it knows itself.
     */
    x->response->accel_caller = x->caller.name.p;
    return redirect(x, username);
}
