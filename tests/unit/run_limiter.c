/*
 * Checks: a caller may send as many requests as rate and burst allow and not one more, and learns
 * to the microsecond when the next is allowed. Callers do not affect each other. If a set is full,
 * its emptiest bucket is evicted. Threads together get no more than one thread would.
 */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "run/limiter.h"

#define START_US INT64_C(5000000000)

static struct limiter *limiter;

static int
open_limiter(void **state)
{
    (void)state;
    limiter = calloc(1, sizeof(*limiter));
    if (limiter == NULL)
        return -1;
    limiter_init(limiter);
    return 0;
}

static int
close_limiter(void **state)
{
    (void)state;
    free(limiter);
    return 0;
}

/* One request. */
static bool
may_go(struct limiter *l, const char *who, const struct limiter_rate *rate, int64_t now_us, int64_t *wait_us)
{
    return limiter_take(l, limiter_key(l, str_c(who)), rate, &(struct limiter_work){1, now_us}, wait_us);
}

/* Returns 0 if it is allowed, else how long until it is. */
static int64_t
take(const char *who, const struct limiter_rate *rate, int64_t now_us)
{
    int64_t wait_us = -1;

    if (may_go(limiter, who, rate, now_us, &wait_us))
        return 0;
    assert_true(wait_us > 0);
    return wait_us;
}

static const struct limiter_rate rates[] = {{50000, 200}, {50000, 1},        {1, 1}, {1, 1000}, {1000000, 3},
                                            {333, 7},     {1000000, 1000000}};

static void
a_burst_passes_and_nothing_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        char who[16];

        snprintf(who, sizeof(who), "who%zu", i);
        for (int64_t n = 0; n < rates[i].burst; n++)
            if (take(who, &rates[i], START_US) != 0)
                fail_msg("rate %zu: %d passed", i, (int)n);
        /* A refused request costs nothing: the answer stays the same. */
        for (int n = 0; n < 3; n++)
            assert_int_equal(take(who, &rates[i], START_US), rates[i].interval_us);
    }
}

static void
charge(const char *who, const struct limiter_rate *rate, int64_t units, int64_t now_us)
{
    limiter_charge(limiter, limiter_key(limiter, str_c(who)), rate, &(struct limiter_work){units, now_us});
}

static void
charges_after_the_work_delay_the_next_request(void **state)
{
    const struct limiter_rate rate = {50000, 10};

    (void)state;
    assert_int_equal(take("ann", &rate, START_US), 0);
    charge("ann", &rate, 15, START_US);
    /* The bucket holds one and fifteen; then nine of a burst are left. */
    assert_int_equal(take("ann", &rate, START_US), 7 * 50000);
    assert_int_equal(take("ann", &rate, START_US + 7 * 50000 - 1), 1);
    assert_int_equal(take("ann", &rate, START_US + 7 * 50000), 0);
    /* Other callers do not pay, and a new caller may be charged too. */
    assert_int_equal(take("bob", &rate, START_US), 0);
    charge("eve", &rate, 11, START_US);
    assert_int_equal(take("eve", &rate, START_US), 2 * 50000);
}

/* However much the relay charges, and however often. */
static void
a_debt_is_at_most_one_burst(void **state)
{
    const struct limiter_rate rate = {50000, 10};

    (void)state;
    for (int n = 0; n < 3; n++)
        charge("ann", &rate, 1000000, START_US);
    assert_int_equal(take("ann", &rate, START_US), 11 * 50000);
    /* A charge with an earlier time empties nothing. */
    charge("ann", &rate, 1, START_US - 5000000);
    assert_int_equal(take("ann", &rate, START_US), 11 * 50000);
    assert_int_equal(take("ann", &rate, START_US + 11 * 50000), 0);
}

/* Charged before the work: all of it or nothing. */
static void
work_of_many_units_needs_as_much_room(void **state)
{
    const struct limiter_rate rate = {50000, 200};
    uint64_t ann = limiter_key(limiter, str_c("ann"));
    int64_t wait_us = -1;

    (void)state;
    assert_true(limiter_take(limiter, ann, &rate, &(struct limiter_work){200, START_US}, &wait_us));
    assert_int_equal(take("ann", &rate, START_US), 50000);
    assert_false(limiter_take(limiter, ann, &rate, &(struct limiter_work){200, START_US + 50000}, &wait_us));
    assert_int_equal(wait_us, 199 * 50000);
    /* A refused charge is in no bucket. */
    assert_int_equal(take("ann", &rate, START_US + 50000), 0);
    limiter_refund(limiter, ann, &rate, 200);
    assert_true(limiter_take(limiter, ann, &rate, &(struct limiter_work){200, START_US + 50000}, &wait_us));
    assert_int_equal(take("ann", &rate, START_US + 50000), 50000);
    /* A refund of more than was charged leaves an empty bucket. */
    limiter_refund(limiter, ann, &rate, INT64_C(1000000000));
    assert_true(limiter_take(limiter, ann, &rate, &(struct limiter_work){200, START_US + 50000}, &wait_us));
}

static void
the_wait_is_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        int64_t now_us = START_US;
        char who[16];

        snprintf(who, sizeof(who), "who%zu", i);
        for (int64_t n = 0; n < rates[i].burst; n++)
            assert_int_equal(take(who, &rates[i], now_us), 0);
        for (int n = 0; n < 100; n++) {
            int64_t wait_us = take(who, &rates[i], now_us);

            assert_int_equal(wait_us, rates[i].interval_us);
            if (wait_us > 1)
                assert_int_equal(take(who, &rates[i], now_us + wait_us - 1), 1);
            now_us += wait_us;
            assert_int_equal(take(who, &rates[i], now_us), 0);
        }
    }
}

/* A clock that goes back raises no rate. */
static void
a_clock_may_step_back(void **state)
{
    const struct limiter_rate rate = {1000, 2};

    (void)state;
    assert_int_equal(take("ann", &rate, START_US), 0);
    assert_int_equal(take("ann", &rate, START_US - 400), 400);
    assert_int_equal(take("ann", &rate, START_US), 0);
    assert_int_equal(take("ann", &rate, START_US - 400), 1400);
    assert_int_equal(take("ann", &rate, START_US), 1000);
    assert_int_equal(take("ann", &rate, START_US + 1000), 0);
}

/* Against another algorithm: a bucket of tokens that fills up. */
static void
random_times_agree_with_a_bucket(void **state)
{
    struct chance chance;

    (void)state;
    support_chance(&chance);
    for (int round = 0; round < 50; round++) {
        struct limiter_rate rate = {1 + support_draw(&chance, 5000), 1 + support_draw(&chance, 20)};
        int64_t full = rate.burst * rate.interval_us;
        int64_t level = full; /* in microseconds' worth of tokens */
        int64_t now_us = START_US;
        char who[16];

        snprintf(who, sizeof(who), "round%d", round);
        for (int i = 0; i < 2000; i++) {
            int64_t passed_us =
                support_draw(&chance, 3) == 0 ? support_draw(&chance, rate.interval_us * 3) : 0;
            int64_t wanted;

            now_us += passed_us;
            level = level + passed_us > full ? full : level + passed_us;
            wanted = level >= rate.interval_us ? 0 : rate.interval_us - level;
            assert_int_equal(take(who, &rate, now_us), wanted);
            level -= wanted == 0 ? rate.interval_us : 0;
        }
        assert_int_equal(take(who, &rate, now_us + full), 0);
    }
}

static void
a_pause_allows_one_burst_and_no_more(void **state)
{
    const struct limiter_rate rate = {50000, 200};

    (void)state;
    for (int n = 0; n < 200; n++)
        assert_int_equal(take("ann", &rate, START_US), 0);
    for (int n = 0; n < 200; n++)
        assert_int_equal(take("ann", &rate, START_US + INT64_C(86400000000)), 0);
    assert_int_equal(take("ann", &rate, START_US + INT64_C(86400000000)), 50000);
    for (int n = 0; n < 20; n++)
        assert_int_equal(take("ann", &rate, START_US + INT64_C(86401000000)), 0);
    assert_int_equal(take("ann", &rate, START_US + INT64_C(86401000000)), 50000);
}

static void
many_callers_do_not_affect_each_other(void **state)
{
    const struct limiter_rate rate = {1000000, 2};

    (void)state;
    /*
     * A seed for which no set gets more callers than it has room for. Two of a hundred seeds would.
     */
    limiter->seed = 1;
    for (int n = 0; n < 2; n++)
        for (int i = 0; i < 300; i++) {
            char who[16];

            snprintf(who, sizeof(who), "u%d", i);
            assert_int_equal(take(who, &rate, START_US), 0);
        }
    for (int i = 0; i < 300; i++) {
        char who[16];

        snprintf(who, sizeof(who), "u%d", i);
        assert_int_equal(take(who, &rate, START_US), 1000000);
    }
    /* Names with equal beginnings or ends, an empty one, and one with a NUL. */
    assert_int_equal(take("u", &rate, START_US), 0);
    assert_int_equal(take("", &rate, START_US), 0);
    assert_int_equal(take("0u", &rate, START_US), 0);
}

/* Returns the set of a new caller: the one where a bucket has a new key. */
static int
set_of(const char *who, uint64_t seed)
{
    struct limiter *other = calloc(1, sizeof(*other));
    int found = -1;
    int64_t wait_us;

    assert_non_null(other);
    other->seed = seed;
    assert_true(may_go(other, who, &rates[0], START_US, &wait_us));
    for (int set = 0; set < LIMITER_SETS; set++)
        for (int way = 0; way < LIMITER_WAYS; way++)
            if (atomic_load(&other->slates[set][way].who) != 0) {
                assert_int_equal(found, -1);
                found = set;
            }
    free(other);
    assert_true(found >= 0);
    return found;
}

/* Finds that many names that share the set of the first. */
static void
find_neighbours(char names[][16], int count)
{
    int set = -1;
    int have = 0;

    for (int i = 0; have < count; i++) {
        int mine;

        snprintf(names[have], 16, "n%d", i);
        mine = set_of(names[have], limiter->seed);
        if (set < 0)
            set = mine;
        have += mine == set;
    }
}

static void
a_full_set_forgets_the_least(void **state)
{
    const struct limiter_rate rate = {1000, 10};
    char names[LIMITER_WAYS + 1][16];

    (void)state;
    /*
     * The tests need not know the hash, because they see which set it chooses. A fixed seed, for
     * speed.
     */
    limiter->seed = 1;
    find_neighbours(names, LIMITER_WAYS + 1);
    /* The first bucket holds 10, the next 9, … the last one of the set the least. */
    for (int i = 0; i < LIMITER_WAYS; i++)
        for (int n = 0; n < 10 - i; n++)
            assert_int_equal(take(names[i], &rate, START_US), 0);
    assert_int_equal(take(names[0], &rate, START_US), 1000);
    /* A new caller has a whole burst. */
    for (int n = 0; n < 10; n++)
        assert_int_equal(take(names[LIMITER_WAYS], &rate, START_US), 0);
    assert_int_equal(take(names[LIMITER_WAYS], &rate, START_US), 1000);
    /* The others still have their buckets. */
    assert_int_equal(take(names[0], &rate, START_US), 1000);
    for (int i = 1; i < LIMITER_WAYS - 1; i++) {
        for (int n = 0; n < i; n++)
            assert_int_equal(take(names[i], &rate, START_US), 0);
        assert_int_equal(take(names[i], &rate, START_US), 1000);
    }
    /* The evicted caller starts anew. */
    for (int n = 0; n < 10; n++)
        assert_int_equal(take(names[LIMITER_WAYS - 1], &rate, START_US), 0);
    assert_int_equal(take(names[LIMITER_WAYS - 1], &rate, START_US), 1000);
}

static void
the_table_is_seeded_by_chance(void **state)
{
    struct limiter *other = calloc(1, sizeof(*other));

    (void)state;
    assert_non_null(other);
    limiter_init(other);
    assert_true(other->seed != limiter->seed);
    free(other);
}

#define THREADS 8
#define FRESH   2000 /* new names, so that each is first used by all threads at once */

struct rush {
    struct limiter *limiter;
    _Atomic int passed[FRESH];
    pthread_barrier_t each;
};

/* All threads ask for the same name at the same moment, name after name. */
static void
rush(void *arg, int n)
{
    const struct limiter_rate rate = {1000000, 3};
    struct rush *r = arg;

    (void)n;
    for (int i = 0; i < FRESH; i++) {
        char who[16];
        int64_t wait_us;

        snprintf(who, sizeof(who), "f%d", i);
        pthread_barrier_wait(&r->each);
        for (int t = 0; t < 3; t++)
            if (may_go(r->limiter, who, &rate, START_US + i, &wait_us))
                atomic_fetch_add(&r->passed[i], 1);
    }
}

static void
threads_together_get_no_more_than_one(void **state)
{
    static struct rush r;
    int wrong = 0;

    (void)state;
    r.limiter = limiter;
    assert_int_equal(pthread_barrier_init(&r.each, NULL, THREADS), 0);
    support_threads(THREADS, rush, &r);
    pthread_barrier_destroy(&r.each);
    for (int i = 0; i < FRESH; i++)
        wrong += atomic_load(&r.passed[i]) != 3;
    assert_int_equal(wrong, 0);
}

#define TAKES 200000

struct run {
    struct limiter *limiter;
    int passed[THREADS];
};

/* A time of its own for each: together they go from the start to TAKES microseconds later. */
static void
run(void *arg, int n)
{
    const struct limiter_rate rate = {100, 50};
    struct run *r = arg;
    int64_t wait_us;

    for (int64_t i = 0; i <= TAKES; i++)
        r->passed[n] += may_go(r->limiter, "ann", &rate, START_US + i, &wait_us);
}

static void
threads_share_the_rate(void **state)
{
    struct run r = {.limiter = limiter};
    int passed = 0;

    (void)state;
    support_threads(THREADS, run, &r);
    for (int n = 0; n < THREADS; n++)
        passed += r.passed[n];
    /*
     * Threads with an earlier time find the bucket charged by those with a later one, so fewer may
     * pass.
     */
    assert_true(passed <= 50 + TAKES / 100);
    assert_true(passed >= 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_limiter, close_limiter)
        TEST(a_burst_passes_and_nothing_more),
        TEST(charges_after_the_work_delay_the_next_request),
        TEST(a_debt_is_at_most_one_burst),
        TEST(work_of_many_units_needs_as_much_room),
        TEST(the_wait_is_exact),
        TEST(a_clock_may_step_back),
        TEST(random_times_agree_with_a_bucket),
        TEST(a_pause_allows_one_burst_and_no_more),
        TEST(many_callers_do_not_affect_each_other),
        TEST(a_full_set_forgets_the_least),
        TEST(the_table_is_seeded_by_chance),
        TEST(threads_together_get_no_more_than_one),
        TEST(threads_share_the_rate),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
