/*
 * wire_object.c - checks: a text is one JSON object, strictly: no duplicate key, no NUL, no lone
 * surrogate, nothing after it. A value of another type is distinguished from an absent one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wire/object.h"

static enum err
parse(const char *text)
{
    struct object *body = NULL;
    enum err err = object_parse(str_c(text), &body);

    if (err == ERR_OK)
        object_free(body);
    else
        assert_null(body);
    return err;
}

static struct object *
parsed(const char *text)
{
    struct object *body = NULL;

    if (object_parse(str_c(text), &body) != ERR_OK)
        fail_msg("not parsed: %s", text);
    return body;
}

static void
assert_refused(const char *const *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parse(cases[i]) != ERR_SYNTAX)
            fail_msg("not refused: %s", cases[i]);
}

static void
texts_that_are_not_json_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "{",
        "}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{'a':1}",
        "{a:1}",
        "nul",
        "[1,]",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":NaN}",
        "{\"a\":0x1}",
        "{} {}",
        "{}x",
        "{},",
        "{}\x01",
        "\xef\xbb\xbf{}",
        "/**/{}",
    };

    (void)state;
    assert_refused(cases, sizeof(cases) / sizeof(cases[0]));
    assert_int_equal(object_parse((struct str){0}, &(struct object *){NULL}), ERR_SYNTAX);
}

/* On top and below. An escape does not make another key. */
static void
duplicate_keys_are_refused(void **state)
{
    static const char *const cases[] = {
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"x\":{\"a\":1,\"a\":2}}",
        "{\"x\":[{\"a\":1,\"a\":2}]}",
    };

    (void)state;
    assert_refused(cases, sizeof(cases) / sizeof(cases[0]));
}

/* In a value and in a key. */
static void
a_nul_is_refused(void **state)
{
    static const char *const cases[] = {
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"x\\u0000y\"}",
        "{\"a\\u0000\":1}",
    };

    (void)state;
    assert_refused(cases, sizeof(cases) / sizeof(cases[0]));
    assert_int_equal(object_parse((struct str){"{}\0", 3}, &(struct object *){NULL}), ERR_SYNTAX);
    assert_int_equal(object_parse((struct str){"{\"a\":\"\0\"}", 9}, &(struct object *){NULL}), ERR_SYNTAX);
}

/* Either half, and in the wrong order. */
static void
lone_surrogates_are_refused(void **state)
{
    static const char *const cases[] = {
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud800x\"}",
        "{\"a\":\"\\ud800\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"a\":\"\\ud83d\\n\"}",
        "{\"\\ud800\":1}",
    };

    (void)state;
    assert_refused(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
invalid_utf8_and_control_characters_are_refused(void **state)
{
    static const char *const cases[] = {
        "{\"a\":\"\x80\"}",         "{\"a\":\"\xc0\x80\"}",
        "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xf4\x90\x80\x80\"}",
        "{\"a\":\"\xe2\x82\"}",     "{\"\xff\":1}",
        "{\"a\":\"\n\"}",           "{\"a\":\"\x1f\"}",
        "{\"a\":\"\\x\"}",          "{\"a\":\"\\u12\"}",
    };

    (void)state;
    assert_refused(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
numbers_out_of_range_are_refused(void **state)
{
    static const char *const cases[] = {
        "{\"a\":9223372036854775808}",
        "{\"a\":-9223372036854775809}",
        "{\"a\":1e999}",
    };

    (void)state;
    assert_refused(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
other_json_is_distinguished_from_invalid_json(void **state)
{
    static const char *const cases[] = {"[]", "[{}]", "1", "-1.5", "\"a\"", "true", "null", " [1] "};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (parse(cases[i]) != ERR_NOT_AN_OBJECT)
            fail_msg("not distinguished: %s", cases[i]);
}

static void
objects_are_read(void **state)
{
    (void)state;
    assert_int_equal(parse("{}"), ERR_OK);
    assert_int_equal(parse(" \t\r\n{ } \n"), ERR_OK);
    assert_int_equal(parse("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]}"), ERR_OK);
    assert_int_equal(parse("{\"\":1}"), ERR_OK);
    object_free(NULL);
}

/* The text is not terminated by NUL: each prefix is at the end of its allocation. */
static void
no_prefix_is_an_object(void **state)
{
    static const char text[] = "{\"k\\u00e4\":[\"\xc3\xa4\",-1.5e3,{\"x\":null}],\"\\ud83d\\ude00\":true}";

    (void)state;
    for (size_t n = 1; n < sizeof(text) - 1; n++) {
        char *copy = malloc(n);
        struct object *body = NULL;

        assert_non_null(copy);
        memcpy(copy, text, n);
        assert_int_equal(object_parse((struct str){copy, n}, &body), ERR_SYNTAX);
        free(copy);
    }
    assert_int_equal(parse(text), ERR_OK);
}

static void
deep_nesting_fails_only_the_request(void **state)
{
    enum { DEPTH = 100000 };
    char *text = malloc(DEPTH);
    struct object *body = NULL;

    (void)state;
    assert_non_null(text);
    memset(text, '[', DEPTH);
    assert_int_equal(object_parse((struct str){text, DEPTH}, &body), ERR_SYNTAX);
    free(text);
}

static void
strings_are_read(void **state)
{
    struct object *body =
        parsed("{\"s\":\"a\\u00e4\\ud83d\\ude00\\\"\\/\\n\",\"e\":\"\",\"n\":1,\"z\":null,\"l\":[]}");
    struct str s = {0};

    (void)state;
    assert_int_equal(object_string(body, "s", &s), OBJECT_OK);
    assert_true(str_is(s, "a\xc3\xa4\xf0\x9f\x98\x80\"/\n"));
    assert_int_equal(object_string(body, "e", &s), OBJECT_OK);
    assert_non_null(s.p);
    assert_int_equal(s.n, 0);
    assert_int_equal(object_string(body, "n", &s), OBJECT_MISTYPED);
    assert_int_equal(object_string(body, "z", &s), OBJECT_MISTYPED);
    assert_int_equal(object_string(body, "l", &s), OBJECT_MISTYPED);
    assert_int_equal(object_string(body, "absent", &s), OBJECT_ABSENT);
    assert_int_equal(object_string(body, "S", &s), OBJECT_ABSENT);
    assert_int_equal(object_string(body, "", &s), OBJECT_ABSENT);
    object_free(body);
}

static void
integers_are_distinguished_from_other_numbers(void **state)
{
    static const struct {
        const char *text;
        enum object_kind kind;
        int64_t value;
    } cases[] = {
        {"{\"n\":0}", OBJECT_OK, 0},
        {"{\"n\":-0}", OBJECT_OK, 0},
        {"{\"n\":-7}", OBJECT_OK, -7},
        {"{\"n\":9223372036854775807}", OBJECT_OK, INT64_MAX},
        {"{\"n\":-9223372036854775808}", OBJECT_OK, INT64_MIN},
        {"{\"n\":1.0}", OBJECT_MISTYPED, 0},
        {"{\"n\":1e0}", OBJECT_MISTYPED, 0},
        {"{\"n\":1E2}", OBJECT_MISTYPED, 0},
        {"{\"n\":0.5}", OBJECT_MISTYPED, 0},
        {"{\"n\":\"1\"}", OBJECT_MISTYPED, 0},
        {"{\"n\":true}", OBJECT_MISTYPED, 0},
        {"{\"n\":null}", OBJECT_MISTYPED, 0},
        {"{\"n\":[1]}", OBJECT_MISTYPED, 0},
        {"{\"m\":1}", OBJECT_ABSENT, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct object *body = parsed(cases[i].text);
        int64_t value = 42;

        if (object_int(body, "n", &value) != cases[i].kind)
            fail_msg("kind of %s", cases[i].text);
        assert_int_equal(value, cases[i].kind == OBJECT_OK ? cases[i].value : 42);
        object_free(body);
    }
}

static void
lists_are_read(void **state)
{
    struct object *body = parsed("{\"l\":[\"a\",\"\",\"\\u00e4\"],\"e\":[],\"s\":\"a\",\"o\":{},\"z\":null}");
    const struct object *list = NULL;
    struct arena arena;
    struct str s;
    size_t count = 42;

    (void)state;
    arena_init(&arena);
    assert_int_equal(object_list(body, "s", &list, &count), OBJECT_MISTYPED);
    assert_int_equal(object_list(body, "o", &list, &count), OBJECT_MISTYPED);
    assert_int_equal(object_list(body, "z", &list, &count), OBJECT_MISTYPED);
    assert_int_equal(object_list(body, "absent", &list, &count), OBJECT_ABSENT);
    assert_int_equal(count, 42);
    assert_int_equal(object_list(body, "e", &list, &count), OBJECT_OK);
    assert_int_equal(count, 0);
    assert_int_equal(object_list(body, "l", &list, &count), OBJECT_OK);
    assert_int_equal(count, 3);
    assert_int_equal(object_list_string(list, 0, &arena, &s), OBJECT_OK);
    assert_true(str_is(s, "a"));
    assert_int_equal(object_list_string(list, 1, &arena, &s), OBJECT_OK);
    assert_non_null(s.p);
    assert_int_equal(s.n, 0);
    assert_int_equal(object_list_string(list, 2, &arena, &s), OBJECT_OK);
    assert_true(str_is(s, "\xc3\xa4"));
    object_free(body);
    arena_clear(&arena);
}

/* A value that is not a string is returned as JSON, and outlives the body. */
static void
other_entries_of_a_list_are_read_as_json(void **state)
{
    static const char *const shown[] = {"1", "-1.5", "null", "true", "{\"a\":[1,\"\xc3\xa4\"]}", "[]"};
    struct object *body = parsed("{\"l\":[1, -1.5, null, true, {\"a\" : [1, \"\\u00e4\"]}, [ ]]}");
    const struct object *list = NULL;
    struct arena arena;
    struct str texts[6];
    size_t count = 0;

    (void)state;
    arena_init(&arena);
    assert_int_equal(object_list(body, "l", &list, &count), OBJECT_OK);
    assert_int_equal(count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(object_list_string(list, i, &arena, &texts[i]), OBJECT_MISTYPED);
    object_free(body);
    for (size_t i = 0; i < 6; i++)
        assert_true(str_is(texts[i], shown[i]));
    arena_clear(&arena);
}

static int
setup(void **state)
{
    (void)state;
    object_setup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_not_json_are_refused),
        cmocka_unit_test(duplicate_keys_are_refused),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(lone_surrogates_are_refused),
        cmocka_unit_test(invalid_utf8_and_control_characters_are_refused),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(other_json_is_distinguished_from_invalid_json),
        cmocka_unit_test(objects_are_read),
        cmocka_unit_test(no_prefix_is_an_object),
        cmocka_unit_test(deep_nesting_fails_only_the_request),
        cmocka_unit_test(strings_are_read),
        cmocka_unit_test(integers_are_distinguished_from_other_numbers),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(other_entries_of_a_list_are_read_as_json),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
