/*
 * body.c - fuzzes the reading of bodies: each member of one is of one kind for all readers, what a
 * body gives is valid UTF-8 without NUL, and json_quote() writes it so that it is read back as the
 * same bytes.
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
check_list(const struct body *list, size_t count)
{
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < count; i++) {
        struct str s;
        enum body_kind kind = body_list_string(list, i, &arena, &s);

        must(kind == BODY_OK || kind == BODY_MISTYPED);
        check_text(s);
        if (kind == BODY_OK)
            check_written(s);
    }
    arena_clear(&arena);
}

/* One member, by all readers. */
static void
check_member(const struct body *body, const char *key)
{
    struct str text;
    int64_t number;
    const struct body *list;
    size_t count;
    bool is_null = body_is_null(body, key);
    enum body_kind as_string = body_string(body, key, &text);
    enum body_kind as_int = body_int(body, key, &number);
    enum body_kind as_list = body_list(body, key, &list, &count);

    must((as_string == BODY_OK) + (as_int == BODY_OK) + (as_list == BODY_OK) + is_null <= 1);
    must((as_string == BODY_ABSENT) == (as_int == BODY_ABSENT) &&
         (as_int == BODY_ABSENT) == (as_list == BODY_ABSENT));
    must(!is_null || as_string == BODY_MISTYPED);
    if (as_string == BODY_OK) {
        check_text(text);
        check_written(text);
    }
    if (as_list == BODY_OK)
        check_list(list, count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"type",     "members",   "conversation_id", "username", "content",
                                       "reply_to", "client_id", "title",           "seq",      ""};
    struct body *body;
    enum err err = body_parse((struct str){(const char *)data, size}, &body);

    must(err == ERR_OK || err == ERR_SYNTAX || err == ERR_NOT_AN_OBJECT);
    if (err != ERR_OK)
        return 0;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        check_member(body, keys[i]);
    body_free(body);
    return 0;
}
