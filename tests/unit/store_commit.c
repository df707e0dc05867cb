/*
 * Checks: every answered command is stored, once. A refused one leaves nothing and uses up no id.
 * No two transactions share a tick, and ticks never fall, even if the clock goes back. A command
 * that fails the storage, or is refused late, fails its whole group and no other. If nothing was
 * written, nothing is committed. A group is bounded. Two processes write through one shared page,
 * under its lock.
 */
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "store/accounts.h"
#include "store/messages.h"
#include "store/outbox.h"
#include "store/sqlite/commit.h"
#include "store/sqlite/connections.h"
#include "store/sqlite/instance.h"
#include "store/sqlite/wal.h"

#define LANES 16
#define EACH  200

/* One command: stores a message as number `seq` of conversation `lane` + 1. */
struct order {
    int lane;
    int64_t seq;
    enum err verdict; /* what the command returns; if that is an error, it writes nothing */
    struct trace *trace;
    int64_t id;   /* out */
    int64_t tick; /* out: UNIX ms */
    enum err answer;
    bool shares_fate; /* out: it ran in a group with a command that failed the storage */
};

/* The commands in the order in which they ran. Guarded by the write lock. */
struct trace {
    struct pool *pool;
    struct order *ran[LANES * EACH];
    int count;
    int companions; /* groups in which a command failed the storage */
};

static enum err
write_order(struct tx *tx, struct order *o)
{
    struct conversation c = {.id = o->lane + 1, .version = o->seq};
    struct message m = {.conversation = o->lane + 1,
                        .seq = o->seq,
                        .sender = str_c("ann"),
                        .content = str_c("text"),
                        .timestamp = tx->tick};
    enum err err = accounts_add(tx, m.sender);

    o->tick = tx->tick;
    if (err == ERR_OK)
        err = messages_add(tx, &m, c.version);
    o->id = m.id;
    if (err == ERR_OK)
        err = outbox_add(tx, EVENT_MESSAGE_CREATED, &c, m.seq, (struct str){0});
    return err;
}

static enum err
run_order(struct tx *tx, void *arg)
{
    struct order *o = arg;

    return o->verdict == ERR_OK ? write_order(tx, o) : o->verdict;
}

/* Returns how many messages this transaction has stored, which readers do not see yet. */
static int64_t
stored_in_group(struct pool *pool, const struct tx *tx)
{
    struct snapshot *snapshot;
    struct instance seen;
    int64_t stored = -1;

    if (pool_begin(pool, &snapshot) != ERR_OK)
        return -1;
    if (instance_get(snapshot->db, &seen) == ERR_OK)
        stored = tx->counters->last_message_id - seen.last_message_id;
    snapshot_end(snapshot);
    return stored;
}

static enum err
run_traced(struct tx *tx, void *arg)
{
    struct order *o = arg;
    struct trace *t = o->trace;
    int64_t before_it;

    if (o->verdict == ERR_OK) {
        t->ran[t->count++] = o;
        return write_order(tx, o);
    }
    before_it = stored_in_group(t->pool, tx);
    if (before_it < 0 || before_it > t->count)
        return ERR_INTERNAL;
    for (int64_t i = 1; i <= before_it; i++)
        t->ran[t->count - i]->shares_fate = true;
    t->companions += (int)before_it;
    return o->verdict;
}

struct lanes {
    struct store *store;
    command_fn *command;
    size_t bytes; /* the messages that each order is to store */
    struct order (*orders)[EACH];
};

static void
run_lane(void *arg, int n)
{
    struct lanes *lanes = arg;

    for (int i = 0; i < EACH; i++) {
        struct order *o = &lanes->orders[n][i];

        o->answer = commit_run(sqlite_connections(lanes->store)->commit,
                               &(struct command){.run = lanes->command, .arg = o, .bytes = lanes->bytes}, 0);
    }
}

/* Runs LANES threads with EACH orders. `verdict` returns the result of the i-th order of a lane. */
static struct order (*run_lanes(struct place *place, command_fn *command, size_t bytes, struct trace *trace,
                                enum err (*verdict)(int lane, int i)))[EACH]
{
    struct lanes lanes = {&place->store, command, bytes, calloc(LANES, sizeof(*lanes.orders))};

    assert_non_null(lanes.orders);
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < EACH; i++)
            lanes.orders[lane][i] =
                (struct order){.lane = lane, .seq = i + 1, .verdict = verdict(lane, i), .trace = trace};
    support_threads(LANES, run_lane, &lanes);
    return lanes.orders;
}

/* Asserts that exactly the orders answered ERR_OK are in the database, as they were answered. */
static void
assert_stored(struct place *place, struct order (*orders)[EACH])
{
    int64_t stored = 0;
    struct snapshot *snapshot = support_begin(place);

    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < EACH; i++) {
            const struct order *o = &orders[lane][i];
            struct message m;
            bool found;

            assert_int_equal(messages_get(&(struct message_reader){snapshot->db, &place->arena, {0}},
                                          lane + 1, o->seq, &m, &found),
                             ERR_OK);
            assert_int_equal(found, o->answer == ERR_OK);
            if (found) {
                assert_int_equal(m.id, o->id);
                assert_int_equal(m.timestamp, o->tick);
            }
            stored += found;
        }
    arena_reset(&place->arena);
    snapshot_end(snapshot);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM message"), stored);
    /* Orders that were not stored use up no id. */
    assert_int_equal(support_ask(place, "SELECT max(id) FROM message"), stored);
    assert_int_equal(support_ask(place, "SELECT last_message_id FROM instance"), stored);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM outbox"), stored);
    assert_int_equal(support_ask(place, "SELECT max(id) FROM outbox"), stored);
    assert_int_equal(support_ask(place, "SELECT last_change FROM instance"), stored);
    assert_int_equal(atomic_load(&place->shared->committed_change), stored);
}

/* Commands of one thread are in consecutive transactions. Over all, ids grow with ticks. */
static void
assert_ticks_rise(struct place *place, struct order (*orders)[EACH])
{
    for (int lane = 0; lane < LANES; lane++) {
        int64_t last = 0;

        for (int i = 0; i < EACH; i++)
            if (orders[lane][i].answer == ERR_OK) {
                assert_true(orders[lane][i].tick > last);
                last = orders[lane][i].tick;
            }
    }
    assert_int_equal(support_ask(place, "SELECT count(*) FROM message a JOIN message b ON b.id = a.id + 1"
                                        " WHERE b.timestamp < a.timestamp"),
                     0);
    assert_int_equal(support_ask(place, "SELECT (SELECT max(timestamp) FROM message) <= tick FROM instance"),
                     1);
}

static enum err
refuse_every_fourth(int lane, int i)
{
    return (lane + i) % 4 == 0 ? ERR_SENDER_NOT_MEMBER : ERR_OK;
}

static void
answered_commands_are_stored_and_refused_ones_leave_nothing(void **state)
{
    struct place *place = *state;
    struct order(*orders)[EACH] = run_lanes(place, run_order, 4, NULL, refuse_every_fourth);

    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < EACH; i++)
            assert_int_equal(orders[lane][i].answer, orders[lane][i].verdict);
    assert_stored(place, orders);
    assert_ticks_rise(place, orders);
    free(orders);
}

static enum err
fail_every_seventh(int lane, int i)
{
    return (lane + i) % 7 == 3 ? ERR_STORAGE : ERR_OK;
}

static void
a_failure_of_the_storage_fails_its_group_and_no_other(void **state)
{
    struct place *place = *state;
    struct trace trace = {.pool = sqlite_connections(&place->store)->pool};
    struct order(*orders)[EACH] = run_lanes(place, run_traced, 4, &trace, fail_every_seventh);
    struct order last = {.lane = LANES, .seq = 1};
    size_t as_much = 1024 * 1024; /* as for any failed group */
    int answered = 0;

    /* Otherwise the test proves nothing. */
    assert_true(trace.companions > 0);
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < EACH; i++) {
            const struct order *o = &orders[lane][i];

            assert_true(o->answer == ERR_OK || o->answer == ERR_STORAGE);
            if (o->verdict == ERR_STORAGE || o->shares_fate)
                assert_int_equal(o->answer, ERR_STORAGE);
            answered += o->answer == ERR_OK;
        }
    assert_true(answered > 0);
    assert_stored(place, orders);
    assert_ticks_rise(place, orders);
    assert_int_equal(commit_run(sqlite_connections(&place->store)->commit,
                                &(struct command){.run = run_order, .arg = &last, .bytes = as_much}, 0),
                     ERR_OK);
    assert_false(atomic_load(&place->shared->commit_failing));
    assert_int_equal(last.id, answered + 1);
    free(orders);
}

/* Writes and then refuses itself, which no command may, if its verdict says so. */
static enum err
write_and_refuse(struct tx *tx, void *arg)
{
    struct order *o = arg;
    enum err err = write_order(tx, o);

    return err == ERR_OK ? o->verdict : err;
}

/*
 * The rest of its group fails too. No one is told that a lost write succeeded, and no write of it
 * remains.
 */
static void
a_late_refusal_fails_its_group_and_no_other(void **state)
{
    struct place *place = *state;
    struct order(*orders)[EACH] = run_lanes(place, write_and_refuse, 4, NULL, refuse_every_fourth);
    int answered = 0;

    place->refuses_late = true;
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < EACH; i++) {
            const struct order *o = &orders[lane][i];

            assert_true(o->answer == ERR_STORAGE || (o->answer == ERR_OK && o->verdict == ERR_OK));
            answered += o->answer == ERR_OK;
        }
    assert_true(answered > 0);
    assert_stored(place, orders);
    assert_ticks_rise(place, orders);
    free(orders);
}

static void
a_failure_is_remembered_until_a_commit_of_its_size_succeeds(void **state)
{
    struct place *place = *state;
    struct order failing = {.seq = 1, .verdict = ERR_STORAGE};
    struct order refused = {.seq = 2, .verdict = ERR_USERNAME};
    struct order small = {.seq = 1};
    struct order good = {.seq = 2};
    struct commit *commit = sqlite_connections(&place->store)->commit;

    assert_int_equal(commit_run(commit, &(struct command){.run = run_order, .arg = &failing, .bytes = 4}, 0),
                     ERR_STORAGE);
    assert_true(atomic_load(&place->shared->commit_failing));
    /* Nothing was committed, so nothing is known about the disk. */
    assert_int_equal(commit_run(commit, &(struct command){.run = run_order, .arg = &refused, .bytes = 4}, 0),
                     ERR_USERNAME);
    assert_true(atomic_load(&place->shared->commit_failing));
    /* On a full disk a smaller commit may still succeed. */
    assert_int_equal(commit_run(commit, &(struct command){.run = run_order, .arg = &small, .bytes = 3}, 0),
                     ERR_OK);
    assert_true(atomic_load(&place->shared->commit_failing));
    assert_int_equal(commit_run(commit, &(struct command){.run = run_order, .arg = &good, .bytes = 4}, 0),
                     ERR_OK);
    assert_false(atomic_load(&place->shared->commit_failing));
    assert_int_equal(good.id, 2);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM message"), 2);
}

static enum err
refuse_none(int lane, int i)
{
    (void)lane;
    (void)i;
    return ERR_OK;
}

/* A group is one tick. Five of 200 KB fit under 1 MB, a sixth does not. */
static void
a_group_is_bounded(void **state)
{
    struct place *place = *state;
    struct order(*orders)[EACH] = run_lanes(place, run_order, 200 * 1024, NULL, refuse_none);
    struct order larger = {.lane = LANES, .seq = 1};

    assert_stored(place, orders);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM message"), LANES * EACH);
    assert_in_range(
        support_ask(place, "SELECT max(n) FROM (SELECT count(*) AS n FROM message GROUP BY timestamp)"), 1,
        5);
    /* A command that exceeds the bound is in a group of its own. */
    assert_int_equal(
        commit_run(sqlite_connections(&place->store)->commit,
                   &(struct command){.run = run_order, .arg = &larger, .bytes = 16 * 1024 * 1024}, 0),
        ERR_OK);
    free(orders);
}

/*
 * SQLite has a lock of its own, which would hide that ours is missing, until many processes write.
 */
static enum err
run_if_locked(struct tx *tx, void *arg)
{
    struct shared *shared = arg;

    (void)tx;
    return pthread_mutex_trylock(&shared->write_lock) == EBUSY ? ERR_OK : ERR_INTERNAL;
}

static void
a_command_runs_under_the_write_lock(void **state)
{
    struct place *place = *state;

    for (int i = 0; i < 2; i++)
        assert_int_equal(commit_run(sqlite_connections(&place->store)->commit,
                                    &(struct command){.run = run_if_locked, .arg = place->shared}, 0),
                         ERR_OK);
    assert_int_equal(pthread_mutex_trylock(&place->shared->write_lock), 0);
    shared_unlock(place->shared);
}

static void
ticks_rise_though_the_clock_went_back(void **state)
{
    struct place *place = *state;
    int64_t future = clock_wall_ms() + INT64_C(86400000) * 365;

    support_tell(place, "UPDATE instance SET tick = %" PRId64, future);
    for (int64_t i = 1; i <= 20; i++) {
        struct order o = {.seq = i};
        struct order refused = {.seq = 1000, .verdict = ERR_USERNAME};

        assert_int_equal(commit_run(sqlite_connections(&place->store)->commit,
                                    &(struct command){.run = run_order, .arg = &o, .bytes = 4}, 0),
                         ERR_OK);
        assert_int_equal(o.tick, future + i);
        assert_int_equal(commit_run(sqlite_connections(&place->store)->commit,
                                    &(struct command){.run = run_order, .arg = &refused, .bytes = 4}, 0),
                         ERR_USERNAME);
    }
    assert_int_equal(support_ask(place, "SELECT tick FROM instance"), future + 20);
}

static void
ticks_follow_the_clock(void **state)
{
    struct place *place = *state;
    int64_t last = 0;

    for (int64_t i = 1; i <= 50; i++) {
        struct order o = {.seq = i};
        int64_t before = clock_wall_ms();

        assert_int_equal(commit_run(sqlite_connections(&place->store)->commit,
                                    &(struct command){.run = run_order, .arg = &o, .bytes = 4}, 0),
                         ERR_OK);
        assert_true(o.tick > last);
        assert_true(o.tick >= before);
        assert_true(o.tick <= clock_wall_ms() + i);
        last = o.tick;
    }
}

static void
delivered_changes_are_dropped_and_their_ids_never_come_back(void **state)
{
    struct place *place = *state;

    for (int64_t i = 1; i <= 5; i++) {
        struct order o = {.seq = i};

        assert_int_equal(commit_run(sqlite_connections(&place->store)->commit,
                                    &(struct command){.run = run_order, .arg = &o, .bytes = 4}, 0),
                         ERR_OK);
        atomic_store(&place->shared->acknowledged_change, i);
    }
    assert_int_equal(support_ask(place, "SELECT count(*) FROM outbox"), 1);
    assert_int_equal(support_ask(place, "SELECT id FROM outbox"), 5);
}

/* A command that finds nothing to do. */
static enum err
look_only(struct tx *tx, void *arg)
{
    bool exists;

    return accounts_exists(tx->db, str_c(arg), &exists);
}

/* The tick stays, and nothing is written to the disk, so nothing is learned about it. */
static void
where_nothing_was_written_nothing_is_committed(void **state)
{
    struct place *place = *state;
    struct shared_counters *counters = &place->shared->counters;
    struct commit *commit = sqlite_connections(&place->store)->commit;
    char name[] = "ann";
    struct order good = {.seq = 1};
    struct order refused = {.seq = 2, .verdict = ERR_SENDER_NOT_MEMBER};
    int64_t tick;
    int wal_pages;

    assert_int_equal(commit_run(commit, &(struct command){.run = run_order, .arg = &good, .bytes = 4}, 0),
                     ERR_OK);
    /* An acknowledged row is deleted with the next commit, and not without one. */
    atomic_store(&place->shared->acknowledged_change, 1);
    tick = support_ask(place, "SELECT tick FROM instance");
    wal_pages = atomic_load(&wal_shared(place->shared)->pages);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(commit_run(commit, &(struct command){.run = look_only, .arg = name}, 0), ERR_OK);
        assert_int_equal(commit_run(commit, &(struct command){.run = run_order, .arg = &refused}, 0),
                         ERR_SENDER_NOT_MEMBER);
    }
    assert_int_equal(support_ask(place, "SELECT tick FROM instance"), tick);
    assert_int_equal(atomic_load(&wal_shared(place->shared)->pages), wal_pages);
    assert_int_equal(atomic_load(&counters->commits), 1);
    assert_int_equal(atomic_load(&counters->commands), 11);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM outbox"), 1);
    good.seq = 3;
    assert_int_equal(commit_run(commit, &(struct command){.run = run_order, .arg = &good, .bytes = 4}, 0),
                     ERR_OK);
    assert_int_equal(atomic_load(&counters->commits), 2);
    assert_int_equal(support_ask(place, "SELECT id FROM outbox"), 2);
    assert_int_equal(good.id, 2);
}

/* Records the payer in the order. */
static enum err
note_payer(struct tx *tx, void *arg)
{
    uint64_t *payer = arg;

    *payer = tx->payer;
    return ERR_OK;
}

static void
each_command_has_a_payer_of_its_own(void **state)
{
    struct place *place = *state;
    struct store store = {.connections = place->store.connections, .payer = UINT64_MAX};
    uint64_t seen = 0;

    assert_int_equal(support_run(&store, note_payer, &seen), ERR_OK);
    assert_true(seen == UINT64_MAX);
    assert_int_equal(support_run(&place->store, note_payer, &seen), ERR_OK);
    assert_true(seen == 0);
}

#define PROCESS_LANES 4
#define PROCESS_EACH  100

struct process {
    struct store store;
    int number;
    _Atomic int errors;
};

static void
run_process_lane(void *arg, int n)
{
    struct process *p = arg;
    int64_t last = 0;

    for (int i = 0; i < PROCESS_EACH; i++) {
        struct order o = {.lane = p->number * PROCESS_LANES + n, .seq = i + 1};

        if (commit_run(sqlite_connections(&p->store)->commit,
                       &(struct command){.run = run_order, .arg = &o, .bytes = 4}, 0) != ERR_OK ||
            o.tick <= last)
            atomic_fetch_add(&p->errors, 1);
        last = o.tick;
    }
}

/* The life of one process; returns its exit status. */
static int
live(struct place *place, int number)
{
    struct process p = {.number = number};

    if (store_open(&p.store, place->uri, 1, place->shared) != ERR_OK)
        return 1;
    support_threads(PROCESS_LANES, run_process_lane, &p);
    store_close(&p.store);
    return atomic_load(&p.errors) == 0 ? 0 : 2;
}

static void
two_processes_write_through_one_page(void **state)
{
    struct place *place = *state;
    pid_t pids[2];

    support_migrate(place);
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(live(place, i));
    }
    for (int i = 0; i < 2; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_int_equal(support_ask(place, "SELECT count(*) FROM message"), 2 * PROCESS_LANES * PROCESS_EACH);
    assert_int_equal(support_ask(place, "SELECT max(id) FROM message"), 2 * PROCESS_LANES * PROCESS_EACH);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM message a JOIN message b ON b.id = a.id + 1"
                                        " WHERE b.timestamp < a.timestamp"),
                     0);
    /* Conversations 1 … 4 belong to one process, 5 … 8 to the other: no transaction has both. */
    assert_int_equal(support_ask(place,
                                 "SELECT count(*) FROM (SELECT 1 FROM message GROUP BY timestamp"
                                 " HAVING min((conversation - 1) / 4) <> max((conversation - 1) / 4))"),
                     0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        /* First, so that the parent has no thread yet. */
        cmocka_unit_test_setup_teardown(two_processes_write_through_one_page, support_open_empty,
                                        support_close),
        cmocka_unit_test_setup_teardown(answered_commands_are_stored_and_refused_ones_leave_nothing,
                                        support_open, support_close),
        cmocka_unit_test_setup_teardown(a_failure_of_the_storage_fails_its_group_and_no_other, support_open,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_late_refusal_fails_its_group_and_no_other, support_open,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_failure_is_remembered_until_a_commit_of_its_size_succeeds,
                                        support_open, support_close),
        cmocka_unit_test_setup_teardown(a_group_is_bounded, support_open, support_close),
        cmocka_unit_test_setup_teardown(where_nothing_was_written_nothing_is_committed, support_open,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_command_runs_under_the_write_lock, support_open, support_close),
        cmocka_unit_test_setup_teardown(ticks_rise_though_the_clock_went_back, support_open, support_close),
        cmocka_unit_test_setup_teardown(ticks_follow_the_clock, support_open, support_close),
        cmocka_unit_test_setup_teardown(each_command_has_a_payer_of_its_own, support_open, support_close),
        cmocka_unit_test_setup_teardown(delivered_changes_are_dropped_and_their_ids_never_come_back,
                                        support_open, support_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
