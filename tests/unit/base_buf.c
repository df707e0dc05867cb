/*
 * base_buf.c - checks: a buffer holds the bytes in the order written. Once it has failed, it
 * ignores further writes until it is reset.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void
assert_int_is_written_like_printf(int64_t value)
{
    struct buf b;
    char text[32];
    int n = snprintf(text, sizeof(text), "%" PRId64, value);

    buf_init(&b);
    buf_int(&b, value);
    assert_true(buf_ok(&b));
    assert_int_equal(b.n, n);
    assert_memory_equal(b.p, text, (size_t)n);
    buf_clear(&b);
}

static void
integers_are_written_as_printf_writes_them(void **state)
{
    (void)state;
    support_srand();
    assert_int_is_written_like_printf(INT64_MIN);
    assert_int_is_written_like_printf(INT64_MIN + 1);
    assert_int_is_written_like_printf(INT64_MAX);
    for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10)
        for (int64_t n = power - 1; n <= power + 1; n++) {
            assert_int_is_written_like_printf(n);
            assert_int_is_written_like_printf(-n);
        }
    for (int i = 0; i < 20000; i++) {
        uint64_t n = (uint64_t)rand() << 62 ^ (uint64_t)rand() << 31 ^ (uint64_t)rand();

        assert_int_is_written_like_printf((int64_t)(n >> (rand() % 64)));
        assert_int_is_written_like_printf((int64_t)n);
    }
}

static void
bytes_are_in_the_order_written(void **state)
{
    struct buf b;
    char *want = malloc(200000);
    size_t n = 0;

    (void)state;
    assert_non_null(want);
    support_srand();
    buf_init(&b);
    for (int i = 0; i < 300; i++) {
        char piece[600];
        size_t piece_n = (size_t)rand() % sizeof(piece);

        for (size_t k = 0; k < piece_n; k++)
            piece[k] = (char)rand();
        buf_add(&b, piece, piece_n);
        memcpy(want + n, piece, piece_n);
        n += piece_n;
    }
    assert_true(buf_ok(&b));
    assert_int_equal(b.n, n);
    assert_memory_equal(b.p, want, n);
    buf_clear(&b);
    free(want);
}

static void
each_way_of_writing_appends(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_c(&b, "a");
    buf_str(&b, str_c("bc"));
    buf_str(&b, (struct str){0});
    buf_add(&b, "\0d", 2);
    buf_int(&b, -12);
    buf_printf(&b, "[%s %d]", "e", 7);
    buf_printf(&b, "%s", "");
    assert_true(buf_ok(&b));
    assert_int_equal(b.n, 13);
    assert_memory_equal(b.p, "abc\0d-12[e 7]", 13);
    buf_clear(&b);
}

static void
printf_makes_the_room_it_needs(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_c(&b, "x");
    buf_printf(&b, "%*d", 5000, 1);
    assert_true(buf_ok(&b));
    assert_int_equal(b.n, 5001);
    assert_int_equal(b.p[0], 'x');
    assert_int_equal(b.p[1], ' ');
    assert_int_equal(b.p[5000], '1');
    buf_clear(&b);
}

static void
cut_drops_the_end_and_shift_the_beginning(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_shift(&b, 0);
    buf_c(&b, "0123456789");
    buf_shift(&b, 0);
    buf_shift(&b, 3);
    assert_int_equal(b.n, 7);
    assert_memory_equal(b.p, "3456789", 7);
    buf_cut(&b, 2);
    buf_c(&b, "x");
    assert_int_equal(b.n, 3);
    assert_memory_equal(b.p, "34x", 3);
    buf_shift(&b, 3);
    assert_int_equal(b.n, 0);
    buf_cut(&b, 0);
    assert_int_equal(b.n, 0);
    buf_clear(&b);
}

static void
a_failed_buffer_stays_failed(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_c(&b, "before");
    assert_null(buf_reserve(&b, SIZE_MAX / 2));
    assert_false(buf_ok(&b));
    assert_null(buf_reserve(&b, 1));
    buf_printf(&b, "%d", 1);
    /* There would be room, but a truncated text is better than one with a gap. */
    buf_c(&b, "after");
    buf_int(&b, 1);
    assert_false(buf_ok(&b));
    assert_int_equal(b.n, 6);
    assert_memory_equal(b.p, "before", 6);
    buf_reset(&b);
    assert_true(buf_ok(&b));
    buf_c(&b, "again");
    assert_int_equal(b.n, 5);
    assert_memory_equal(b.p, "again", 5);
    buf_clear(&b);
}

static void
a_reset_keeps_a_moderate_allocation_only(void **state)
{
    struct buf b;
    char *p;

    (void)state;
    buf_init(&b);
    assert_null(b.p);
    buf_c(&b, "x");
    p = b.p;
    buf_reset(&b);
    assert_int_equal(b.n, 0);
    assert_ptr_equal(b.p, p);
    assert_non_null(buf_reserve(&b, 1 << 20));
    buf_reset(&b);
    assert_null(b.p);
    assert_int_equal(b.size, 0);
    buf_clear(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_written_as_printf_writes_them),
        cmocka_unit_test(bytes_are_in_the_order_written),
        cmocka_unit_test(each_way_of_writing_appends),
        cmocka_unit_test(printf_makes_the_room_it_needs),
        cmocka_unit_test(cut_drops_the_end_and_shift_the_beginning),
        cmocka_unit_test(a_failed_buffer_stays_failed),
        cmocka_unit_test(a_reset_keeps_a_moderate_allocation_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
