/*
 * body.c - fuzzes the reading of bodies: what a body gives is valid UTF-8 without NUL, and json_quote()
 * writes it so that it is read back as the same bytes.
 */
#include "base/utf8.h"
#include "wire/body.h"
#include "wire/json.h"
#include "fuzz.h"

static void
check_written(struct str s)
{
    struct buf b;
    struct body *again = NULL;
    struct str value;

    buf_init(&b);
    buf_c(&b, "{\"content\":");
    json_quote(&b, s);
    buf_c(&b, "}");
    must(buf_ok(&b) && body_parse((struct str){b.p, b.n}, &again) == ERR_OK);
    must(body_string(again, "content", &value) == BODY_OK && str_eq(value, s));
    body_free(again);
    buf_clear(&b);
}

static void
check_text(struct str s)
{
    must(s.p != NULL && utf8_valid(s) && memchr(s.p, '\0', s.n) == NULL);
}

static void
check_list(const struct body *body)
{
    const struct body *list;
    struct arena arena;
    size_t count;

    if (body_list(body, "members", &list, &count) != BODY_OK)
        return;
    arena_init(&arena);
    for (size_t i = 0; i < count; i++) {
        struct str s;

        must(body_list_string(list, i, &arena, &s) != BODY_ABSENT);
        check_text(s);
    }
    arena_clear(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct body *body;
    struct str content;
    int64_t id;
    enum err err = body_parse((struct str){(const char *)data, size}, &body);

    must(err == ERR_OK || err == ERR_JSON || err == ERR_BODY_NOT_OBJECT);
    if (err != ERR_OK)
        return 0;
    if (body_string(body, "content", &content) == BODY_OK) {
        check_text(content);
        check_written(content);
    }
    must(body_int(body, "conversation_id", &id) != BODY_OK ||
         body_string(body, "conversation_id", &content) == BODY_MISTYPED);
    check_list(body);
    body_free(body);
    return 0;
}
