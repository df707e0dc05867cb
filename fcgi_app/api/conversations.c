/* conversations.c - the handlers of /conversations. */
#include "api/input.h"
#include "domain/converse.h"
#include "domain/inbox.h"
#include "domain/names.h"
#include "wire/json.h"
#include "wire/render.h"

static bool
read_type(const struct body *body, enum conversation_type *type)
{
    struct str name;

    if (body_string(body, "type", &name) != BODY_OK)
        return false;
    *type = str_is(name, conversation_type_names[TYPE_PRIVATE]) ? TYPE_PRIVATE : TYPE_GROUP;
    return str_is(name, conversation_type_names[*type]);
}

/* The list "members"; whether each is a name is the domain's question. */
static enum err
read_members(struct context *x, struct creation *creation)
{
    const struct body *list;

    if (body_list(x->body, "members", &list, &creation->name_count) != BODY_OK)
        return ERR_MEMBERS;
    creation->names = arena_alloc(x->arena, (creation->name_count + 1) * sizeof(*creation->names));
    if (creation->names == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < creation->name_count; i++)
        if (body_list_string(list, i, x->arena, &creation->names[i]) != BODY_OK) {
            x->wrong = creation->names[i];
            return ERR_MEMBER_NAME;
        }
    return ERR_OK;
}

/* POST /conversations {type, members} */
enum err
api_create_conversation(struct context *x)
{
    struct creation creation = {.arena = x->arena};
    enum err err;

    if (!read_type(x->body, &creation.type))
        return ERR_TYPE;
    err = read_members(x, &creation);
    if (err != ERR_OK)
        return err;
    err = converse_create(x->store, &creation);
    if (err == ERR_OK)
        render_conversation(&x->response->body, &creation.conversation);
    else if (err == ERR_MEMBER_NAME)
        x->wrong = creation.wrong_name;
    return err;
}

/* All "id" parameters, as numbers. */
static enum err
read_ids(struct context *x, int64_t **ids, size_t *count)
{
    const struct request *r = x->request;

    *count = 0;
    *ids = arena_alloc(x->arena, (r->param_count + 1) * sizeof(**ids));
    if (*ids == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < r->param_count; i++) {
        if (!str_is(r->params[i].name, "id"))
            continue;
        if (!str_to_int(r->params[i].value, &(*ids)[*count]) || (*ids)[*count] == 0)
            return ERR_ID;
        *count += 1;
    }
    return ERR_OK;
}

/* An answer that would be larger than this is refused: conversations can have many thousand members. */
#define ANSWER_BYTES_MAX ((size_t)8 * 1024 * 1024)

static bool
list_conversation(void *arg, const struct conversation *c)
{
    struct buf *body = arg;

    json_comma(body);
    render_conversation(body, c);
    return body->n <= ANSWER_BYTES_MAX;
}

static enum err
list_by_id(struct context *x)
{
    struct buf *body = &x->response->body;
    int64_t *ids;
    size_t count;
    enum err err = read_ids(x, &ids, &count);

    if (err != ERR_OK)
        return err;
    buf_c(body, "{\"conversations\":[");
    err = converse_find(x->store, ids, count, list_conversation, body);
    if (err == ERR_OK && body->n > ANSWER_BYTES_MAX)
        return ERR_ANSWER_TOO_LARGE;
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
list_of_user(struct context *x, struct str username)
{
    struct buf *body = &x->response->body;
    struct inbox inbox = {.username = username, .updated_after = -1, .updated_before = INT64_MAX};
    bool given;
    enum err err = names_valid(username) ? ERR_OK : ERR_USERNAME;

    if (err == ERR_OK)
        err = input_number(x, "updated_after", ERR_UPDATED_AFTER, &inbox.updated_after, &given);
    if (err == ERR_OK)
        err = input_number(x, "updated_before", ERR_UPDATED_BEFORE, &inbox.updated_before, &given);
    if (err == ERR_OK)
        err = input_limit(x, PAGE_LIMIT_MAX, &inbox.limit);
    if (err != ERR_OK)
        return err;
    buf_c(body, "{\"conversations\":[");
    err = inbox_list(x->store, x->arena, &inbox, list_entry, body);
    buf_printf(body, "],\"has_next\":%s,\"epoch\":\"%s\"}", inbox.has_next ? "true" : "false", inbox.epoch);
    return err;
}

/*
 * GET /conversations?id=1&id=2
 * GET /conversations?username=&limit=100&updated_after=&updated_before=
 */
enum err
api_list_conversations(struct context *x)
{
    struct str username;
    enum err err = input_param(x, "username", &username);

    if (err != ERR_OK)
        return err;
    return username.p != NULL ? list_of_user(x, username) : list_by_id(x);
}

/* PATCH /conversations/{id} {username, title} */
enum err
api_name_conversation(struct context *x)
{
    struct naming naming = {.arena = x->arena, .id = x->id};
    enum err err;

    if (!input_username(x, &naming.username))
        return ERR_USERNAME;
    if (body_string(x->body, "title", &naming.title) != BODY_OK || !converse_title_valid(naming.title))
        return ERR_TITLE;
    err = converse_name(x->store, &naming);
    if (err == ERR_OK)
        render_conversation(&x->response->body, &naming.conversation);
    return err;
}

static enum err
move(struct context *x, enum err (*command)(struct store *store, int64_t conversation, struct str username))
{
    struct str username;
    enum err err;

    /* What is no name is no user's; the conversation is checked before the user. */
    if (!input_username(x, &username))
        username = str_c("");
    err = command(x->store, x->id, username);
    if (err == ERR_OK)
        buf_c(&x->response->body, "{\"result\":\"success\"}");
    return err;
}

/* POST /conversations/{id}/join {username} */
enum err
api_join_conversation(struct context *x)
{
    return move(x, converse_join);
}

/* POST /conversations/{id}/leave {username} */
enum err
api_leave_conversation(struct context *x)
{
    return move(x, converse_leave);
}
