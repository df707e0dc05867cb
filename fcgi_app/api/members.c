/* members.c - the handlers of membership: join, leave, list, set a role, remove. */
#include "api/input.h"
#include "domain/belong.h"
#include "domain/converse.h"
#include "wire/json.h"
#include "wire/render.h"

/*
 * Returns the name, or "" if it is absent. The domain refuses "", but only after it has checked the
 * conversation.
 */
static struct str
name_or_nobody(struct str name)
{
    return name.p == NULL ? str_c("") : name;
}

static enum err
run(struct context *x, struct belonging *b, enum err (*command)(struct store *store, struct belonging *b))
{
    enum err err = command(x->store, b);

    if (err == ERR_OK)
        buf_c(&x->response->body, "{\"result\":\"success\"}");
    return err;
}

/* POST /conversations/{id}/join {username}: the caller joins, or a member adds another user */
enum err
api_join_conversation(struct context *x)
{
    struct belonging b = {
        .arena = x->arena,
        .conversation = x->conversation_id,
        .actor = x->actor,
        .username = name_or_nobody(x->named.p != NULL ? x->named : x->actor.username),
    };

    return run(x, &b, belong_join);
}

/* POST /conversations/{id}/leave {username} */
enum err
api_leave_conversation(struct context *x)
{
    struct belonging b = {
        .arena = x->arena,
        .conversation = x->conversation_id,
        .actor = x->actor,
        .username = name_or_nobody(x->actor.username),
    };

    return run(x, &b, belong_leave);
}

/* Reads the role; ROLE_NONE: none is given. */
static enum err
read_role(const struct context *x, enum role *role)
{
    struct str word = {0};
    enum object_kind kind = input_string(x, "role", &word);

    *role = role_named(word);
    return kind == OBJECT_ABSENT || *role != ROLE_NONE ? ERR_OK : ERR_GIVEN_ROLE;
}

/* GET /conversations/{id}/members?after=&limit=100 */
enum err
api_list_members(struct context *x)
{
    struct buf *body = &x->response->body;
    struct membership_page page = {.conversation = x->conversation->id};
    enum err err = input_after_name(x, &page.after);

    if (err == ERR_OK)
        err = input_limit(x, PAGE_LIMIT_MAX, &page.limit);
    if (err == ERR_OK)
        err = converse_list_members(x->snapshot, x->arena, &page);
    if (err != ERR_OK)
        return err;
    buf_c(body, "{\"members\":[");
    for (size_t i = 0; i < page.count; i++) {
        json_comma(body);
        render_standing(body, &page.members[i]);
    }
    buf_printf(body, "],\"member_count\":%lld,\"has_next\":%s}", (long long)x->conversation->member_count,
               page.has_next ? "true" : "false");
    return ERR_OK;
}

/* PUT /conversations/{id}/members/{name} {username, role} */
enum err
api_set_member(struct context *x)
{
    struct belonging b = {
        .arena = x->arena, .conversation = x->conversation_id, .actor = x->actor, .username = x->text};
    enum err err = input_authority(x);

    if (err == ERR_OK)
        err = read_role(x, &b.role);
    if (err == ERR_OK)
        err = belong_set(x->store, &b);
    if (err == ERR_OK)
        render_standing(&x->response->body, &(struct standing){b.username, b.role, false});
    return err;
}

/* DELETE /conversations/{id}/members/{name}?username= */
enum err
api_remove_member(struct context *x)
{
    struct belonging b = {
        .arena = x->arena, .conversation = x->conversation_id, .actor = x->actor, .username = x->text};
    enum err err = input_authority(x);

    return err == ERR_OK ? run(x, &b, belong_remove) : err;
}
