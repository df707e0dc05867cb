/*
 * base_str.c - checks: only digits are read as an integer, 0 to 2^63-1; strings compare by bytes,
 * then by length.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/str.h"

static void
numbers_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},
        {"7", 7},
        {"000", 0},
        {"0000000000000000001", 1},
        {"9223372036854775799", INT64_MAX - 8},
        {"9223372036854775806", INT64_MAX - 1},
        {"9223372036854775807", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = -1;

        assert_true(str_to_int(str_c(cases[i].text), &value));
        assert_int_equal(value, cases[i].value);
    }
}

static void
invalid_numbers_leave_the_output_unchanged(void **state)
{
    static const char *const cases[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x10",
        "a",
        "1a",
        "\xef\xbc\x91",
        "\n1",
        "-",
        "/",
        ":",
        "1,0",
        "9223372036854775808",
        "9223372036854775810",
        "9300000000000000000",
        "9999999999999999999",
        "10000000000000000000",
        "00000000000000000000",
    };
    int64_t value = 42;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(str_to_int(str_c(cases[i]), &value));
        assert_int_equal(value, 42);
    }
    assert_false(str_to_int((struct str){NULL, 0}, &value));
    assert_false(str_to_int((struct str){"1\0002", 3}, &value));
    assert_int_equal(value, 42);
}

static void
every_power_of_ten_comes_back(void **state)
{
    int64_t power = 1;

    (void)state;
    for (int digits = 1; digits <= 19; digits++) {
        char text[24];

        for (int64_t n = power - 1; n <= power + 1; n++) {
            int64_t value = -1;

            snprintf(text, sizeof(text), "%lld", (long long)n);
            assert_true(str_to_int(str_c(text), &value));
            assert_int_equal(value, n);
        }
        if (digits < 19)
            power *= 10;
    }
}

/* The length ends the string, whatever follows. */
static void
only_the_given_bytes_count(void **state)
{
    int64_t value = -1;

    (void)state;
    assert_true(str_to_int((struct str){"123456", 3}, &value));
    assert_int_equal(value, 123);
    assert_true(str_eq((struct str){"abc", 2}, (struct str){"abd", 2}));
    assert_int_equal(str_cmp((struct str){"abc", 2}, (struct str){"abd", 2}), 0);
}

static int
sign(int n)
{
    return (n > 0) - (n < 0);
}

static void
order_is_by_bytes(void **state)
{
    /* In ascending order. */
    static const struct str sorted[] = {
        {"", 0},     {"\0", 1},   {"\0\0", 2},     {"A", 1},    {"AB", 2},
        {"B", 1},    {"a", 1},    {"a\0", 2},      {"a\0b", 3}, {"ab", 2},
        {"\x7f", 1}, {"\x80", 1}, {"\xc3\xa4", 2}, {"\xff", 1}, {"\xff\xff", 2},
    };
    int count = sizeof(sorted) / sizeof(sorted[0]);

    (void)state;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count; k++) {
            assert_int_equal(sign(str_cmp(sorted[i], sorted[k])), sign(i - k));
            assert_int_equal(str_eq(sorted[i], sorted[k]), i == k);
        }
}

static void
a_sorted_list_is_in_the_order_of_bytes(void **state)
{
    struct str list[] = {str_c("b"), str_c("ab"), str_c("B"), str_c(""), str_c("a"), str_c("ab")};
    const char *const sorted[] = {"", "B", "a", "ab", "ab", "b"};

    (void)state;
    str_sort(list, 6);
    for (int i = 0; i < 6; i++)
        assert_true(str_is(list[i], sorted[i]));
    str_sort(list, 1);
    str_sort(NULL, 0);
    assert_true(str_is(list[0], ""));
}

static void
absent_and_empty_are_equal_in_content(void **state)
{
    struct str absent = str_c(NULL);

    (void)state;
    assert_null(absent.p);
    assert_int_equal(absent.n, 0);
    assert_true(str_eq(absent, str_c("")));
    assert_int_equal(str_cmp(absent, str_c("")), 0);
    assert_true(str_cmp(absent, str_c("a")) < 0);
    assert_true(str_is(str_c("abc"), "abc"));
    assert_false(str_is(str_c("abc"), "ab"));
    assert_false(str_is(str_c("ab"), "abc"));
    assert_false(str_is((struct str){"ab\0", 3}, "ab"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(invalid_numbers_leave_the_output_unchanged),
        cmocka_unit_test(every_power_of_ten_comes_back),
        cmocka_unit_test(only_the_given_bytes_count),
        cmocka_unit_test(order_is_by_bytes),
        cmocka_unit_test(a_sorted_list_is_in_the_order_of_bytes),
        cmocka_unit_test(absent_and_empty_are_equal_in_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
