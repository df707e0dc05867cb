/*
 * run_shared.c - checks: the write lock survives a holder that dies. The relay is woken if it
 * sleeps. Typing events are passed complete and in order, or dropped.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "run/shared.h"

/* A lock that is never released would otherwise hang the test. */
#define DEADLINE_S 20

static int
open_page(void **state)
{
    struct shared *s;

    alarm(DEADLINE_S);
    if (shared_open(&s) != ERR_OK)
        return -1;
    *state = s;
    return 0;
}

static int
close_page(void **state)
{
    shared_close(*state);
    alarm(0);
    return 0;
}

/* Forks a child that takes the lock, stores `change` and dies without releasing the lock. */
static void
die_with_the_lock(struct shared *s, int64_t change)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        shared_lock(s);
        atomic_store(&s->committed_change, change);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
the_lock_outlives_its_holder(void **state)
{
    struct shared *s = *state;

    /*
     * More than once: a lock that is recovered without being made consistent fails the second time.
     */
    for (int64_t round = 1; round <= 3; round++) {
        die_with_the_lock(s, round);
        shared_lock(s);
        assert_int_equal(atomic_load(&s->committed_change), round);
        assert_int_not_equal(pthread_mutex_trylock(&s->write_lock), 0);
        shared_unlock(s);
    }
    assert_int_equal(pthread_mutex_trylock(&s->write_lock), 0);
    shared_unlock(s);
}

/* Another thread waits while the holder dies. */
static void
a_waiting_process_gets_the_lock_of_a_dying_one(void **state)
{
    struct shared *s = *state;
    int ready[2];
    int status;
    char byte;
    pid_t holder;
    pid_t waiter;

    assert_int_equal(pipe(ready), 0);
    holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        shared_lock(s);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    waiter = fork();
    assert_true(waiter >= 0);
    if (waiter == 0) {
        alarm(DEADLINE_S);
        shared_lock(s);
        shared_unlock(s);
        _exit(0);
    }
    assert_int_equal(kill(holder, SIGKILL), 0);
    assert_int_equal(waitpid(holder, &status, 0), holder);
    assert_int_equal(waitpid(waiter, &status, 0), waiter);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    /* The holder may have committed a rename that it did not count. */
    assert_int_equal(atomic_load(&s->renames), 1);
    close(ready[0]);
    close(ready[1]);
}

static void
the_lock_lets_one_in_at_a_time(void **state)
{
    enum { CHILDREN = 4, ROUNDS = 5000 };
    struct shared *s = *state;
    int status;

    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            alarm(DEADLINE_S);
            for (int k = 0; k < ROUNDS; k++) {
                int64_t n;

                shared_lock(s);
                n = atomic_load_explicit(&s->acknowledged_change, memory_order_relaxed);
                atomic_store_explicit(&s->acknowledged_change, n + 1, memory_order_relaxed);
                shared_unlock(s);
            }
            _exit(0);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(atomic_load(&s->acknowledged_change), CHILDREN * ROUNDS);
}

static bool
is_signalled(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void
the_relay_is_woken_where_it_sleeps(void **state)
{
    struct shared *s = *state;

    assert_false(is_signalled(s->wake_fd));
    shared_announce(s, 5);
    assert_int_equal(atomic_load(&s->committed_change), 5);
    assert_false(is_signalled(s->wake_fd));
    atomic_store(&s->relay_asleep, true);
    shared_announce(s, 6);
    shared_announce(s, 7);
    assert_int_equal(atomic_load(&s->committed_change), 7);
    assert_true(is_signalled(s->wake_fd));
    shared_drain(s->wake_fd);
    assert_false(is_signalled(s->wake_fd));
    /* Already empty: must not block. */
    shared_drain(s->wake_fd);
}

static struct shared_signal
signal_of(int64_t n)
{
    struct shared_signal signal = {.conversation = n};

    snprintf(signal.username, sizeof(signal.username), "user_%d", (int)n);
    return signal;
}

static void
send_signal(struct shared *s, int64_t n)
{
    struct shared_signal signal = signal_of(n);

    shared_send_signal(s, signal.conversation, str_c(signal.username));
}

static void
signals_are_handed_over_in_order(void **state)
{
    struct shared *s = *state;
    struct shared_signal got;

    assert_false(shared_next_signal(s, &got));
    for (int64_t n = 1; n <= 3; n++)
        send_signal(s, n);
    for (int64_t n = 1; n <= 3; n++) {
        struct shared_signal want = signal_of(n);

        assert_true(shared_next_signal(s, &got));
        assert_int_equal(got.conversation, n);
        assert_string_equal(got.username, want.username);
    }
    assert_false(shared_next_signal(s, &got));
    /* A name that is too long is cut and terminated. */
    shared_send_signal(s, 1, str_c("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
    assert_true(shared_next_signal(s, &got));
    assert_int_equal(strlen(got.username), sizeof(got.username) - 1);
}

/*
 * The pipe is full: further events are dropped. Those before come out complete, and then there is
 * room again.
 */
static void
a_full_pipe_drops_new_signals(void **state)
{
    enum { MORE_THAN_FIT = 100000 };
    struct shared *s = *state;
    struct shared_signal got;
    int64_t fit = 0;

    for (int64_t n = 1; n <= MORE_THAN_FIT; n++)
        send_signal(s, n);
    while (shared_next_signal(s, &got)) {
        struct shared_signal want = signal_of(++fit);

        assert_memory_equal(&got, &want, sizeof(want));
    }
    assert_in_range(fit, 100, MORE_THAN_FIT - 1);
    send_signal(s, 5);
    assert_true(shared_next_signal(s, &got));
    assert_int_equal(got.conversation, 5);
}

/*
 * Several writers, as several workers: no event is mixed with another, and each writer's are in
 * order.
 */
static void
several_processes_send_signals_at_once(void **state)
{
    enum { CHILDREN = 3, EACH = 300 };
    struct shared *s = *state;
    int64_t last[CHILDREN] = {0};
    struct pollfd p = {.fd = s->unstored_fds[0], .events = POLLIN};
    int status;

    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            for (int64_t n = 1; n <= EACH; n++)
                send_signal(s, i * 1000 + n);
            _exit(0);
        }
    }
    for (int count = 0; count < CHILDREN * EACH; count++) {
        struct shared_signal got;
        struct shared_signal want;

        assert_int_equal(poll(&p, 1, -1), 1);
        assert_true(shared_next_signal(s, &got));
        want = signal_of(got.conversation);
        assert_memory_equal(&got, &want, sizeof(want));
        assert_in_range(got.conversation / 1000, 0, CHILDREN - 1);
        assert_int_equal(got.conversation % 1000, ++last[got.conversation / 1000]);
    }
    for (int i = 0; i < CHILDREN; i++) {
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_lock_outlives_its_holder, open_page, close_page),
        cmocka_unit_test_setup_teardown(a_waiting_process_gets_the_lock_of_a_dying_one, open_page,
                                        close_page),
        cmocka_unit_test_setup_teardown(the_lock_lets_one_in_at_a_time, open_page, close_page),
        cmocka_unit_test_setup_teardown(the_relay_is_woken_where_it_sleeps, open_page, close_page),
        cmocka_unit_test_setup_teardown(signals_are_handed_over_in_order, open_page, close_page),
        cmocka_unit_test_setup_teardown(a_full_pipe_drops_new_signals, open_page, close_page),
        cmocka_unit_test_setup_teardown(several_processes_send_signals_at_once, open_page, close_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
