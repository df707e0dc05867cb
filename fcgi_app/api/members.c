/* members.c - the handlers of who belongs to a conversation. */
#include "api/input.h"
#include "domain/belong.h"
#include "wire/render.h"

/* What is no name is no user's; the conversation is checked before the user. */
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

/* POST /conversations/{id}/join {username}: by themselves, or by a member who names them */
enum err
api_join_conversation(struct context *x)
{
    struct belonging b = {
        .arena = x->arena,
        .conversation = x->id,
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
        .conversation = x->id,
        .actor = x->actor,
        .username = name_or_nobody(x->actor.username),
    };

    return run(x, &b, belong_leave);
}

/* Null is as good as nothing. */
static enum err
read_role(const struct body *body, enum role *role)
{
    struct str word;
    enum body_kind kind = body_string(body, "role", &word);

    *role = ROLE_NONE;
    if (kind == BODY_ABSENT || body_is_null(body, "role"))
        return ERR_OK;
    for (int r = ROLE_MEMBER; r <= ROLE_OWNER && kind == BODY_OK; r++)
        if (str_is(word, role_names[r]))
            *role = (enum role)r;
    return *role == ROLE_NONE ? ERR_GIVEN_ROLE : ERR_OK;
}

/* PUT /conversations/{id}/members/{name} {username, role} */
enum err
api_set_member(struct context *x)
{
    struct belonging b = {.arena = x->arena, .conversation = x->id, .actor = x->actor, .username = x->text};
    enum err err = input_actor(x) ? read_role(x->body, &b.role) : ERR_USERNAME;

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
    struct belonging b = {.arena = x->arena, .conversation = x->id, .actor = x->actor, .username = x->text};

    return input_actor(x) ? run(x, &b, belong_remove) : ERR_USERNAME;
}
