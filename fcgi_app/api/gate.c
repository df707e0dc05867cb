/* gate.c - see gate.h. Must not know any route by name. */
#include "api/gate.h"

#include <arpa/inet.h>
#include "api/input.h"
#include "base/clock.h"
#include "model/ids.h"
#include "model/names.h"

static enum origin
origin_of(const struct request *r)
{
    static const char *const names[] = {"", "own", "listed", "foreign", "unlisted"};

    for (int i = 0; i < ORIGIN_UNLISTED; i++)
        if (str_is(r->origin, names[i]))
            return (enum origin)i;
    return ORIGIN_UNLISTED;
}

static enum err
identify(struct context *x, const struct route *route)
{
    const struct request *r = x->request;
    struct credentials c = {
        .remote_user = r->remote_user,
        .authorization = r->authorization,
        .cookie = r->token_cookie,
        .server_address = r->server_address,
        .origin = origin_of(r),
        .safe = str_is(r->method, "GET") || str_is(r->method, "HEAD"),
        .socket = (route->needs & SUBSCRIBES) != 0,
    };
    enum err err = ERR_OK;

    /*
     * The kernel has authenticated the peer (http/listener.h). They are an administrator without a
     * user name: they act by their own authority, or for the user whom they name.
     */
    if (r->control) {
        x->caller = (struct caller){.name = str_c(""), .admin = true};
        return ERR_OK;
    }
    if (c.socket)
        err = input_param(x, "token", &c.url_token);
    return err == ERR_OK ? auth_identify(x->auth, &c, x->arena, &x->caller) : err;
}

/* Returns the address to limit by. One IPv6 client owns a /64, so that is its first 64 bits. */
static struct str
address_of(struct context *x)
{
    unsigned char bytes[16];
    struct str address = x->request->remote_address;
    struct str text = arena_copy(x->arena, address);

    if (text.p != NULL && inet_pton(AF_INET6, text.p, bytes) == 1)
        address = arena_copy(x->arena, (struct str){(const char *)bytes, 8});
    return address;
}

/*
 * Returns whose rate limit applies: the authenticated user's, from any address; for an anonymous
 * caller, the address's.
 */
static struct str
payer(struct context *x)
{
    return x->caller.name.p != NULL ? x->caller.name : address_of(x);
}

static struct limiter_rate
rate_of(const struct context *x)
{
    return (struct limiter_rate){1000000 / x->config->user_rate, x->config->user_burst};
}

static bool
is_limited(const struct context *x)
{
    return x->request->limited && !x->caller.admin;
}

static enum err
take_units(struct context *x, int64_t units)
{
    struct limiter_rate rate = rate_of(x);
    struct limiter_work work = {.units = units, .now_us = clock_mono_us()};
    int64_t wait_us;

    if (limiter_take(&x->shared->limiter, x->payer, &rate, &work, &wait_us))
        return ERR_OK;
    shared_count(&x->shared->counters.limited, 1);
    x->response->retry_after_s = (int)((wait_us + 999999) / 1000000);
    return ERR_TOO_MANY_REQUESTS;
}

static enum err
check_rate(struct context *x)
{
    if (!is_limited(x))
        return ERR_OK;
    x->payer = limiter_key(&x->shared->limiter, payer(x));
    /* The relay charges it for the fan-out of the changes that this request commits. */
    x->store->payer = x->payer;
    return take_units(x, 1);
}

enum err
gate_identify(struct context *x, const struct route *route)
{
    enum err err;

    if (route->needs == FOR_ANYONE)
        return ERR_OK;
    err = identify(x, route);
    if (err == ERR_CREDENTIALS_MISSING || err == ERR_TOKEN || err == ERR_TOKEN_EXPIRED)
        x->response->challenge = auth_challenge(x->auth);
    if (err == ERR_OK && (route->needs & FOR_ADMINS) && x->caller.name.p != NULL && !x->caller.admin)
        err = ERR_NOT_AN_ADMIN;
    return err == ERR_OK ? check_rate(x) : err;
}

/*
 * Reads the user name in the request. Absent: none is given. A value that is not a string reads as
 * an empty name.
 */
static enum err
read_name(struct context *x, const struct route *route, struct str *name)
{
    *name = (struct str){0};
    if (route->needs & (SELF_IN_QUERY | SELF_IF_NAMED))
        return input_param(x, "username", name);
    if (!(route->needs & (SELF_IN_BODY | NAMES_ANOTHER)))
        return ERR_OK;
    if (input_string(x, "username", name) == OBJECT_MISTYPED)
        *name = str_c("");
    return ERR_OK;
}

/* True if the request selects by something other than a user. */
static bool
selects_otherwise(struct context *x, const struct route *route)
{
    const char *by = NULL;
    struct str value = {0};

    if (route->needs & MEMBER_OF_IDS)
        by = "id";
    else if (route->needs & MEMBER_OF_QUERY)
        by = "conversation_id";
    /* A parameter that is given twice counts as given. */
    return by != NULL && (request_param(x->request, by, &value) != ERR_OK || value.n > 0);
}

/*
 * Handles a request that names another user. Only an administrator may act for them, with the
 * rights of that user and no more.
 */
static enum err
act_for_another(struct context *x, const struct route *route)
{
    if (x->caller.admin)
        x->actor = (struct actor){.username = x->named, .verified = true};
    else if (route->needs & NAMES_ANOTHER)
        x->actor = (struct actor){.username = x->caller.name, .verified = true};
    else
        return ERR_NOT_YOURSELF;
    return ERR_OK;
}

/*
 * Finds the acting user: the caller, or the user that an administrator names. Without
 * authentication, it is the named user.
 */
static enum err
find_actor(struct context *x, const struct route *route)
{
    bool wanted = (route->needs & (SELF_IN_BODY | SELF_IN_QUERY | NAMES_ANOTHER)) != 0;
    enum err err = read_name(x, route, &x->named);

    if (err != ERR_OK)
        return err;
    x->actor = (struct actor){.username = x->named};
    if (x->caller.name.p == NULL)
        return ERR_OK;
    if (x->named.p != NULL && !str_eq(x->named, x->caller.name))
        return act_for_another(x, route);
    x->actor.verified = x->caller.name.n > 0;
    x->actor.any = x->caller.admin;
    if (wanted && !selects_otherwise(x, route))
        x->actor.username = x->caller.name;
    /* An administrator's view is not narrowed. */
    if (x->actor.any && (route->needs & SELF_IF_NAMED))
        x->actor.username = (struct str){0};
    return ERR_OK;
}

/* Finds the conversation {id}. */
static enum err
find_in_path(struct context *x, const struct access *a)
{
    enum err err = access_conversation(a, x->conversation_id, &x->conversation);

    return err == ERR_OK && x->conversation == NULL ? ERR_CONVERSATION_UNKNOWN : err;
}

/*
 * Finds the conversation "conversation_id". One that does not exist is no error: it has no
 * messages.
 */
static enum err
find_in_query(struct context *x, const struct access *a)
{
    struct str text;
    int32_t id;
    enum err err = input_param(x, "conversation_id", &text);

    /* If a user is selected, conversation_id is ignored. */
    if (err != ERR_OK || x->actor.username.p != NULL)
        return err;
    if (text.p == NULL)
        return ERR_SELECTOR;
    if (!ids_read_conversation(text, &id))
        return ERR_CONVERSATION;
    return access_conversation(a, id, &x->conversation);
}

/* Finds the conversations of all "id" parameters. */
static enum err
find_by_ids(struct context *x, const struct access *a)
{
    const struct request *r = x->request;
    int32_t *ids;
    size_t count = 0;

    if (x->actor.username.p != NULL)
        return ERR_OK;
    ids = arena_alloc(x->arena, (r->param_count + 1) * sizeof(*ids));
    if (ids == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < r->param_count; i++) {
        if (!str_is(r->params[i].name, "id"))
            continue;
        if (!ids_read_conversation(r->params[i].value, &ids[count]))
            return ERR_ID;
        count++;
    }
    if (count > PAGE_LIMIT_MAX)
        return ERR_TOO_MANY_IDS;
    return access_conversations(a, ids, count, &x->requested);
}

/* Finds what the request is about, and checks that the reader may see it. */
static enum err
find_subject(struct context *x, const struct route *route)
{
    struct access a = {.snapshot = x->snapshot, .arena = x->arena, .reader = x->caller.name};

    /* An administrator sees everything. On behalf of a user, they see what that user may see. */
    if (x->actor.any)
        a.reader = (struct str){0};
    else if (a.reader.p != NULL && x->actor.username.p != NULL)
        a.reader = x->actor.username;
    if (route->needs & MEMBER_OF_PATH)
        return find_in_path(x, &a);
    if (route->needs & MEMBER_OF_MESSAGE)
        return access_message(&a, x->message_id, &x->message, &x->conversation);
    if (route->needs & MEMBER_OF_QUERY)
        return find_in_query(x, &a);
    if (route->needs & MEMBER_OF_IDS)
        return find_by_ids(x, &a);
    return ERR_OK;
}

/*
 * Notes that this user may have opened a subscription, so that they are published to until nchan is
 * asked about them again. Noted before the snapshot, so that every change committed after it is
 * published to them.
 */
static void
note_listener(const struct context *x, const struct route *route)
{
    struct str name = x->actor.username.p != NULL ? x->actor.username : x->caller.name;

    if ((route->needs & CATCHES_UP) && names_valid(name))
        grants_note(&x->shared->grants, name);
}

enum err
gate_admit(struct context *x, const struct route *route)
{
    enum err err = find_actor(x, route);

    if (err != ERR_OK || !(route->needs & READS))
        return err;
    note_listener(x, route);
    err = snapshot_begin(x->store, &x->snapshot);
    x->store = NULL;
    return err == ERR_OK ? find_subject(x, route) : err;
}

enum err
gate_charge(struct context *x, int64_t units)
{
    /* A caller who made any request lately no longer has a whole burst. */
    int64_t most = x->config->user_burst * 3 / 4;
    enum err err = ERR_OK;

    units = units < most ? units : most;
    if (x->payer == 0 || units <= 0)
        return ERR_OK;
    err = take_units(x, units);
    if (err == ERR_OK)
        x->charged += units;
    return err;
}

void
gate_refund(struct context *x)
{
    struct limiter_rate rate = rate_of(x);

    if (x->charged > 0)
        limiter_refund(&x->shared->limiter, x->payer, &rate, x->charged);
    x->charged = 0;
}

void
gate_leave(struct context *x)
{
    snapshot_end(x->snapshot);
    x->snapshot = NULL;
}
