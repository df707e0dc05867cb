/*
 * Checks: a note gives its user a new stamp, later than all before it, even with concurrent notes.
 * The time of a stamp is that of the note. Opening counts as a note for every user.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "run/grants.h"

#define THREADS 4
#define NOTES   20000

static struct grants *grants;

static int
open_grants(void **state)
{
    (void)state;
    grants = calloc(1, sizeof(*grants));
    return grants == NULL ? -1 : 0;
}

static int
close_grants(void **state)
{
    (void)state;
    free(grants);
    return 0;
}

static void
each_note_makes_a_later_stamp(void **state)
{
    uint64_t last = 0;

    (void)state;
    for (int i = 0; i < NOTES; i++) {
        grants_note(grants, str_c("alice"));
        assert_true(grants_stamp(grants, str_c("alice")) > last);
        last = grants_stamp(grants, str_c("alice"));
    }
    assert_int_equal(grants_stamp(grants, str_c("alice")), last);
}

static void
a_stamp_tells_its_time(void **state)
{
    int64_t before_ms = clock_mono_ms();

    (void)state;
    grants_note(grants, str_c("alice"));
    assert_in_range(grants_ms(grants_stamp(grants, str_c("alice"))), before_ms, clock_mono_ms());
    assert_int_equal(grants_ms(grants_stamp(grants, str_c("bob"))), 0);
}

static void
opening_counts_as_a_note_for_every_user(void **state)
{
    int64_t before_ms = clock_mono_ms();
    uint64_t stamp;

    (void)state;
    grants_note(grants, str_c("alice"));
    stamp = grants_stamp(grants, str_c("alice"));
    while (clock_mono_ms() == grants_ms(stamp))
        ;
    grants_open(grants);
    assert_true(grants_stamp(grants, str_c("alice")) > stamp);
    assert_true(grants_ms(grants_stamp(grants, str_c("bob"))) >= before_ms);
}

static void
note_and_look(void *arg, int n)
{
    _Atomic int *wrong = arg;
    uint64_t last = 0;

    (void)n;
    for (int i = 0; i < NOTES; i++) {
        uint64_t before = grants_stamp(grants, str_c("alice"));
        uint64_t after;

        grants_note(grants, str_c("alice"));
        after = grants_stamp(grants, str_c("alice"));
        *wrong += after <= before || before < last;
        last = after;
    }
}

static void
threads_lose_no_note(void **state)
{
    _Atomic int wrong = 0;

    (void)state;
    support_threads(THREADS, note_and_look, &wrong);
    assert_int_equal(wrong, 0);
}

#define WITH_GRANTS(test) cmocka_unit_test_setup_teardown(test, open_grants, close_grants)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_GRANTS(each_note_makes_a_later_stamp),
        WITH_GRANTS(a_stamp_tells_its_time),
        WITH_GRANTS(opening_counts_as_a_note_for_every_user),
        WITH_GRANTS(threads_lose_no_note),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
