/*
 * body.c - fuzzes the reading of bodies: all readers agree on the kind of each member, every string
 * is valid UTF-8 without NUL, and json_quote() writes it so that the same bytes are read back.
 */
#include "base/utf8.h"
#include "wire/object.h"
#include "wire/json.h"
#include "fuzz.h"

static void
check_written(struct str s)
{
    struct buf b;
    struct object *again = NULL;
    struct str value;

    buf_init(&b);
    buf_c(&b, "{\"content\":");
    json_quote(&b, s);
    buf_c(&b, "}");
    must(buf_ok(&b) && object_parse((struct str){b.p, b.n}, &again) == ERR_OK);
    must(object_string(again, "content", &value) == OBJECT_OK && str_eq(value, s));
    object_free(again);
    buf_clear(&b);
}

static void
check_text(struct str s)
{
    must(s.p != NULL && utf8_valid(s) && memchr(s.p, '\0', s.n) == NULL);
}

static void
check_list(const struct object *list, size_t count)
{
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < count; i++) {
        struct str s;
        enum object_kind kind = object_list_string(list, i, &arena, &s);

        must(kind == OBJECT_OK || kind == OBJECT_MISTYPED);
        check_text(s);
        if (kind == OBJECT_OK)
            check_written(s);
    }
    arena_clear(&arena);
}

/* Reads one member by all readers. */
static void
check_member(const struct object *body, const char *key)
{
    struct str text;
    int64_t number;
    const struct object *list;
    size_t count;
    bool is_null = object_is_null(body, key);
    enum object_kind as_string = object_string(body, key, &text);
    enum object_kind as_int = object_int(body, key, &number);
    enum object_kind as_list = object_list(body, key, &list, &count);

    must((as_string == OBJECT_OK) + (as_int == OBJECT_OK) + (as_list == OBJECT_OK) + is_null <= 1);
    must((as_string == OBJECT_ABSENT) == (as_int == OBJECT_ABSENT) &&
         (as_int == OBJECT_ABSENT) == (as_list == OBJECT_ABSENT));
    must(!is_null || as_string == OBJECT_MISTYPED);
    if (as_string == OBJECT_OK) {
        check_text(text);
        check_written(text);
    }
    if (as_list == OBJECT_OK)
        check_list(list, count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"type",     "members",   "conversation_id", "username", "content",
                                       "reply_to", "client_id", "title",           "seq",      ""};
    struct object *body;
    enum err err = object_parse((struct str){(const char *)data, size}, &body);

    must(err == ERR_OK || err == ERR_SYNTAX || err == ERR_NOT_AN_OBJECT);
    if (err != ERR_OK)
        return 0;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        check_member(body, keys[i]);
    object_free(body);
    return 0;
}
