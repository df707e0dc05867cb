/*
 * http_request.c - checks: a query is decoded once, to valid UTF-8 without NUL, or refused with the
 * name of the faulty parameter. A parameter that is given twice is refused when it is read.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/request.h"

static struct arena arena;

static enum err
parse_bytes(struct request *r, struct str query)
{
    *r = (struct request){.query = query, .arena = &arena};
    return request_parse_query(r);
}

static enum err
parse(struct request *r, const char *query)
{
    return parse_bytes(r, str_c(query));
}

static void
assert_value(const char *query, const char *name, const char *want)
{
    struct request r;
    struct str value;

    assert_int_equal(parse(&r, query), ERR_OK);
    assert_null(r.at_fault);
    assert_int_equal(request_param(&r, name, &value), ERR_OK);
    if (want == NULL ? value.p != NULL : !str_is(value, want) || value.p == NULL)
        fail_msg("'%s': %s is '%.*s'", query, name, (int)value.n, value.p == NULL ? "" : value.p);
}

static void
values_are_decoded(void **state)
{
    (void)state;
    assert_value("a=b", "a", "b");
    assert_value("a=b&c=d", "c", "d");
    assert_value("a=%41%7a%7A", "a", "Azz");
    assert_value("%61=b", "a", "b");
    assert_value("a=x+y%20z%2B", "a", "x y z+");
    assert_value("a+b=c", "a b", "c");
    assert_value("a=%C3%A4%f0%9F%98%80", "a", "\xc3\xa4\xf0\x9f\x98\x80");
    assert_value("a=\xc3\xa4", "a", "\xc3\xa4");
    assert_value("a=b=c", "a", "b=c");
    assert_value("a=%26b%3Dc", "a", "&b=c");
    /* Decoded once. */
    assert_value("a=%2541", "a", "%41");
    assert_value("a=%25", "a", "%");
    assert_value("a=%01%7f\n", "a", "\x01\x7f\n");
}

static void
empty_and_absent_parameters_are_distinguished(void **state)
{
    (void)state;
    assert_value("", "a", NULL);
    assert_value("b=c", "a", NULL);
    assert_value("A=c", "a", NULL);
    assert_value("ab=c", "a", NULL);
    assert_value("a=", "a", "");
    assert_value("a", "a", "");
    assert_value("a&b", "b", "");
    assert_value("&&&a=b&&", "a", "b");
    assert_value("&", "a", NULL);
    assert_value("=b", "", "b");
    assert_value("=", "", "");
    assert_value("=b", "a", NULL);
}

static void
assert_fault(const char *query, const char *at_fault)
{
    struct request r;

    if (parse(&r, query) != ERR_ENCODING)
        fail_msg("not refused: %s", query);
    if (at_fault == NULL ? r.at_fault != NULL : r.at_fault == NULL || strcmp(r.at_fault, at_fault) != 0)
        fail_msg("at fault in %s: %s", query, r.at_fault == NULL ? "(none)" : r.at_fault);
}

static void
bad_values_name_their_parameter(void **state)
{
    static const char *const values[] = {
        "%",    "%4",     "%4g",   "%g4",  "%%41",   "% 41",   "%+1",    "%-1",       "%0x",          "x%",
        "x%4",  "%00",    "x%00y", "%80",  "%C3",    "%C3%28", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "\x80",
        "\xc3", "%E2%82", "\xc3%", "\xff", "%u0041",
    };
    char query[64];

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(query, sizeof(query), "ok=1&af%%74er=%s", values[i]);
        assert_fault(query, "after");
        snprintf(query, sizeof(query), "limit=%s&after=1", values[i]);
        assert_fault(query, "limit");
        /* If the name itself is unreadable, none is returned. */
        snprintf(query, sizeof(query), "ok=1&%s=1", values[i]);
        assert_fault(query, NULL);
        snprintf(query, sizeof(query), "%s", values[i]);
        assert_fault(query, NULL);
    }
}

/* An escape ends with its parameter. */
static void
an_escape_does_not_reach_over_the_separator(void **state)
{
    (void)state;
    assert_fault("a=%4&1=b", "a");
    assert_fault("a%3=d", NULL);
    assert_fault("a=%C3&=%A4", "a");
}

static void
nul_is_refused_as_it_is(void **state)
{
    struct request r;

    (void)state;
    assert_int_equal(parse_bytes(&r, (struct str){"a=x\0y", 5}), ERR_ENCODING);
    assert_string_equal(r.at_fault, "a");
    assert_int_equal(parse_bytes(&r, (struct str){"a\0=x", 4}), ERR_ENCODING);
    assert_null(r.at_fault);
}

static void
a_parameter_given_twice_is_refused_if_required(void **state)
{
    static const char *const queries[] = {"a=1&b=2&a=3", "a=1&b=2&a=1", "a&b=2&a", "a=&b=2&%61="};
    struct request r;
    struct str value;

    (void)state;
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        assert_int_equal(parse(&r, queries[i]), ERR_OK);
        assert_int_equal(r.param_count, 3);
        assert_int_equal(request_param(&r, "a", &value), ERR_GIVEN_TWICE);
        assert_int_equal(request_param(&r, "b", &value), ERR_OK);
        assert_true(str_is(value, "2"));
        assert_int_equal(request_param(&r, "c", &value), ERR_OK);
        assert_null(value.p);
    }
}

static void
many_parameters_are_read(void **state)
{
    enum { COUNT = 2000 };
    char query[COUNT * 12];
    size_t n = 0;
    struct request r;
    struct str value;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        n += (size_t)snprintf(query + n, sizeof(query) - n, "&p%d=%d", i, i * 7);
    assert_int_equal(parse(&r, query), ERR_OK);
    assert_int_equal(r.param_count, COUNT);
    assert_int_equal(request_param(&r, "p1999", &value), ERR_OK);
    assert_true(str_is(value, "13993"));
}

/* Every byte, escaped, alone: all ASCII bytes except NUL are decoded to themselves. */
static void
every_escape_is_its_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char query[8];
        char want[2] = {(char)c, '\0'};

        snprintf(query, sizeof(query), "a=%%%02X", (unsigned)c);
        if (c == 0 || c >= 0x80)
            assert_fault(query, "a");
        else
            assert_value(query, "a", want);
    }
}

/* Nothing outside the query is read: each is at the end of its allocation. */
static void
random_queries_stay_inside(void **state)
{
    static const char alphabet[] = "%%%&&==+a1fF\xc3\xa4";

    (void)state;
    support_srand();
    for (int i = 0; i < 50000; i++) {
        size_t n = (size_t)rand() % 16;
        char *query = malloc(n + (n == 0));
        struct request r;
        enum err err;

        assert_non_null(query);
        for (size_t k = 0; k < n; k++)
            query[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
        err = parse_bytes(&r, (struct str){query, n});
        assert_true(err == ERR_OK || err == ERR_ENCODING);
        assert_true(err == ERR_ENCODING || r.at_fault == NULL);
        free(query);
        arena_reset(&arena);
    }
}

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_decoded),
        cmocka_unit_test(empty_and_absent_parameters_are_distinguished),
        cmocka_unit_test(bad_values_name_their_parameter),
        cmocka_unit_test(an_escape_does_not_reach_over_the_separator),
        cmocka_unit_test(nul_is_refused_as_it_is),
        cmocka_unit_test(a_parameter_given_twice_is_refused_if_required),
        cmocka_unit_test(many_parameters_are_read),
        cmocka_unit_test(every_escape_is_its_byte),
        cmocka_unit_test(random_queries_stay_inside),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
