/*
 * Checks: light fan-outs never wait. Heavy ones wait while an allowance is used up, that of all or
 * the payer's own. Each allowance refills at its rate, up to its maximum. Frames in quick
 * succession count as the memory that nchan keeps of them. Each conversation is deferred once, and
 * the longest waiting goes first, unless its payer has no room. Events in flight are kept until
 * they are delivered.
 */
#include "support.h"

#include <stdlib.h>
#include "relay/fanout.h"

#define START_MS INT64_C(1000000)
#define MB       ((size_t)1024 * 1024)

static int
set_up(void **state)
{
    *state = calloc(1, sizeof(struct fanout));
    return *state == NULL;
}

static int
tear_down(void **state)
{
    free(*state);
    return 0;
}

/* Spends a frame of about this weight, of a conversation of its own. */
static size_t
spend(struct fanout *f, size_t bytes, int64_t now_ms)
{
    static int32_t conversation = 1000;
    struct fanout_frame frame = {conversation++, 1, bytes, now_ms};

    return fanout_spend(f, &frame);
}

static bool
defer(struct fanout *f, int32_t conversation, uint64_t payer)
{
    struct fanout_deferred deferred = {conversation, payer, 2000, conversation * 10, START_MS, 0};

    return fanout_defer(f, &deferred);
}

/* Takes out the next event, as if nchan had been given it and had answered. */
static int32_t
next(struct fanout *f, int64_t now_ms)
{
    struct fanout_deferred *deferred = fanout_next(f, now_ms);
    int32_t conversation = deferred == NULL ? 0 : deferred->conversation;

    if (deferred != NULL) {
        deferred->sent = 1;
        fanout_delivered(f, 1);
    }
    return conversation;
}

static void
light_fan_outs_are_free(void **state)
{
    struct fanout *f = *state;

    assert_false(fanout_is_heavy(100, 500));
    assert_false(fanout_is_heavy(1, 100000));
    assert_true(fanout_is_heavy(1000, 200));
    assert_true(fanout_is_heavy(100, 2000));
    for (int i = 0; i < 100000; i++)
        assert_int_equal(spend(f, 100000, START_MS), 0);
    assert_true(fanout_affords(f, 0, START_MS));
}

static void
a_copy_weighs_as_much_as_the_slab_allocator_takes(void **state)
{
    struct fanout *f = *state;

    /*
     * As measured with nchan 1.3.6: 834, 984, 1,934 and 60,180 bytes took 1,015, 2,069, 4,118 and
     * 61,440.
     */
    assert_int_equal(fanout_spend(f, &(struct fanout_frame){1, 1000, 834, START_MS}), 1000 * 1024);
    assert_int_equal(fanout_spend(f, &(struct fanout_frame){2, 1000, 984, START_MS}), 1000 * 2048);
    assert_int_equal(fanout_spend(f, &(struct fanout_frame){3, 1000, 1934, START_MS}), 1000 * 4096);
    assert_int_equal(fanout_spend(f, &(struct fanout_frame){4, 1000, 60180, START_MS}), 1000 * 61440);
}

static void
the_allowance_of_all_refills_at_its_rate(void **state)
{
    struct fanout *f = *state;
    int64_t wait_ms;
    int frames = 0;

    while (fanout_affords(f, 0, START_MS)) {
        assert_in_range(spend(f, MB, START_MS), MB, MB + 4096);
        frames++;
    }
    assert_in_range(frames, 30, 34);
    defer(f, 1, 0);
    wait_ms = fanout_wait_ms(f, START_MS);
    assert_in_range(wait_ms, 1, 200);
    assert_false(fanout_affords(f, 0, START_MS + wait_ms - 2));
    assert_true(fanout_affords(f, 0, START_MS + wait_ms));
    /* However long the pause was. */
    frames = 0;
    while (fanout_affords(f, 0, START_MS + 3600000)) {
        spend(f, MB, START_MS + 3600000);
        frames++;
    }
    assert_in_range(frames, 30, 34);
}

static void
one_frame_may_overdraw_an_allowance(void **state)
{
    struct fanout *f = *state;

    assert_true(spend(f, 60 * MB, START_MS) >= 60 * MB);
    assert_false(fanout_affords(f, 0, START_MS));
    assert_true(fanout_affords(f, 0, START_MS + 3000));
}

static void
an_exhausted_allowance_leaves_those_of_others(void **state)
{
    struct fanout *f = *state;
    int frames = 0;

    while (fanout_affords(f, 7, START_MS)) {
        fanout_charge(f, 7, MB, START_MS);
        frames++;
    }
    assert_in_range(frames, 7, 10);
    assert_true(fanout_affords(f, 8, START_MS));
    assert_true(fanout_affords(f, 0, START_MS));
    /* The debt is capped. */
    fanout_charge(f, 7, 1000 * MB, START_MS);
    assert_false(fanout_affords(f, 7, START_MS + 1000));
    assert_true(fanout_affords(f, 7, START_MS + 6000));
}

static void
frames_in_quick_succession_count_as_much_as_nchan_keeps(void **state)
{
    struct fanout *f = *state;
    size_t bytes = 0;

    /* 1,000 frames in a second in one conversation, of which nchan keeps at most 64. */
    for (int i = 0; i < 1000; i++) {
        struct fanout_frame frame = {5, 100, 2000, START_MS + i};

        bytes += fanout_spend(f, &frame);
    }
    assert_in_range(bytes, 64 * 100 * 4096, 90 * 100 * 4096);
    assert_true(fanout_affords(f, 0, START_MS + 1000));
    /* Another conversation in the same slot starts anew. */
    assert_int_equal(fanout_spend(f, &(struct fanout_frame){5 + FANOUT_PACES, 100, 2000, START_MS + 1000}),
                     100 * 4096);
}

static void
a_long_frame_after_short_ones_counts_as_long(void **state)
{
    struct fanout *f = *state;
    const struct fanout_frame long_one = {5, 100, 100000, START_MS + 2 * FANOUT_KEPT};
    const struct fanout_frame short_one = {5, 100, 2000, START_MS + 2 * FANOUT_KEPT};

    for (int i = 0; i < 2 * FANOUT_KEPT; i++)
        fanout_spend(f, &(struct fanout_frame){5, 100, 2000, START_MS + i});
    /* nchan drops a short frame for it. */
    assert_in_range(fanout_spend(f, &long_one), 100 * (100000 - 4096), 100 * 102400);
    /* If it drops the long frame for a short one, nothing is added. */
    for (int i = 1; i < FANOUT_KEPT; i++)
        fanout_spend(f, &short_one);
    assert_int_equal(fanout_spend(f, &short_one), 0);
}

static void
a_frame_for_more_users_counts_only_the_added_ones(void **state)
{
    struct fanout *f = *state;

    for (int i = 0; i < 2 * FANOUT_KEPT; i++)
        fanout_spend(f, &(struct fanout_frame){5, 100, 2000, START_MS});
    assert_int_equal(fanout_spend(f, &(struct fanout_frame){5, 1000, 2000, START_MS}), 900 * 4096);
}

static void
each_conversation_waits_once_and_the_oldest_is_first(void **state)
{
    struct fanout *f = *state;

    assert_int_equal(fanout_wait_ms(f, START_MS), -1);
    assert_null(fanout_next(f, START_MS));
    assert_true(defer(f, 7, 0));
    assert_true(defer(f, 8, 0));
    assert_true(defer(f, 7, 0));
    assert_true(defer(f, 9, 0));
    assert_int_equal(f->count, 3);
    assert_non_null(fanout_find(f, 9));
    assert_null(fanout_find(f, 10));
    assert_int_equal(fanout_find(f, 9)->users, 2000);
    assert_int_equal(fanout_wait_ms(f, START_MS), 0);
    assert_int_equal(next(f, START_MS), 7);
    assert_int_equal(next(f, START_MS), 8);
    assert_int_equal(next(f, START_MS), 9);
    assert_int_equal(fanout_wait_ms(f, START_MS), -1);
    assert_null(fanout_find(f, 7));
}

static void
a_payer_without_allowance_delays_no_other(void **state)
{
    struct fanout *f = *state;

    fanout_charge(f, 1, 100 * MB, START_MS);
    defer(f, 7, 1);
    defer(f, 8, 2);
    assert_int_equal(fanout_wait_ms(f, START_MS), 0);
    assert_int_equal(next(f, START_MS), 8);
    assert_int_equal(next(f, START_MS), 0);
    assert_in_range(fanout_wait_ms(f, START_MS), 1000, 6000);
    /* Another user who posts there pays for it. */
    defer(f, 7, 2);
    assert_int_equal(next(f, START_MS), 7);
    defer(f, 7, 2);
    defer(f, 7, 1);
    assert_int_equal(next(f, START_MS), 7);
}

static void
a_payer_has_few_that_wait_and_the_table_is_bounded(void **state)
{
    struct fanout *f = *state;

    for (int32_t i = 0; i < FANOUT_DEFERRED_OF_PAYER; i++)
        assert_true(defer(f, 1 + i, 1));
    assert_false(defer(f, 100, 1));
    assert_true(defer(f, 1, 1));
    for (int32_t i = 0; f->count < FANOUT_DEFERRED_MAX; i++)
        assert_true(defer(f, 200 + i, 0));
    assert_false(defer(f, 1000, 0));
    assert_int_equal(next(f, START_MS), 1);
    assert_true(defer(f, 1000, 0));
}

static void
events_in_flight_are_kept_until_delivered(void **state)
{
    struct fanout *f = *state;

    assert_true(fanout_floor(f) == INT64_MAX);
    defer(f, 7, 0);
    defer(f, 8, 0);
    fanout_next(f, START_MS)->sent = 5;
    assert_null(fanout_find(f, 7));
    assert_int_equal(fanout_floor(f), 70);
    fanout_delivered(f, 4);
    assert_int_equal(fanout_floor(f), 70);
    /* The connection ends. */
    fanout_lose(f);
    assert_non_null(fanout_find(f, 7));
    fanout_next(f, START_MS)->sent = 6;
    /* A new change while the event is in flight: that event may not announce it. */
    defer(f, 7, 0);
    fanout_delivered(f, 6);
    assert_non_null(fanout_find(f, 7));
    fanout_next(f, START_MS)->sent = 7;
    fanout_delivered(f, 7);
    assert_int_equal(fanout_floor(f), 80);
    assert_int_equal(fanout_expire(f, START_MS), 0);
    assert_int_equal(fanout_expire(f, START_MS + 1), 1);
    assert_true(fanout_floor(f) == INT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(light_fan_outs_are_free),
        TEST(a_copy_weighs_as_much_as_the_slab_allocator_takes),
        TEST(the_allowance_of_all_refills_at_its_rate),
        TEST(one_frame_may_overdraw_an_allowance),
        TEST(an_exhausted_allowance_leaves_those_of_others),
        TEST(frames_in_quick_succession_count_as_much_as_nchan_keeps),
        TEST(a_long_frame_after_short_ones_counts_as_long),
        TEST(a_frame_for_more_users_counts_only_the_added_ones),
        TEST(each_conversation_waits_once_and_the_oldest_is_first),
        TEST(a_payer_without_allowance_delays_no_other),
        TEST(a_payer_has_few_that_wait_and_the_table_is_bounded),
        TEST(events_in_flight_are_kept_until_delivered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
