/*
 * subscribe.c - the handler of /ws: decides who may hear whom, and leaves the socket to nchan.
 *
 * nginx goes on at an internal location that subscribes to the user's channel; refusals are ours, in JSON.
 */
#include <stdio.h>
#include <strings.h>
#include "api/input.h"

/* The internal location of imd-server.conf. */
#define SUBSCRIBER_LOCATION "/_imd_sub/"

static bool
contains(struct str text, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= text.n; i++)
        if (strncasecmp(text.p + i, word, n) == 0)
            return true;
    return false;
}

/* A socket that nchan will understand: its own refusals are no JSON. */
static enum err
check_protocol(const struct request *r)
{
    if (contains(r->upgrade, "websocket"))
        return str_is(r->websocket_version, "13") && r->websocket_key.n > 0 ? ERR_OK
                                                                            : ERR_WEBSOCKET_HANDSHAKE;
    return contains(r->accept, "text/event-stream") ? ERR_OK : ERR_SUBSCRIPTION_PROTOCOL;
}

/* GET /ws?username=NAME */
enum err
api_subscribe(struct context *x)
{
    char location[sizeof(SUBSCRIBER_LOCATION) + USERNAME_BYTES_MAX];
    struct str username = x->actor.username;
    enum err err = input_actor(x);

    if (err == ERR_OK)
        err = check_protocol(x->request);
    if (err != ERR_OK)
        return err;
    /* A subscription has no end, and so no head of its own. */
    if (str_is(x->request->method, "HEAD"))
        return ERR_OK;
    snprintf(location, sizeof(location), "%s%.*s", SUBSCRIBER_LOCATION, (int)username.n, username.p);
    /* By user where they are known: nginx has the address itself. */
    x->response->accel_caller = x->caller.name.p;
    x->response->accel_redirect = arena_copy(x->arena, str_c(location));
    return x->response->accel_redirect.p == NULL ? ERR_MEMORY : ERR_OK;
}
