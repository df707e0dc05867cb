/* render.c - see render.h. Must not know whether it writes an answer or a push frame. */
#include "wire/render.h"

#include "wire/json.h"

/* Appends a string literal, whose length the compiler knows. */
#define LITERAL(b, text) buf_add(b, text, sizeof(text) - 1)

void
render_names(struct buf *b, const struct str *names, size_t count)
{
    LITERAL(b, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            LITERAL(b, ",");
        json_quote(b, names[i]);
    }
    LITERAL(b, "]");
}

/* {"👍": {"count": 1, "mine": false, "names": ["bob"]}} */
static void
render_reactions(struct buf *b, const struct message *m)
{
    LITERAL(b, ",\"reactions\":{");
    for (size_t i = 0; i < m->reaction_count; i++) {
        const struct reaction *r = &m->reactions[i];

        if (i > 0)
            LITERAL(b, ",");
        json_quote(b, r->emoji);
        LITERAL(b, ":{\"count\":");
        buf_int(b, r->count);
        if (m->has_viewer)
            buf_c(b, r->mine ? ",\"mine\":true" : ",\"mine\":false");
        LITERAL(b, ",\"names\":");
        render_names(b, r->names, r->name_count);
        LITERAL(b, "}");
    }
    LITERAL(b, "}");
}

void
render_message(struct buf *b, const struct message *m)
{
    LITERAL(b, "{\"id\":");
    buf_int(b, m->id);
    LITERAL(b, ",\"conversation\":");
    buf_int(b, m->conversation);
    LITERAL(b, ",\"seq\":");
    buf_int(b, m->seq);
    LITERAL(b, ",\"sender\":");
    json_quote(b, m->sender);
    LITERAL(b, ",\"content\":");
    json_quote(b, m->content);
    LITERAL(b, ",\"timestamp\":");
    buf_int(b, m->timestamp);
    if (m->client_id.n > 0) {
        LITERAL(b, ",\"client_id\":");
        json_quote(b, m->client_id);
    }
    if (m->reply_to != 0) {
        LITERAL(b, ",\"reply_to\":");
        buf_int(b, m->reply_to);
    }
    if (m->withheld)
        LITERAL(b, ",\"withheld\":true");
    if (m->edited_at != 0) {
        LITERAL(b, ",\"edited_at\":");
        buf_int(b, m->edited_at);
    }
    if (m->deleted_at != 0) {
        LITERAL(b, ",\"deleted_at\":");
        buf_int(b, m->deleted_at);
    }
    if (m->reaction_count > 0)
        render_reactions(b, m);
    LITERAL(b, "}");
}

static void
render_conversation_head(struct buf *b, const struct conversation *c)
{
    LITERAL(b, "{\"id\":");
    buf_int(b, c->id);
    LITERAL(b, ",\"type\":");
    json_quote(b, str_c(conversation_type_names[c->type]));
}

/* The members that every form of a conversation ends with. */
static void
render_conversation_tail(struct buf *b, const struct conversation *c)
{
    LITERAL(b, ",\"updated_at\":");
    buf_int(b, c->updated_at);
    LITERAL(b, ",\"last_seq\":");
    buf_int(b, c->last_seq);
    LITERAL(b, ",\"version\":");
    buf_int(b, c->version);
}

/* Everything but the closing brace. */
static void
render_conversation_open(struct buf *b, const struct conversation *c)
{
    render_conversation_head(b, c);
    LITERAL(b, ",\"title\":");
    json_quote(b, c->title);
    if (c->type == TYPE_GROUP && c->invite_only)
        LITERAL(b, ",\"join\":\"invite\"");
    else if (c->type == TYPE_GROUP)
        LITERAL(b, ",\"join\":\"open\"");
    if (c->member_count <= MEMBERS_FEW && c->members_read == (size_t)c->member_count) {
        LITERAL(b, ",\"members\":");
        render_names(b, c->members, c->members_read);
    }
    LITERAL(b, ",\"member_count\":");
    buf_int(b, c->member_count);
    LITERAL(b, ",\"created_at\":");
    buf_int(b, c->created_at);
    render_conversation_tail(b, c);
}

void
render_conversation(struct buf *b, const struct conversation *c)
{
    render_conversation_open(b, c);
    LITERAL(b, "}");
}

/* Appends a conversation for a former member, who may not see its title and members. */
static void
render_left(struct buf *b, const struct conversation *c)
{
    render_conversation_head(b, c);
    LITERAL(b, ",\"left\":true");
    render_conversation_tail(b, c);
    LITERAL(b, "}");
}

void
render_listing(struct buf *b, const struct listing *l)
{
    if (l->left) {
        render_left(b, &l->conversation);
        return;
    }
    render_conversation_open(b, &l->conversation);
    LITERAL(b, ",\"role\":");
    json_quote(b, str_c(role_names[l->role]));
    LITERAL(b, ",\"read_seq\":");
    buf_int(b, l->read_seq);
    LITERAL(b, ",\"unread\":");
    buf_int(b, l->unread);
    LITERAL(b, ",\"last_message\":");
    if (l->newest != NULL)
        render_message(b, l->newest);
    else
        LITERAL(b, "null");
    LITERAL(b, "}");
}

void
render_standing(struct buf *b, const struct standing *s)
{
    LITERAL(b, "{\"username\":");
    json_quote(b, s->username);
    LITERAL(b, ",\"role\":");
    json_quote(b, str_c(role_names[s->role]));
    if (s->left)
        LITERAL(b, ",\"left\":true");
    LITERAL(b, "}");
}

void
render_markers(struct buf *b, const struct read_marker *markers, size_t count)
{
    LITERAL(b, "{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            LITERAL(b, ",");
        json_quote(b, markers[i].username);
        LITERAL(b, ":");
        buf_int(b, markers[i].seq);
    }
    LITERAL(b, "}");
}

void
render_frame_begin(struct buf *b, const char *epoch)
{
    LITERAL(b, "{\"type\":\"notify\",\"epoch\":");
    json_quote(b, str_c(epoch));
    LITERAL(b, ",\"events\":[");
}

void
render_event(struct buf *b, const struct change *change, const struct message *m,
             const struct conversation *c)
{
    json_comma(b);
    LITERAL(b, "{\"event\":");
    json_quote(b, str_c(change_event_names[change->event]));
    LITERAL(b, ",\"conversation\":");
    buf_int(b, change->conversation);
    if (change->event != EVENT_READ && change->event != EVENT_TYPING) {
        LITERAL(b, ",\"version\":");
        buf_int(b, change->version);
    }
    if (m != NULL) {
        LITERAL(b, ",\"message\":");
        render_message(b, m);
    } else if (c != NULL) {
        LITERAL(b, ",\"object\":");
        render_conversation(b, c);
    }
    if (change->username.n > 0) {
        LITERAL(b, ",\"username\":");
        json_quote(b, change->username);
    }
    if (change->emoji.n > 0) {
        LITERAL(b, ",\"emoji\":");
        json_quote(b, change->emoji);
        buf_c(b, change->added ? ",\"added\":true" : ",\"added\":false");
    }
    if (change->event == EVENT_MEMBER_UPDATED) {
        LITERAL(b, ",\"role\":");
        json_quote(b, str_c(role_names[change->role]));
    }
    if (change->event == EVENT_READ) {
        LITERAL(b, ",\"seq\":");
        buf_int(b, change->seq);
    }
    LITERAL(b, "}");
}

void
render_frame_end(struct buf *b)
{
    LITERAL(b, "]}");
}

void
render_problem(struct buf *b, const struct refusal *refusal)
{
    LITERAL(b, "{\"error\":");
    json_quote(b, refusal->sentence);
    LITERAL(b, ",\"code\":");
    json_quote(b, refusal->code);
    LITERAL(b, ",\"status\":");
    buf_int(b, refusal->status);
    LITERAL(b, ",\"request_id\":");
    json_quote(b, refusal->request_id);
    if (refusal->field != NULL) {
        LITERAL(b, ",\"field\":");
        json_quote(b, str_c(refusal->field));
    }
    LITERAL(b, "}");
}
