/* Checks: a user name is 1 to 20 of A-Z a-z 0-9 _, and nothing before, between or after them. */
#include "support.h"

#include "model/names.h"

static bool
valid(const char *bytes, size_t n)
{
    return support_accepts(names_valid, bytes, n);
}

static void
each_byte_is_a_name_or_not(void **state)
{
    const char *good = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool wanted = byte != 0 && strchr(good, byte) != NULL;
        char name[3] = {'a', 'b', 'c'};

        assert_int_equal(valid((char[]){(char)byte}, 1), wanted);
        for (int at = 0; at < 3; at++) {
            char other = name[at];

            name[at] = (char)byte;
            assert_int_equal(valid(name, 3), wanted);
            name[at] = other;
        }
    }
}

static void
names_have_1_to_20_bytes(void **state)
{
    const char *name = "abcdefghijklmnopqrstuvwxyz";

    (void)state;
    for (size_t n = 0; n <= 26; n++)
        assert_int_equal(valid(name, n), n >= 1 && n <= 20);
    assert_false(names_valid((struct str){0}));
}

static void
nothing_may_follow(void **state)
{
    (void)state;
    assert_false(valid("ann\n", 4));
    assert_false(valid("ann\0", 4));
    assert_false(valid("ann\0bob", 7));
    assert_false(valid(" ann", 4));
    assert_false(valid("zo\xc3\xab", 4));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_a_name_or_not),
        cmocka_unit_test(names_have_1_to_20_bytes),
        cmocka_unit_test(nothing_may_follow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
