/*
 * Checks: small fan-outs never wait; large ones wait while the budget is used up, and it refills at its rate
 * and not beyond; each conversation is deferred once; the one with the fewest members goes first.
 */
#include "support.h"

#include "fanout.h"

#define START_MS INT64_C(1000000)
#define MB       (1024 * 1024)

static void
small_fan_outs_are_free(void **state)
{
    struct fanout f = {0};

    (void)state;
    assert_true(fanout_affords(&f, FANOUT_LARGE + 1, START_MS));
    fanout_spend(&f, 20000, 64 * MB / 20000);
    assert_false(fanout_affords(&f, FANOUT_LARGE + 1, START_MS));
    assert_true(fanout_affords(&f, FANOUT_LARGE, START_MS));
    f.budget_bytes = 1;
    fanout_spend(&f, FANOUT_LARGE, MB);
    assert_int_equal(f.budget_bytes, 1);
}

static void
the_budget_refills_at_its_rate(void **state)
{
    struct fanout f = {0};
    int64_t full;
    int64_t wait_ms;

    (void)state;
    assert_true(fanout_affords(&f, 5000, START_MS));
    full = f.budget_bytes;
    fanout_spend(&f, 20000, 2000);
    fanout_defer(&f, 1, 20000);
    wait_ms = fanout_wait_ms(&f, START_MS);
    assert_in_range(wait_ms, 1000, 20000);
    assert_false(fanout_affords(&f, 5000, START_MS + wait_ms - 2));
    assert_true(fanout_affords(&f, 5000, START_MS + wait_ms));
    /* However long nothing is said, and whatever the clock does. */
    assert_true(fanout_affords(&f, 5000, START_MS + 50000));
    assert_int_equal(f.budget_bytes, full);
    assert_true(fanout_affords(&f, 5000, START_MS));
    assert_int_equal(f.budget_bytes, full);
    assert_true(fanout_affords(&f, 5000, START_MS + INT64_C(100000000000)));
    assert_int_equal(f.budget_bytes, full);
}

static void
each_conversation_waits_once_and_the_smallest_is_first(void **state)
{
    struct fanout f = {0};

    (void)state;
    assert_int_equal(fanout_wait_ms(&f, START_MS), -1);
    fanout_defer(&f, 7, 20000);
    fanout_defer(&f, 8, 2000);
    fanout_defer(&f, 7, 20000);
    fanout_defer(&f, 9, 5000);
    assert_int_equal(f.count, 3);
    assert_true(fanout_is_deferred(&f, 9));
    assert_false(fanout_is_deferred(&f, 10));
    assert_int_equal(fanout_wait_ms(&f, START_MS), 0);
    assert_int_equal(fanout_next(&f), 8);
    assert_int_equal(fanout_next(&f), 9);
    assert_int_equal(fanout_next(&f), 7);
    assert_int_equal(fanout_wait_ms(&f, START_MS), -1);
    assert_false(fanout_is_deferred(&f, 7));
}

static void
a_full_table_takes_no_more(void **state)
{
    struct fanout f = {0};

    (void)state;
    for (int32_t i = 1; i <= FANOUT_DEFERRED_MAX + 5; i++)
        fanout_defer(&f, i, 2000);
    assert_int_equal(f.count, FANOUT_DEFERRED_MAX);
    assert_false(fanout_is_deferred(&f, FANOUT_DEFERRED_MAX + 1));
    fanout_next(&f);
    fanout_defer(&f, FANOUT_DEFERRED_MAX + 1, 2000);
    assert_true(fanout_is_deferred(&f, FANOUT_DEFERRED_MAX + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_fan_outs_are_free),
        cmocka_unit_test(the_budget_refills_at_its_rate),
        cmocka_unit_test(each_conversation_waits_once_and_the_smallest_is_first),
        cmocka_unit_test(a_full_table_takes_no_more),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
