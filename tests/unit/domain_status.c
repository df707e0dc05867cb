/*
 * domain_status.c - checks: a status has the database's counters and the relay's lag, and it is
 * filled even if something is wrong.
 */
#include "support.h"

#include "base/clock.h"
#include "domain/status.h"

static struct status
read_status(struct place *place)
{
    struct status status;

    status_read(&place->store, place->shared, &status);
    return status;
}

static void
a_status_has_the_counters_of_the_database(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct instance instance;
    struct status status;

    support_send(place, group, "ann", "one");
    support_send(place, group, "ann", "two");
    status = read_status(place);
    instance = support_instance(place);
    assert_true(status.storage_works);
    assert_true(status.is_read);
    assert_int_equal(status.instance.last_message_id, 2);
    assert_int_equal(status.instance.tick, instance.tick);
    assert_string_equal(status.instance.epoch, instance.epoch);
}

static void
the_lag_is_the_age_of_the_oldest_change_that_is_not_pushed(void **state)
{
    struct place *place = *state;
    struct status status;
    int64_t group;

    assert_int_equal(read_status(place).relay_lag_ms, 0);
    group = support_create(place, TYPE_GROUP, "ann bob");
    support_send(place, group, "ann", "one");
    support_send(place, group, "ann", "two");
    /* One change waits, and the clock advances by some milliseconds. */
    atomic_store(&place->shared->acknowledged_change, support_instance(place).last_change - 1);
    while (clock_wall_ms() < support_tick(place) + 5)
        ;
    status = read_status(place);
    assert_int_equal(status.health.outbox_pending, 1);
    assert_in_range(status.relay_lag_ms, 5, 60000);
    atomic_store(&place->shared->acknowledged_change, support_instance(place).last_change);
    assert_int_equal(read_status(place).relay_lag_ms, 0);
    assert_int_equal(read_status(place).health.outbox_pending, 0);
}

static void
a_status_is_complete_without_a_relay(void **state)
{
    struct place *place = *state;
    struct status status;

    atomic_store(&place->shared->relay_beat_ms, clock_mono_ms() - 60000);
    status = read_status(place);
    assert_false(status.relay_works);
    assert_true(status.storage_works);
    assert_true(status.is_read);
    atomic_store(&place->shared->relay_beat_ms, clock_mono_ms());
    assert_true(read_status(place).relay_works);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(a_status_has_the_counters_of_the_database),
        TEST(the_lag_is_the_age_of_the_oldest_change_that_is_not_pushed),
        TEST(a_status_is_complete_without_a_relay),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
