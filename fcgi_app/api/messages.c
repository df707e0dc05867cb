/* messages.c - the handlers of /messages. */
#include "api/input.h"
#include "domain/history.h"
#include "domain/names.h"
#include "domain/send.h"
#include "wire/render.h"

/* POST /messages {conversation_id, username, content} */
enum err
api_send_message(struct context *x)
{
    struct message m = {.content = str_c("")};
    enum body_kind content = body_string(x->body, "content", &m.content);
    enum err err;

    if (body_int(x->body, "conversation_id", &m.conversation) != BODY_OK || m.conversation < 1)
        return ERR_CONVERSATION;
    /* What is no name is no user's; the conversation is checked before the user. */
    if (!input_username(x, &m.sender))
        m.sender = str_c("");
    if (content == BODY_MISTYPED)
        return ERR_CONTENT;
    if (m.content.n > (size_t)x->config->content_bytes_max)
        return ERR_CONTENT_TOO_LONG;
    err = send_message(x->store, &m);
    if (err == ERR_OK)
        render_message(&x->response->body, &m);
    return err;
}

/* A page as it is written. */
struct page {
    struct buf *body;
    size_t complete; /* bytes up to the end of the last complete tick */
};

static void
page_message(void *arg, const struct message *m)
{
    struct page *page = arg;

    if (page->body->p[page->body->n - 1] != '[')
        buf_add(page->body, ",", 1);
    render_message(page->body, m);
}

static void
page_tick_ends(void *arg)
{
    struct page *page = arg;

    page->complete = page->body->n;
}

static void
page_cut(void *arg)
{
    struct page *page = arg;

    buf_cut(page->body, page->complete);
}

/* What a list of messages is asked for. */
struct selector {
    struct str username; /* absent: by conversation */
    int64_t conversation;
    int64_t after; /* UNIX ms */
    int limit;
};

static enum err
read_selector(struct context *x, struct selector *s)
{
    struct str conversation = {0};
    enum err err = input_param(x, "username", &s->username);

    if (err == ERR_OK)
        err = input_param(x, "conversation_id", &conversation);
    if (err == ERR_OK && s->username.p == NULL && conversation.p == NULL)
        err = ERR_SELECTOR;
    if (err == ERR_OK && s->username.p != NULL && !names_valid(s->username))
        err = ERR_USERNAME;
    if (err == ERR_OK && conversation.p != NULL &&
        (!str_to_int(conversation, &s->conversation) || s->conversation == 0))
        err = ERR_CONVERSATION;
    if (err == ERR_OK)
        err = input_after(x, &s->after);
    if (err == ERR_OK)
        err = input_limit(x, HISTORY_LIMIT_MAX, &s->limit);
    return err;
}

/* GET /messages?username=&conversation_id=&after=0&limit=100 */
enum err
api_list_messages(struct context *x)
{
    struct buf *body = &x->response->body;
    struct page page = {.body = body};
    struct history_sink sink = {&page, page_message, page_tick_ends, page_cut};
    struct selector s = {0};
    bool has_next = false;
    enum err err = read_selector(x, &s);

    if (err != ERR_OK)
        return err;
    buf_c(body, "{\"messages\":[");
    page.complete = body->n;
    if (!buf_ok(body))
        return ERR_MEMORY;
    if (s.username.p != NULL)
        err = history_of_user(x->store, x->arena, s.username, s.after, s.limit, &sink, &has_next);
    else
        err = history_of_conversation(x->store, s.conversation, s.after, s.limit, &sink, &has_next);
    buf_c(body, "],\"has_next\":");
    buf_c(body, has_next ? "true}" : "false}");
    return err;
}
