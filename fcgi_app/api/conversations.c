/* conversations.c - the handlers of /conversations. */
#include "api/gate.h"
#include "api/input.h"
#include "domain/converse.h"
#include "domain/inbox.h"
#include "wire/json.h"
#include "wire/render.h"

/* This many members of a new conversation cost one more unit of the rate limit. */
#define MEMBERS_OF_UNIT 100

static bool
read_type(const struct object *body, enum conversation_type *type)
{
    struct str name;

    if (object_string(body, "type", &name) != OBJECT_OK)
        return false;
    *type = str_is(name, conversation_type_names[TYPE_PRIVATE]) ? TYPE_PRIVATE : TYPE_GROUP;
    return str_is(name, conversation_type_names[*type]);
}

/* Reads the join policy. */
static enum err
read_join(const struct context *x, enum join_policy *join)
{
    struct str word;
    enum object_kind kind = input_string(x, "join", &word);

    *join = JOIN_STAYS;
    if (kind == OBJECT_ABSENT)
        return ERR_OK;
    if (kind == OBJECT_OK && str_is(word, "open"))
        *join = JOIN_OPEN;
    else if (kind == OBJECT_OK && str_is(word, "invite"))
        *join = JOIN_INVITE;
    else
        return ERR_JOIN_POLICY;
    return ERR_OK;
}

/*
 * Finds the creator: the acting user. If an administrator or an anonymous caller names no user, the
 * conversation has no creator.
 */
static enum err
read_creator(struct context *x, struct str *creator)
{
    if (x->named.p == NULL && (x->actor.any || x->actor.username.p == NULL))
        return ERR_OK;
    *creator = x->actor.username;
    return input_actor(x);
}

/* Reads the list "members". The domain checks that each is a user name. */
static enum err
read_members(struct context *x, struct creation *creation)
{
    const struct object *list;

    if (object_list(x->body, "members", &list, &creation->name_count) != OBJECT_OK)
        return ERR_MEMBERS;
    /* The domain may add the creator. */
    creation->names = arena_alloc(x->arena, (creation->name_count + 1) * sizeof(*creation->names));
    if (creation->names == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < creation->name_count; i++)
        if (object_list_string(list, i, x->arena, &creation->names[i]) != OBJECT_OK) {
            x->wrong = creation->names[i];
            return ERR_MEMBER_NAME;
        }
    return ERR_OK;
}

/*
 * Reads the title, and the idempotency key with its scope: the creator's keys, else the caller's.
 * Anonymous callers without a user name share one scope.
 */
static enum err
read_rest(struct context *x, struct creation *creation)
{
    struct creation_key *key = &creation->key;

    if (input_string(x, "title", &creation->title) == OBJECT_MISTYPED ||
        !converse_title_valid(creation->title))
        return ERR_TITLE;
    key->creator = creation->creator.p != NULL ? creation->creator : x->caller.name;
    if (key->creator.p == NULL)
        key->creator = str_c("");
    return input_client_id(x, &key->client_id);
}

/* Charges the creation first, and refunds it if nothing was created. */
static enum err
create(struct context *x, struct creation *creation)
{
    enum err err = gate_charge(x, (int64_t)creation->name_count / MEMBERS_OF_UNIT);

    if (err != ERR_OK)
        return err;
    err = converse_create(x->store, creation);
    if (err != ERR_OK || creation->replayed)
        gate_refund(x);
    return err;
}

/* POST /conversations {type, members, username, title, join, client_id} */
enum err
api_create_conversation(struct context *x)
{
    struct creation creation = {.arena = x->arena, .verified = x->actor.verified && !x->actor.any};
    enum join_policy join = JOIN_STAYS;
    enum err err;

    if (!read_type(x->body, &creation.type))
        return ERR_TYPE;
    err = read_members(x, &creation);
    if (err == ERR_OK)
        err = read_creator(x, &creation.creator);
    if (err == ERR_OK)
        err = read_join(x, &join);
    if (err == ERR_OK && join != JOIN_STAYS && creation.type == TYPE_PRIVATE)
        err = ERR_JOIN_POLICY;
    if (err == ERR_OK)
        err = read_rest(x, &creation);
    if (err != ERR_OK)
        return err;
    creation.invite_only =
        creation.type == TYPE_GROUP &&
        (join == JOIN_INVITE || (join == JOIN_STAYS && config_default_invite_only(x->config)));
    err = create(x, &creation);
    /* The header can only be at fault for a mismatch, not for the domain's other errors. */
    if (err != ERR_CREATION_MISMATCH)
        x->field = NULL;
    if (err == ERR_OK)
        render_conversation(&x->response->body, &creation.conversation);
    else if (err == ERR_MEMBER_NAME)
        x->wrong = creation.wrong_name;
    x->response->replayed = creation.replayed;
    return err;
}

static void
list_conversation(void *arg, const struct conversation *c)
{
    struct buf *body = arg;

    json_comma(body);
    render_conversation(body, c);
}

static enum err
list_by_id(struct context *x)
{
    struct buf *body = &x->response->body;
    enum err err;

    buf_c(body, "{\"conversations\":[");
    err = converse_show(x->snapshot, &x->requested, list_conversation, body);
    buf_c(body, "]}");
    return err;
}

static bool
list_entry(void *arg, const struct listing *l)
{
    struct buf *body = arg;

    json_comma(body);
    render_listing(body, l);
    return body->n <= PAGE_BYTES_MAX;
}

static enum err
list_of_user(struct context *x)
{
    struct buf *body = &x->response->body;
    struct inbox inbox = {.username = x->actor.username, .updated_after = -1, .updated_before = INT64_MAX};
    bool given;
    bool ping = false;
    enum err err = input_actor(x);

    if (err == ERR_OK)
        err = input_true(x, "ping", ERR_PING, &ping);
    if (err == ERR_OK)
        err = input_number(x, "updated_after", &inbox.updated_after, &given);
    if (err == ERR_OK)
        err = input_number(x, "updated_before", &inbox.updated_before, &given);
    if (err == ERR_OK)
        err = input_limit(x, PAGE_LIMIT_MAX, &inbox.limit);
    if (err != ERR_OK)
        return err;
    if (ping)
        shared_send_signal(x->shared, 0, inbox.username);
    buf_c(body, "{\"conversations\":[");
    err = inbox_list(x->snapshot, x->arena, &inbox, list_entry, body);
    buf_printf(body, "],\"has_next\":%s,\"epoch\":\"%s\",\"username\":", inbox.has_next ? "true" : "false",
               inbox.epoch);
    json_quote(body, inbox.username);
    buf_c(body, "}");
    return err;
}

/*
 * GET /conversations?id=1&id=2
 * GET /conversations?username=&limit=100&updated_after=&updated_before=&ping=
 */
enum err
api_list_conversations(struct context *x)
{
    return x->actor.username.p != NULL ? list_of_user(x) : list_by_id(x);
}

/* PATCH /conversations/{id} {username, title, join}: title, join, or both */
enum err
api_change_conversation(struct context *x)
{
    struct settings_change settings = {.arena = x->arena, .id = x->conversation_id, .actor = x->actor};
    enum object_kind title = object_string(x->body, "title", &settings.title);
    enum err err = input_authority(x);

    if (err == ERR_OK)
        err = read_join(x, &settings.join);
    if (err != ERR_OK)
        return err;
    if (title == OBJECT_MISTYPED || (title == OBJECT_ABSENT && settings.join == JOIN_STAYS) ||
        !converse_title_valid(settings.title))
        return ERR_TITLE;
    err = converse_set_settings(x->store, &settings);
    if (err == ERR_OK)
        render_conversation(&x->response->body, &settings.conversation);
    return err;
}
