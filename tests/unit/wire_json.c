/*
 * wire_json.c - checks: what json_quote() writes, a JSON parser reads back as the same bytes, and
 * it is what jansson itself writes.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "wire/json.h"

#define STRINGS    100000
#define CHARS_MAX  24
#define BYTES_ROOM (CHARS_MAX * 4)

/* A code point of every length, half of them of those that matter to JSON. */
static uint32_t
random_code_point(void)
{
    static const uint32_t special[] = {0,      0x1f,   0x20,   '"',     '\\',    '/',     0x7f,
                                       0x80,   0x7ff,  0x800,  0xd7ff,  0xe000,  0xfeff,  0xfffe,
                                       0xffff, 0x2028, 0x2029, 0x10000, 0x1f600, 0x10ffff};

    switch (rand() % 6) {
    case 0:
        return (uint32_t)rand() % 0x20;
    case 1:
        return (uint32_t)rand() % 0x80;
    case 2:
        return 0x80 + (uint32_t)rand() % 0x780;
    case 3:
        return 0xe000 + (uint32_t)rand() % 0x2000;
    case 4:
        return 0x10000 + (uint32_t)rand() % 0x100000;
    default:
        return special[(size_t)rand() % (sizeof(special) / sizeof(special[0]))];
    }
}

static size_t
encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static struct str
random_string(char *room)
{
    int chars = rand() % (CHARS_MAX + 1);
    struct str s = {room, 0};

    for (int i = 0; i < chars; i++)
        s.n += encode(random_code_point(), room + s.n);
    return s;
}

static void
assert_read_back(struct str written, struct str s)
{
    json_error_t error;
    json_t *value = json_loadb(written.p, written.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (value == NULL)
        fail_msg("%.*s: %s", (int)written.n, written.p, error.text);
    assert_true(json_is_string(value));
    assert_int_equal(json_string_length(value), s.n);
    assert_memory_equal(json_string_value(value), s.p, s.n);
    json_decref(value);
}

/* Only the case of an escape's hexadecimal letters may differ. */
static void
lower_escapes(char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        if (*p != '\\')
            continue;
        if (*++p != 'u')
            continue;
        for (int i = 0; i < 4; i++) {
            p++;
            if (*p >= 'A' && *p <= 'F')
                *p = (char)(*p - 'A' + 'a');
        }
    }
}

static void
assert_as_jansson(struct str written, struct str s)
{
    json_t *value = json_stringn(s.p, s.n);
    char *text = json_dumps(value, JSON_ENCODE_ANY);

    assert_non_null(text);
    lower_escapes(text);
    assert_int_equal(written.n, strlen(text));
    assert_memory_equal(written.p, text, written.n);
    free(text);
    json_decref(value);
}

static void
random_strings_come_back(void **state)
{
    struct buf b;
    char room[BYTES_ROOM];

    (void)state;
    support_srand();
    buf_init(&b);
    for (int i = 0; i < STRINGS; i++) {
        struct str s = random_string(room);

        buf_reset(&b);
        json_quote(&b, s);
        assert_true(buf_ok(&b));
        assert_read_back((struct str){b.p, b.n}, s);
        assert_as_jansson((struct str){b.p, b.n}, s);
    }
    buf_clear(&b);
}

static void
assert_written(struct str s, const char *want)
{
    struct buf b;

    buf_init(&b);
    buf_c(&b, "[");
    json_quote(&b, s);
    buf_c(&b, "]");
    assert_int_equal(b.n, strlen(want) + 2);
    assert_memory_equal(b.p + 1, want, strlen(want));
    buf_clear(&b);
}

static void
only_necessary_escapes_are_written(void **state)
{
    (void)state;
    assert_written(str_c(""), "\"\"");
    assert_written((struct str){0}, "\"\"");
    assert_written(str_c("\""), "\"\\\"\"");
    assert_written(str_c("\\"), "\"\\\\\"");
    assert_written(str_c("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"");
    assert_written((struct str){"\0\v\x1b\x1f", 4}, "\"\\u0000\\u000b\\u001b\\u001f\"");
    assert_written(str_c("/ '<>&\x7f"), "\"/ '<>&\x7f\"");
    assert_written(str_c("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

/*
 * An escape at the first and last byte, runs between, and a string longer than a buffer's first
 * allocation.
 */
static void
long_strings_come_back(void **state)
{
    struct buf b;
    char text[20000];

    (void)state;
    buf_init(&b);
    for (size_t step = 1; step < sizeof(text); step = step * 3 + 1) {
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = i % step == 0 ? (char)(i / step % 0x20) : 'a';
        buf_reset(&b);
        json_quote(&b, (struct str){text, sizeof(text)});
        assert_read_back((struct str){b.p, b.n}, (struct str){text, sizeof(text)});
    }
    buf_clear(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_strings_come_back),
        cmocka_unit_test(only_necessary_escapes_are_written),
        cmocka_unit_test(long_strings_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
