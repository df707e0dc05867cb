/*
 * subscribe.c - the handler of /ws: decides who may hear whom, and leaves the socket to nchan.
 *
 * nginx goes on at an internal location that subscribes to the user's channel; refusals are ours, in JSON.
 */
#include <strings.h>
#include "api/input.h"
#include "domain/names.h"

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

/* GET /ws?username=NAME */
enum err
api_subscribe(struct context *x)
{
    struct str username;
    enum err err = input_param(x, "username", &username);
    struct buf location;

    if (err != ERR_OK)
        return err;
    if (!names_valid(username))
        return ERR_USERNAME;
    if (!contains(x->request->upgrade, "websocket") && !contains(x->request->accept, "text/event-stream"))
        return ERR_SUBSCRIPTION_PROTOCOL;
    buf_init(&location);
    buf_c(&location, SUBSCRIBER_LOCATION);
    buf_str(&location, username);
    if (buf_ok(&location))
        x->response->accel_redirect = arena_copy(x->arena, (struct str){location.p, location.n});
    buf_clear(&location);
    return x->response->accel_redirect.p == NULL ? ERR_MEMORY : ERR_OK;
}
