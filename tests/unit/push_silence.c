/*
 * Checks: users are published to until nchan has certainly answered that they do not listen, and
 * again from their next grant on. A grant between question and answer prevents silence, and a
 * recent grant prevents the question. An uncertain answer, a failure or a full table costs a
 * publish, but never loses one.
 *
 * nchan's side is a thread that serves a real unix socket. Users named on… listen. For users named
 * unclear… there is a channel without a subscriber, and no second worker.
 */
#include "support.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "push/silence.h"

#define DEADLINE_MS 20000
/* More than the table holds. */
#define CROWD    90000
#define CROWD_MS 1500

struct stage {
    char directory[32];
    struct sockaddr_un address;
    int listen_fd;
    pthread_t thread;
    struct shared *shared;
    struct silence *silence;
    _Atomic bool hold;  /* no answers for now */
    _Atomic bool redis; /* nchan uses Redis */
    _Atomic bool end;
    _Atomic int asked; /* about the name below */
    char watched[24];
};

static struct stage stage;

/* --- nchan */

static void
answer(struct buf *out, struct str name)
{
    bool on = name.n >= 2 && memcmp(name.p, "on", 2) == 0;
    bool unclear = name.n >= 7 && memcmp(name.p, "unclear", 7) == 0;
    const char *body = on ? "active subscribers: 1\r\n" : unclear ? "active subscribers: 0\r\n" : "";

    if (str_is(name, stage.watched))
        stage.asked++;
    buf_printf(out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nX-Worker: 1\r\nX-Alerts: 7\r\n%s\r\n%s",
               on || unclear ? "200 OK" : "404 Not Found", strlen(body), stage.redis ? "X-Redis: on\r\n" : "",
               body);
}

/* Answers the complete requests among the received bytes. */
static void
answer_all(struct buf *in, struct buf *out)
{
    static const char field[] = "X-Channels: ";
    const char *end;

    while ((end = memmem(in->p, in->n, "\r\n\r\n", 4)) != NULL) {
        const char *name = memmem(in->p, in->n, field, sizeof(field) - 1);

        name += sizeof(field) - 1;
        answer(out, (struct str){name, (size_t)(end - name)});
        buf_shift(in, (size_t)(end - in->p) + 4);
    }
}

static void *
serve_peer(void *arg)
{
    int fd = (int)(intptr_t)arg;
    struct buf in;
    struct buf out;

    buf_init(&in);
    buf_init(&out);
    for (;;) {
        char *to = buf_reserve(&in, 65536);
        ssize_t got = recv(fd, to, 65536, 0);

        if (got <= 0)
            break;
        in.n += (size_t)got;
        answer_all(&in, &out);
        while (stage.hold && !stage.end)
            poll(NULL, 0, 1);
        if (send(fd, out.p, out.n, MSG_NOSIGNAL) < 0)
            break;
        buf_reset(&out);
    }
    buf_clear(&in);
    buf_clear(&out);
    close(fd);
    return NULL;
}

static void *
serve(void *arg)
{
    int fd;

    (void)arg;
    while ((fd = accept(stage.listen_fd, NULL, NULL)) >= 0) {
        pthread_t peer;

        if (pthread_create(&peer, NULL, serve_peer, (void *)(intptr_t)fd) != 0)
            abort();
        pthread_detach(peer);
    }
    return NULL;
}

static int
set_stage(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof(stage));
    strcpy(stage.directory, "/tmp/push_silence.XXXXXX");
    stage.address.sun_family = AF_UNIX;
    if (mkdtemp(stage.directory) == NULL || shared_open(&stage.shared) != ERR_OK)
        return -1;
    /* As if this imd had started long ago. */
    stage.shared->grants.opened = 1;
    stage.shared->silence = true;
    snprintf(stage.address.sun_path, sizeof(stage.address.sun_path), "%s/s", stage.directory);
    stage.listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(stage.listen_fd, (const struct sockaddr *)&stage.address, sizeof(stage.address)) != 0 ||
        listen(stage.listen_fd, 64) != 0 || pthread_create(&stage.thread, NULL, serve, NULL) != 0)
        return -1;
    return silence_start(&stage.silence, stage.address.sun_path, stage.shared) == ERR_OK ? 0 : -1;
}

static int
strike_stage(void **state)
{
    (void)state;
    stage.end = true;
    silence_stop(stage.silence);
    shutdown(stage.listen_fd, SHUT_RDWR);
    pthread_join(stage.thread, NULL);
    close(stage.listen_fd);
    unlink(stage.address.sun_path);
    shared_close(stage.shared);
    return rmdir(stage.directory);
}

/* --- the relay's side */

static bool
is_published(const char *name)
{
    struct str s = str_c(name);

    return silence_filter(stage.silence, &s, 1) == 1;
}

/* Publishes again and again, as the relay does, until all are silent. */
static void
wait_silent(const char *name)
{
    int64_t started_ms = clock_mono_ms();

    while (is_published(name)) {
        assert_true(clock_mono_ms() - started_ms < DEADLINE_MS);
        poll(NULL, 0, 2);
    }
}

/* Waits until nchan was asked about the watched user that often. */
static void
wait_asked(int times)
{
    int64_t started_ms = clock_mono_ms();

    while (stage.asked < times) {
        assert_true(clock_mono_ms() - started_ms < DEADLINE_MS);
        poll(NULL, 0, 2);
    }
}

static void
no_user_is_silent_before_nchan_has_answered(void **state)
{
    (void)state;
    stage.hold = true;
    strcpy(stage.watched, "bob");
    for (int i = 0; i < 3; i++)
        assert_true(is_published("bob"));
    wait_asked(1);
    assert_true(is_published("bob"));
    assert_int_equal(stage.shared->silent_names, 0);
    stage.hold = false;
    wait_silent("bob");
    assert_int_equal(stage.shared->silent_names, 1);
}

static void
listeners_stay_in_their_order(void **state)
{
    struct str names[5] = {str_c("on_z"), str_c("off1"), str_c("on_a"), str_c("off2"), str_c("on_m")};
    uint64_t avoided;

    (void)state;
    wait_silent("off1");
    wait_silent("off2");
    avoided = stage.shared->counters.copies_avoided;
    assert_int_equal(silence_filter(stage.silence, names, 5), 3);
    assert_true(str_is(names[0], "on_z") && str_is(names[1], "on_a") && str_is(names[2], "on_m"));
    assert_int_equal(stage.shared->counters.copies_avoided, avoided + 2);
}

static void
a_grant_ends_silence_at_once(void **state)
{
    (void)state;
    wait_silent("bob");
    wait_silent("eve");
    grants_note(&stage.shared->grants, str_c("bob"));
    assert_true(is_published("bob"));
    assert_false(is_published("eve"));
    assert_int_equal(stage.shared->silent_names, 1);
}

static void
a_grant_between_question_and_answer_prevents_silence(void **state)
{
    (void)state;
    stage.hold = true;
    strcpy(stage.watched, "bob");
    assert_true(is_published("bob"));
    wait_asked(1);
    grants_note(&stage.shared->grants, str_c("bob"));
    stage.hold = false;
    /* eve is asked about after bob, so bob's answer is in the table by then. */
    wait_silent("eve");
    assert_true(is_published("bob"));
}

static void
users_granted_within_ten_seconds_are_not_asked_about(void **state)
{
    (void)state;
    strcpy(stage.watched, "bob");
    grants_note(&stage.shared->grants, str_c("bob"));
    for (int i = 0; i < 3; i++) {
        char name[20];

        assert_true(is_published("bob"));
        snprintf(name, sizeof(name), "eve%d", i);
        wait_silent(name);
    }
    assert_int_equal(stage.asked, 0);
    /* The start counts as a grant to all. */
    grants_open(&stage.shared->grants);
    assert_true(is_published("eve0"));
    assert_true(is_published("carol"));
}

static void
uncertain_answers_make_no_user_silent(void **state)
{
    (void)state;
    strcpy(stage.watched, "unclear1");
    assert_true(is_published("unclear1"));
    wait_asked(1);
    wait_silent("eve");
    assert_true(is_published("unclear1"));
}

static void
without_nchan_no_user_becomes_silent(void **state)
{
    struct silence *s;
    struct str name = str_c("bob");

    (void)state;
    assert_int_equal(silence_start(&s, "/nowhere/push.sock", stage.shared), ERR_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(silence_filter(s, &name, 1), 1);
        poll(NULL, 0, 5);
    }
    silence_stop(s);
}

static void
without_silence_all_users_are_published_to(void **state)
{
    (void)state;
    wait_silent("bob");
    stage.shared->silence = false;
    assert_true(is_published("bob"));
    stage.shared->silence = true;
    assert_false(is_published("bob"));
}

/* The host may turn Redis on while imd runs. */
static void
with_redis_no_user_is_silent_or_asked_about(void **state)
{
    (void)state;
    wait_silent("bob");
    stage.redis = true;
    assert_true(is_published("eve"));
    for (int64_t started_ms = clock_mono_ms(); !is_published("bob"); poll(NULL, 0, 2))
        assert_true(clock_mono_ms() - started_ms < DEADLINE_MS);
    assert_int_equal(stage.shared->silent_names, 0);
    strcpy(stage.watched, "zoe");
    stage.asked = 0;
    /* The queue is closed, because no answer would be certain. */
    for (int i = 0; i < 100; i++) {
        assert_true(is_published("zoe"));
        poll(NULL, 0, 5);
    }
    assert_int_equal(stage.asked, 0);
}

/* Names are evicted, and the queue overflows. */
static void
in_a_crowd_too_large_no_listener_is_left_out(void **state)
{
    (void)state;
    for (int64_t until_ms = clock_mono_ms() + CROWD_MS; clock_mono_ms() < until_ms;)
        for (int i = 0; i < CROWD; i++) {
            char name[20];

            snprintf(name, sizeof(name), "%s%d", i % 10 == 0 ? "on" : "off", i);
            if (!is_published(name))
                assert_true(i % 10 != 0);
        }
    assert_true(stage.shared->silent_names > 0);
    assert_true(stage.shared->silent_names <= 65536);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_stage, strike_stage)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(no_user_is_silent_before_nchan_has_answered),
        ON_STAGE(listeners_stay_in_their_order),
        ON_STAGE(a_grant_ends_silence_at_once),
        ON_STAGE(a_grant_between_question_and_answer_prevents_silence),
        ON_STAGE(users_granted_within_ten_seconds_are_not_asked_about),
        ON_STAGE(uncertain_answers_make_no_user_silent),
        ON_STAGE(without_nchan_no_user_becomes_silent),
        ON_STAGE(without_silence_all_users_are_published_to),
        ON_STAGE(with_redis_no_user_is_silent_or_asked_about),
        ON_STAGE(in_a_crowd_too_large_no_listener_is_left_out),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
