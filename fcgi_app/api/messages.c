/* messages.c - the handlers of /messages. */
#include "api/input.h"
#include "model/emoji.h"
#include "model/ids.h"
#include "domain/amend.h"
#include "domain/history.h"
#include "domain/message.h"
#include "domain/send.h"
#include "wire/json.h"
#include "wire/render.h"

static enum err
read_content(struct context *x, bool required, struct str *content)
{
    enum object_kind kind = object_string(x->body, "content", content);

    if (kind == OBJECT_MISTYPED || (kind == OBJECT_ABSENT && required))
        return ERR_CONTENT;
    return content->n > (size_t)x->config->content_bytes_max ? ERR_CONTENT_TOO_LONG : ERR_OK;
}

static enum err
read_message(struct context *x, struct message *m)
{
    enum object_kind reply_to;
    int64_t number;
    enum err err;

    if (object_int(x->body, "conversation_id", &number) != OBJECT_OK)
        return ERR_CONVERSATION;
    m->conversation = ids_conversation(number);
    if (m->conversation == CONVERSATION_NONE)
        return ERR_CONVERSATION;
    /* The domain refuses "", but only after it has checked the conversation. */
    m->sender = input_actor(x) == ERR_OK ? x->actor.username : str_c("");
    err = read_content(x, false, &m->content);
    if (err != ERR_OK)
        return err;
    reply_to = input_int(x, "reply_to", &m->reply_to);
    if (reply_to == OBJECT_MISTYPED || (reply_to == OBJECT_OK && m->reply_to < 1))
        return ERR_REPLY_TO;
    return input_client_id(x, &m->client_id);
}

/* POST /messages {conversation_id, username, content, client_id, reply_to} */
enum err
api_send_message(struct context *x)
{
    struct sending sending = {.arena = x->arena, .message = {.content = str_c("")}};
    enum err err = read_message(x, &sending.message);

    if (err != ERR_OK)
        return err;
    sending.verified = x->actor.verified;
    err = send_message(x->store, &sending);
    /* The header can only be at fault for a mismatch, not for the domain's other errors. */
    if (err != ERR_IDEMPOTENCY_MISMATCH)
        x->field = NULL;
    if (err == ERR_OK)
        render_message(&x->response->body, &sending.message);
    x->response->replayed = sending.replayed;
    return err;
}

/* GET /messages/{id}?username= */
enum err
api_get_message(struct context *x)
{
    struct message m;
    struct view view = input_view(x);
    enum err err = x->actor.username.p != NULL ? input_actor(x) : ERR_OK;

    if (err == ERR_OK)
        err = message_get(&view, x->message, &m);
    if (err == ERR_OK)
        render_message(&x->response->body, &m);
    return err;
}

/* PATCH /messages/{id} {username, content} */
enum err
api_edit_message(struct context *x)
{
    struct amendment a = {.arena = x->arena, .id = x->message_id, .actor = x->actor};
    enum err err = input_actor(x);

    if (err == ERR_OK)
        err = read_content(x, true, &a.content);
    if (err == ERR_OK)
        err = amend_edit(x->store, &a);
    if (err == ERR_OK)
        render_message(&x->response->body, &a.message);
    return err;
}

/*
 * Runs a command whose only input beside the path is the user name. `err`: the error if that name
 * is invalid.
 */
static enum err
amend(struct context *x, enum err err, enum err (*command)(struct store *store, struct amendment *a))
{
    struct amendment a = {.arena = x->arena, .id = x->message_id, .actor = x->actor, .emoji = x->text};

    if (err == ERR_OK)
        err = command(x->store, &a);
    if (err == ERR_OK)
        render_message(&x->response->body, &a.message);
    return err;
}

/* DELETE /messages/{id}?username= */
enum err
api_delete_message(struct context *x)
{
    return amend(x, input_authority(x), amend_delete);
}

/* PUT /messages/{id}/reactions/{emoji}?username= */
enum err
api_react(struct context *x)
{
    return emoji_valid(x->text) ? amend(x, input_actor(x), amend_react) : ERR_EMOJI;
}

/* DELETE /messages/{id}/reactions/{emoji}?username=&all= */
enum err
api_unreact(struct context *x)
{
    bool all = false;
    enum err err = input_true(x, "all", ERR_ALL, &all);

    if (err == ERR_OK && !emoji_valid(x->text))
        err = ERR_EMOJI;
    if (err != ERR_OK)
        return err;
    return all ? amend(x, input_authority(x), amend_clear) : amend(x, input_actor(x), amend_unreact);
}

/* GET /messages/{id}/reactions?emoji=&after=&limit=100 */
enum err
api_list_reactors(struct context *x)
{
    struct buf *body = &x->response->body;
    struct view view = input_view(x);
    struct reactors page = {.after = str_c("")};
    struct str emoji = {0};
    enum err err = input_param(x, "emoji", &emoji);

    if (err == ERR_OK && !emoji_valid(emoji))
        err = ERR_EMOJI;
    if (err == ERR_OK)
        err = input_after_name(x, &page.after);
    if (err == ERR_OK)
        err = input_limit(x, PAGE_LIMIT_MAX, &page.limit);
    page.emoji = emoji;
    if (err == ERR_OK)
        err = message_reactors(&view, x->message, &page);
    if (err != ERR_OK)
        return err;
    buf_c(body, "{\"emoji\":");
    json_quote(body, page.emoji);
    buf_printf(body, ",\"count\":%lld,\"names\":", (long long)page.count);
    render_names(body, page.names, page.name_count);
    buf_printf(body, ",\"has_next\":%s}", page.has_next ? "true" : "false");
    return ERR_OK;
}

/* A page of messages that is being written. */
struct page_writer {
    struct buf *body;
    size_t complete; /* length up to the end of the last complete tick */
};

static void
page_message(void *arg, const struct message *m)
{
    struct page_writer *page = arg;

    json_comma(page->body);
    render_message(page->body, m);
}

static void
page_tick_ends(void *arg)
{
    struct page_writer *page = arg;

    page->complete = page->body->n;
}

static void
page_cut(void *arg)
{
    struct page_writer *page = arg;

    buf_cut(page->body, page->complete);
}

/* How the messages of a list are selected. */
struct selector {
    struct str username; /* absent: select by conversation */
    int64_t after;       /* UNIX ms */
    bool by_seq;
    struct seq_page page; /* the limit; by seq: also the conversation and the position */
};

/*
 * Reads after_seq, before_seq or around_seq: at most one of them, and then neither `after` nor
 * `username`.
 */
static enum err
read_seq(struct context *x, struct selector *s)
{
    static const char *const sides[] = {
        [SEQ_AFTER] = "after_seq",
        [SEQ_BEFORE] = "before_seq",
        [SEQ_AROUND] = "around_seq",
    };
    struct str after;
    enum err err = request_param(x->request, "after", &after);

    for (int side = 0; err == ERR_OK && side < 3; side++) {
        bool given;

        err = input_number(x, sides[side], &s->page.seq, &given);
        if (err != ERR_OK || !given)
            continue;
        if (side == SEQ_AROUND && s->page.seq == 0)
            return input_not_a_number(x, sides[side]);
        x->field = sides[side];
        if (s->by_seq || after.p != NULL || s->username.p != NULL)
            return ERR_CONFLICTING;
        x->field = NULL;
        s->by_seq = true;
        s->page.seq = ids_seq(s->page.seq);
        s->page.side = (enum seq_side)side;
    }
    return err;
}

static enum err
read_selector(struct context *x, struct selector *s)
{
    enum err err;

    s->username = x->actor.username;
    s->page.conversation = x->conversation;
    err = s->username.p != NULL ? input_actor(x) : ERR_OK;
    if (err == ERR_OK)
        err = input_after(x, &s->after);
    if (err == ERR_OK)
        err = read_seq(x, s);
    if (err == ERR_OK)
        err = input_limit(x, PAGE_LIMIT_MAX, &s->page.limit);
    return err;
}

static enum err
list_by_seq(struct context *x, struct selector *s, struct page_writer *page)
{
    struct buf *body = &x->response->body;
    struct view view = input_view(x);
    enum err err = ERR_OK;

    if (x->conversation != NULL)
        err = history_by_seq(&view, &s->page, page_message, page);
    buf_c(body, "],\"has_prev\":");
    buf_c(body, s->page.has_prev ? "true" : "false");
    buf_c(body, ",\"has_next\":");
    buf_c(body, s->page.has_next ? "true}" : "false}");
    return err;
}

static enum err
list_by_time(struct context *x, const struct selector *s, struct page_writer *writer)
{
    struct buf *body = &x->response->body;
    struct history_sink sink = {writer, page_message, page_tick_ends, page_cut};
    struct time_page page = {.after = s->after, .limit = s->page.limit};
    struct view view = input_view(x);
    enum err err = ERR_OK;

    if (s->username.p != NULL)
        err = history_of_user(&view, &page, &sink);
    else if (x->conversation != NULL)
        err = history_of_conversation(&view, x->conversation, &page, &sink);
    buf_c(body, "],\"has_next\":");
    buf_c(body, page.has_next ? "true}" : "false}");
    return err;
}

/*
 * GET /messages?username=&after=0&limit=100
 *
 * GET /messages?conversation_id=&after=0&limit=100, or with after_seq, before_seq or around_seq
 * instead of `after`.
 */
enum err
api_list_messages(struct context *x)
{
    struct buf *body = &x->response->body;
    struct page_writer page = {.body = body};
    struct selector s = {0};
    enum err err = read_selector(x, &s);

    if (err != ERR_OK)
        return err;
    buf_c(body, "{\"messages\":[");
    page.complete = body->n;
    if (!buf_ok(body))
        return ERR_MEMORY;
    return s.by_seq ? list_by_seq(x, &s, &page) : list_by_time(x, &s, &page);
}
