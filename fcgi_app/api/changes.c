/* changes.c - the handler of /conversations/{id}/changes. */
#include "api/input.h"
#include "domain/changes.h"
#include "wire/json.h"
#include "wire/render.h"

static void
add_message(void *arg, const struct message *m)
{
    struct buf *body = arg;

    json_comma(body);
    render_message(body, m);
}

static void
add_rest(struct buf *body, const struct changes_page *page)
{
    buf_c(body, "],\"members\":[");
    for (size_t i = 0; i < page->member_count; i++) {
        if (i > 0)
            buf_c(body, ",");
        render_standing(body, &page->members[i]);
    }
    buf_c(body, "]");
    if (page->few) {
        buf_c(body, ",\"read\":");
        render_markers(body, page->markers, page->marker_count);
    }
    if (page->changed) {
        buf_c(body, ",\"conversation\":");
        render_conversation(body, &page->object);
    }
    buf_printf(body, ",\"version\":%lld,\"has_next\":%s,\"epoch\":\"%s\"}", (long long)page->version,
               page->has_next ? "true" : "false", page->epoch);
}

/* GET /conversations/{id}/changes?after=0&limit=100&username= */
enum err
api_list_changes(struct context *x)
{
    struct buf *body = &x->response->body;
    struct changes_page page = {
        .conversation = x->conversation, .username = x->actor.username, .viewer = input_view(x).viewer};
    enum err err = page.username.p != NULL ? input_actor(x) : ERR_OK;

    if (err == ERR_OK)
        err = input_after(x, &page.after);
    if (err == ERR_OK)
        err = input_limit(x, PAGE_LIMIT_MAX, &page.limit);
    if (err != ERR_OK)
        return err;
    buf_c(body, "{\"messages\":[");
    err = changes_page(x->snapshot, x->arena, &page, add_message, body);
    if (err == ERR_OK)
        add_rest(body, &page);
    return err;
}
