/*
 * render.c - fuzzes the writer of JSON: any valid text in a message, a conversation, a problem or a
 * frame gives valid JSON on one line, from which the same text is read back. Valid text is what the
 * JSON parser accepts.
 */
#include "base/utf8.h"
#include "wire/object.h"
#include "wire/json.h"
#include "wire/render.h"
#include "fuzz.h"

/* Asserts that this is one JSON object on one line, and that its member `key` is `value`. */
static void
check_object(struct buf *b, const char *key, struct str value)
{
    struct object *body = NULL;
    struct str found;

    must(buf_ok(b) && memchr(b->p, '\n', b->n) == NULL);
    must(object_parse((struct str){b->p, b->n}, &body) == ERR_OK);
    must(key == NULL || (object_string(body, key, &found) == OBJECT_OK && str_eq(found, value)));
    object_free(body);
    buf_reset(b);
}

/*
 * Asserts that the parser accepts the same texts as utf8_valid(), except for NUL, which it refuses.
 */
static void
check_same_opinion(struct buf *b, struct str text)
{
    struct object *body = NULL;
    bool valid = utf8_valid(text) && memchr(text.p, '\0', text.n) == NULL;

    buf_c(b, "{\"text\":");
    json_quote(b, text);
    buf_c(b, "}");
    must(buf_ok(b) && (object_parse((struct str){b->p, b->n}, &body) == ERR_OK) == valid);
    if (valid)
        object_free(body);
    buf_reset(b);
}

static void
check_model(struct buf *b, struct str text)
{
    const struct str names[] = {text, str_c("bob")};
    const struct reaction reactions[] = {{text, 2, true, names, 2}};
    const struct message m = {.id = 1,
                              .conversation = 2,
                              .seq = 3,
                              .timestamp = INT64_MAX,
                              .sender = text,
                              .content = text,
                              .client_id = text,
                              .reply_to = INT64_MAX,
                              .edited_at = 1,
                              .emoji_count = 1,
                              .reactions = reactions,
                              .reaction_count = 1};
    const struct conversation c = {.id = 1, .type = TYPE_GROUP, .title = text};
    const struct change change = {.event = EVENT_MESSAGE_CREATED, .conversation = 2, .version = 1};

    render_message(b, &m);
    check_object(b, "content", text);
    render_conversation(b, &c);
    check_object(b, "title", text);
    render_frame_begin(b, "0123456789abcdef0123456789abcdef");
    render_event(b, &change, &m, NULL);
    render_frame_end(b);
    check_object(b, NULL, text);
    render_problem(b, &(struct refusal){.status = 400,
                                        .code = str_c("a_code"),
                                        .sentence = text,
                                        .field = "a_field",
                                        .request_id = text});
    check_object(b, "error", text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of exactly so many bytes, so that a sanitizer detects a read beyond them. */
    char *copy = malloc(size + (size == 0));
    struct str text = {copy, size};
    struct buf b;

    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    buf_init(&b);
    check_same_opinion(&b, text);
    if (utf8_valid(text) && memchr(copy, '\0', size) == NULL)
        check_model(&b, text);
    buf_clear(&b);
    free(copy);
    return 0;
}
