/* render.c - see render.h. Must not know who reads it. */
#include "wire/render.h"

#include "wire/json.h"

/* Appends a literal: its length is known to the compiler. */
#define LITERAL(b, text) buf_add(b, text, sizeof(text) - 1)

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
    LITERAL(b, "}");
}

void
render_conversation(struct buf *b, const struct conversation *c)
{
    LITERAL(b, "{\"id\":");
    buf_int(b, c->id);
    LITERAL(b, ",\"type\":");
    json_quote(b, str_c(conversation_type_names[c->type]));
    LITERAL(b, ",\"members\":[");
    for (size_t i = 0; i < c->member_count; i++) {
        if (i > 0)
            LITERAL(b, ",");
        json_quote(b, c->members[i]);
    }
    LITERAL(b, "],\"created_at\":");
    buf_int(b, c->created_at);
    LITERAL(b, ",\"updated_at\":");
    buf_int(b, c->updated_at);
    LITERAL(b, ",\"last_seq\":");
    buf_int(b, c->last_seq);
    LITERAL(b, ",\"version\":");
    buf_int(b, c->version);
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
    if (b->n > 0 && b->p[b->n - 1] != '[')
        LITERAL(b, ",");
    LITERAL(b, "{\"event\":");
    json_quote(b, str_c(change_event_names[change->event]));
    LITERAL(b, ",\"conversation\":");
    buf_int(b, change->conversation);
    LITERAL(b, ",\"version\":");
    buf_int(b, change->version);
    if (m != NULL) {
        LITERAL(b, ",\"message\":");
        render_message(b, m);
    } else if (c != NULL) {
        LITERAL(b, ",\"object\":");
        render_conversation(b, c);
    } else if (change->username.n > 0) {
        LITERAL(b, ",\"username\":");
        json_quote(b, change->username);
    }
    LITERAL(b, "}");
}

void
render_frame_end(struct buf *b)
{
    LITERAL(b, "]}");
}

void
render_problem(struct buf *b, struct str sentence, const char *code, const char *field, int status,
               struct str request_id)
{
    LITERAL(b, "{\"error\":");
    json_quote(b, sentence);
    LITERAL(b, ",\"code\":");
    json_quote(b, str_c(code));
    LITERAL(b, ",\"status\":");
    buf_int(b, status);
    LITERAL(b, ",\"request_id\":");
    json_quote(b, request_id);
    if (field != NULL) {
        LITERAL(b, ",\"field\":");
        json_quote(b, str_c(field));
    }
    LITERAL(b, "}");
}
