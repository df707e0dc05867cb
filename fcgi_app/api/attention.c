/* attention.c - the handlers of read markers, typing and presence. */
#include <stdio.h>
#include "api/gate.h"
#include "api/input.h"
#include "model/ids.h"
#include "domain/converse.h"
#include "domain/reading.h"
#include "push/presence.h"
#include "wire/json.h"

/* As many as one round of questions to nchan (push/presence.h). */
#define PRESENCE_MEMBERS_MAX 1000

/* PUT /conversations/{id}/read {username, seq} */
enum err
api_mark_read(struct context *x)
{
    struct reading r = {.arena = x->arena, .conversation = x->conversation_id, .username = x->actor.username};
    enum err err = input_actor(x);

    if (err != ERR_OK)
        return err;
    if (object_int(x->body, "seq", &r.seq) != OBJECT_OK || r.seq < 0)
        return ERR_SEQ;
    r.seq = ids_seq(r.seq);
    err = reading_mark(x->store, &r);
    if (err == ERR_OK)
        buf_printf(&x->response->body, "{\"read_seq\":%lld,\"unread\":%lld}", (long long)r.read_seq,
                   (long long)r.unread);
    return err;
}

/* POST /conversations/{id}/typing {username} */
enum err
api_announce_typing(struct context *x)
{
    struct str username = x->actor.username;
    bool few = false;
    enum err err = input_actor(x);

    if (err == ERR_OK)
        err = converse_check_member(x->snapshot, x->arena, x->conversation_id, username, &few);
    if (err != ERR_OK)
        return err;
    if (few)
        shared_send_signal(x->shared, x->conversation_id, username);
    x->response->status = 202;
    buf_c(&x->response->body, "{\"result\":\"success\"}");
    return ERR_OK;
}

/* GET /conversations/{id}/presence */
enum err
api_presence(struct context *x)
{
    struct buf *body = &x->response->body;
    struct conversation c = *x->conversation;
    bool *online;
    enum err err = converse_members(x->snapshot, x->arena, &c, PRESENCE_MEMBERS_MAX);

    if (err != ERR_OK)
        return err;
    online = arena_alloc(x->arena, (c.members_read + 1) * sizeof(*online));
    if (online == NULL)
        return ERR_MEMORY;
    gate_leave(x);
    err = presence_ask(x->presence, c.members, c.members_read, online);
    if (err != ERR_OK)
        return err == ERR_MEMORY ? err : ERR_PRESENCE;
    buf_c(body, "{\"online\":[");
    for (size_t i = 0; i < c.members_read; i++) {
        if (!online[i])
            continue;
        json_comma(body);
        json_quote(body, c.members[i]);
    }
    buf_c(body, "]}");
    return ERR_OK;
}
