/*
 * pg_failures.c - checks: a server that ends sessions costs no committed change, and the next
 * transaction uses a new session; of several relays on one database one publishes, another takes
 * over when it is gone, and the commits of all hosts are announced to it; the rows of cleared
 * reactions are deleted; the database of a newer imd is refused.
 */
#include "support.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include "base/clock.h"
#include "store/accounts.h"
#include "store/housekeeping.h"
#include "store/pg/db.h"
#include "store/pg/reactions.h"
#include "store/repair.h"

/* The time within which another relay must take over. */
#define TAKE_OVER_MS 3000

/* Runs SQL in a separate session. */
static void
tell(const struct place *place, const char *sql)
{
    PGconn *conn = PQconnectdb(place->uri);
    PGresult *result = PQexec(conn, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
}

#define OTHERS                                                                                               \
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"        \
    " AND application_name = 'imd' AND pid <> pg_backend_pid()"

static enum err
add_account(struct tx *tx, void *arg)
{
    return accounts_add(tx, str_c(arg));
}

static enum err
add(struct place *place, char *name)
{
    return support_run(&place->store, add_account, name);
}

static void
idle_sessions_that_the_server_ended_are_replaced(void **state)
{
    struct place *place = *state;

    assert_int_equal(add(place, (char[]){"ann"}), ERR_OK);
    assert_true(support_has_account(place, "ann"));
    tell(place, OTHERS);
    assert_int_equal(add(place, (char[]){"bob"}), ERR_OK);
    tell(place, OTHERS);
    assert_true(support_has_account(place, "bob"));
}

/* Makes the server end all sessions, also that of this transaction, before it adds the account. */
static enum err
add_after_end(struct tx *tx, void *arg)
{
    struct place *place = arg;

    tell(place, OTHERS);
    return accounts_add(tx, str_c("cid"));
}

static void
a_transaction_whose_session_ends_stores_nothing(void **state)
{
    struct place *place = *state;

    assert_int_equal(support_run(&place->store, add_after_end, place), ERR_STORAGE);
    assert_true(atomic_load(&place->shared->commit_failing));
    assert_false(support_has_account(place, "cid"));
    assert_int_equal(add(place, (char[]){"cid"}), ERR_OK);
    assert_false(atomic_load(&place->shared->commit_failing));
    assert_true(support_has_account(place, "cid"));
}

static void
a_snapshot_whose_session_ends_fails_alone(void **state)
{
    struct place *place = *state;
    struct snapshot *snapshot = support_begin(place);
    bool exists;

    assert_int_equal(accounts_exists(snapshot->db, str_c("ann"), &exists), ERR_OK);
    tell(place, OTHERS);
    assert_int_equal(accounts_exists(snapshot->db, str_c("ann"), &exists), ERR_STORAGE);
    assert_int_equal(accounts_exists(snapshot->db, str_c("ann"), &exists), ERR_STORAGE);
    snapshot_end(snapshot);
    assert_false(support_has_account(place, "ann"));
}

static void
a_server_that_is_away_is_an_error(void **state)
{
    struct place *place = *state;
    struct store other = {0};
    struct snapshot *snapshot;

    assert_int_equal(store_open(&other, "postgresql:///imd?host=/nowhere", 1, place->shared), ERR_OK);
    assert_int_equal(snapshot_begin(&other, &snapshot), ERR_STORAGE);
    assert_int_equal(support_run(&other, add_account, (char[]){"ann"}), ERR_STORAGE);
    store_close(&other);
    assert_int_equal(store_open(&other, "postgresql:///imd?no_such_option=1", 1, place->shared), ERR_CONFIG);
    store_close(&other);
}

/* --- relays */

/* Waits until the host's relay stands by, or does not. Returns false if that takes too long. */
static bool
wait_for(struct shared *shared, bool stands_by)
{
    int64_t deadline_ms = clock_mono_ms() + TAKE_OVER_MS;
    struct pollfd fd = {.fd = shared->wake_fd, .events = POLLIN};

    while (atomic_load(&shared->relay_stands_by) != stands_by) {
        int64_t left_ms = deadline_ms - clock_mono_ms();

        if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) <= 0)
            return false;
        shared_drain(shared->wake_fd);
    }
    return true;
}

/* Waits until a change is announced to the relay. */
static bool
wait_for_change(struct shared *shared, int64_t change)
{
    int64_t deadline_ms = clock_mono_ms() + TAKE_OVER_MS;
    struct pollfd fd = {.fd = shared->wake_fd, .events = POLLIN};

    atomic_store(&shared->relay_asleep, true);
    while (atomic_load(&shared->committed_change) < change) {
        int64_t left_ms = deadline_ms - clock_mono_ms();

        if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) <= 0)
            return false;
        shared_drain(shared->wake_fd);
    }
    return true;
}

static void
one_relay_publishes_and_another_takes_over(void **state)
{
    struct place *place = *state;
    struct shared *other;
    struct housekeeping *first;
    struct housekeeping *second;
    int64_t conversation;

    assert_int_equal(shared_open(&other), ERR_OK);
    assert_int_equal(housekeeping_start(&first, place->uri, other), ERR_OK);
    assert_true(wait_for(other, false));
    assert_int_equal(housekeeping_start(&second, place->uri, place->shared), ERR_OK);
    assert_true(atomic_load(&place->shared->relay_stands_by));
    /* The host whose relay publishes is notified of the commits of other hosts. */
    conversation = support_create(place, TYPE_GROUP, "ann bob");
    support_send(place, conversation, "ann", "hello");
    assert_true(wait_for_change(other, support_instance(place).last_change));
    assert_false(atomic_load(&other->relay_stands_by));
    assert_true(atomic_load(&place->shared->relay_stands_by));
    housekeeping_stop(first);
    assert_true(wait_for(place->shared, false));
    /* When its session ends, the relay ends too. Its successor begins anew. */
    tell(place, OTHERS);
    assert_true(wait_for(place->shared, true));
    housekeeping_stop(second);
    assert_int_equal(housekeeping_start(&second, place->uri, place->shared), ERR_OK);
    assert_true(wait_for(place->shared, false));
    housekeeping_stop(second);
    shared_close(other);
}

/* --- cleared reactions, other versions, and repairs */

/* Three users react to the message, and the reactions are cleared. */
static enum err
react_and_clear(struct tx *tx, void *arg)
{
    static const char *const names[] = {"ann", "bob", "cid"};
    struct message m;
    bool found;
    bool changed;
    enum err err = messages_head(tx->db, arg, 1, &m, &found);

    for (size_t i = 0; err == ERR_OK && i < 3; i++)
        err = reactions_add(tx, &m, str_c("a"), str_c(names[i]), &changed);
    return err == ERR_OK ? reactions_clear(tx, &m, str_c("a"), &changed) : err;
}

/* Deletes at most two rows of cleared reactions. Returns whether there are any left. */
static bool
sweep_two(struct db *db)
{
    int64_t set = 0;

    assert_int_equal(pg_begin(db, PG_BEGIN_WRITE), ERR_OK);
    assert_int_equal(pg_reactions_cleared(db, &set), ERR_OK);
    if (set != 0)
        assert_int_equal(pg_reactions_sweep(db, set, 2), ERR_OK);
    assert_int_equal(pg_end_write(db, ERR_OK), ERR_OK);
    return set != 0;
}

static void
cleared_reactions_are_swept_in_batches(void **state)
{
    struct place *place = *state;
    struct db *db;
    int sweeps = 0;

    support_send(place, support_create(place, TYPE_GROUP, "ann bob cid"), "ann", "hello");
    assert_int_equal(support_run(&place->store, react_and_clear, &place->arena), ERR_OK);
    assert_int_equal(pg_open(&db, place->uri, PG_SHARED), ERR_OK);
    while (sweep_two(db))
        sweeps++;
    assert_int_equal(sweeps, 2);
    pg_close(db);
}

static void
a_newer_database_is_used_if_it_permits_that(void **state)
{
    struct place *place = *state;

    tell(place, "UPDATE instance SET schema_version = 1000");
    assert_int_equal(store_prepare(place->uri), ERR_OK);
    tell(place, "UPDATE instance SET needs = 1000");
    assert_int_equal(store_prepare(place->uri), ERR_STORAGE);
}

static void
a_database_in_use_is_not_repaired(void **state)
{
    struct place *place = *state;
    struct repair *repair = NULL;

    assert_int_equal(add(place, (char[]){"ann"}), ERR_OK);
    assert_non_null(repair_open(&repair, place->uri));
    assert_null(repair);
}

static void
count_progress(void *arg, int64_t message_id)
{
    *(int64_t *)arg = message_id;
}

static void
times_ahead_of_the_clock_are_moved_back(void **state)
{
    struct place *place = *state;
    int64_t conversation = support_create(place, TYPE_GROUP, "ann bob");
    struct repair_view view;
    struct repair *repair = NULL;
    int64_t done = 0;

    support_send(place, conversation, "ann", "right");
    support_pass_time(place, 3600000);
    support_send(place, conversation, "ann", "ahead");
    store_close(&place->store);
    assert_null(repair_open(&repair, place->uri));
    assert_int_equal(repair_look(repair, clock_wall_ms(), &view), ERR_OK);
    assert_int_equal(view.messages, 1);
    assert_int_equal(repair_clock(repair, clock_wall_ms(), count_progress, &done), ERR_OK);
    assert_int_equal(done, 2);
    assert_int_equal(repair_look(repair, clock_wall_ms(), &view), ERR_OK);
    assert_int_equal(view.moments, 0);
    repair_close(repair);
    assert_int_equal(store_open(&place->store, place->uri, 4, place->shared), ERR_OK);
    assert_true(support_tick(place) <= clock_wall_ms());
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
    const struct CMUnitTest tests[] = {
        TEST(idle_sessions_that_the_server_ended_are_replaced),
        TEST(a_transaction_whose_session_ends_stores_nothing),
        TEST(a_snapshot_whose_session_ends_fails_alone),
        TEST(a_server_that_is_away_is_an_error),
        TEST(one_relay_publishes_and_another_takes_over),
        TEST(cleared_reactions_are_swept_in_batches),
        TEST(a_newer_database_is_used_if_it_permits_that),
        TEST(a_database_in_use_is_not_repaired),
        TEST(times_ahead_of_the_clock_are_moved_back),
    };

    support_choose("postgresql");
    return cmocka_run_group_tests(tests, support_group, NULL);
}
