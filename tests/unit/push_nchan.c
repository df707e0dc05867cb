/*
 * push_nchan.c - checks: publishes are sent in the order queued, and their tickets come back in
 * order, however the answers are split. A publish that nchan will never accept is logged and counts
 * as answered. Any other refusal, a closed connection or a malformed answer is a failure.
 *
 * nchan's side is a real unix socket, held by the same thread: nothing in push/nchan.c blocks.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "push/nchan.h"
#include "push/pipe.h"

#define CREATED                                                                                              \
    "HTTP/1.1 201 Created\r\nServer: nginx\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nnchan"
#define ACCEPTED "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
#define LISTED   5000

/* One connection, both of its ends, and the tickets that came back. */
struct stage {
    char directory[32];
    struct sockaddr_un address;
    int listen_fd;
    int peer_fd; /* nchan's end */
    struct nchan *nchan;
    int64_t delivered[LISTED];
    size_t delivered_n;
};

static struct stage stage;

static void
delivered(void *arg, int64_t ticket)
{
    struct stage *s = arg;

    if (ticket == 0)
        return;
    assert_true(s->delivered_n < LISTED);
    s->delivered[s->delivered_n++] = ticket;
}

static int
set_stage(void **state)
{
    *state = &stage;
    stage =
        (struct stage){.directory = "/tmp/push_nchan.XXXXXX", .address.sun_family = AF_UNIX, .peer_fd = -1};
    if (mkdtemp(stage.directory) == NULL)
        return -1;
    snprintf(stage.address.sun_path, sizeof(stage.address.sun_path), "%s/s", stage.directory);
    stage.listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(stage.listen_fd, (const struct sockaddr *)&stage.address, sizeof(stage.address)) != 0)
        return -1;
    return listen(stage.listen_fd, 8) == 0 && nchan_new(&stage.nchan, stage.address.sun_path) == ERR_OK ? 0
                                                                                                        : -1;
}

static int
strike_stage(void **state)
{
    (void)state;
    nchan_free(stage.nchan);
    if (stage.peer_fd >= 0)
        close(stage.peer_fd);
    close(stage.listen_fd);
    unlink(stage.address.sun_path);
    return rmdir(stage.directory);
}

static void
connect_both(void)
{
    if (stage.peer_fd >= 0)
        close(stage.peer_fd);
    assert_int_equal(nchan_connect(stage.nchan), ERR_OK);
    stage.peer_fd = accept(stage.listen_fd, NULL, NULL);
    assert_true(stage.peer_fd >= 0);
}

static void
publish(int64_t ticket)
{
    assert_int_equal(nchan_publish(stage.nchan, str_c("alice,bob"), str_c("{}")), ERR_OK);
    if (ticket > 0)
        nchan_set_ticket(stage.nchan, ticket);
}

static void
answer_bytes(const char *bytes, size_t n)
{
    assert_int_equal(send(stage.peer_fd, bytes, n, MSG_NOSIGNAL), n);
}

static enum err
answer(const char *text)
{
    answer_bytes(text, strlen(text));
    return nchan_read(stage.nchan, delivered, &stage);
}

/* Returns the result of reading the answer; `logged` holds what was logged meanwhile. */
static enum err
answer_logged(const char *text, char *logged, size_t size)
{
    FILE *f = tmpfile();
    int terminal = dup(STDERR_FILENO);
    enum err err;

    assert_non_null(f);
    dup2(fileno(f), STDERR_FILENO);
    err = answer(text);
    dup2(terminal, STDERR_FILENO);
    close(terminal);
    rewind(f);
    logged[fread(logged, 1, size - 1, f)] = '\0';
    fclose(f);
    return err;
}

/* --- one answer */

static void
whole_answers_are_measured(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {CREATED, 201},
        {ACCEPTED, 202},
        {"HTTP/1.0 500 \r\n\r\n", 500},
        {"HTTP/1.1 403 Forbidden\nCONTENT-LENGTH:   3\n\nabc", 403},
        {"HTTP/1.1 200 OK\r\nContent-Lengthy: 9\r\nX-Content-Length: 9\r\nA\r\n: b\r\n\r\n", 200},
        {"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nHTTP/1.1 500 x\r\n", 200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char followed[300];
        long n = (long)strlen(cases[i].text);
        struct pipe_answer answer;

        assert_int_equal(pipe_parse_answer(str_c(cases[i].text), &answer), n);
        assert_int_equal(answer.status, cases[i].status);
        snprintf(followed, sizeof(followed), "%s%s", cases[i].text, CREATED);
        assert_int_equal(pipe_parse_answer(str_c(followed), &answer), n);
        assert_ptr_equal(answer.body.p + answer.body.n, followed + n);
    }
}

/* Each prefix is at the end of its allocation. */
static void
every_prefix_of_an_answer_waits_for_the_rest(void **state)
{
    (void)state;
    for (size_t n = 0; n < strlen(CREATED); n++) {
        char *copy = malloc(n + (n == 0));
        struct pipe_answer answer;

        assert_non_null(copy);
        memcpy(copy, CREATED, n);
        assert_int_equal(pipe_parse_answer((struct str){copy, n}, &answer), 0);
        free(copy);
    }
}

static void
malformed_answers_are_detected(void **state)
{
    static const char *const cases[] = {
        "\r\n",
        "\n",
        "HTTP/1.1\r\n",
        "HTTP/1.1 20\r\n",
        "HTTP/1.1 2x1 Created\r\n",
        "HTTP/1.1  201 Created\r\n",
        "HTTP/1.1 -20 Created\r\n",
        "HTTP/2.0 201 Created\r\n",
        "http/1.1 201 Created\r\n",
        "POST /pub HTTP/1.1\r\n",
        " HTTP/1.1 201 Created\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding:chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 16385\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pipe_answer answer;

        if (pipe_parse_answer(str_c(cases[i]), &answer) != -1)
            fail_msg("understood: %s", cases[i]);
    }
}

static void
an_answer_without_end_is_given_up(void **state)
{
    static const char *const beginnings[] = {"", "HTTP/1.1 200 OK\r\nX: "};
    char text[20000];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pipe_answer answer;
        int n = snprintf(text, sizeof(text), "%s", beginnings[i]);

        memset(text + n, 'x', sizeof(text) - (size_t)n);
        assert_int_equal(pipe_parse_answer((struct str){text, 16384}, &answer), 0);
        assert_int_equal(pipe_parse_answer((struct str){text, 16385}, &answer), -1);
    }
}

/* Of head and body alike; a line without an end is not a line. */
static void
fields_are_found_by_their_names(void **state)
{
    struct pipe_answer answer;
    struct str head;

    (void)state;
    assert_true(
        pipe_parse_answer(str_c("HTTP/1.1 200 OK\r\nAB: no\r\nA: 1\r\nb:\r\na: 2\nContent-Length: 9\r\n"
                                "\r\nc d: 3\nA:"),
                          &answer) > 0);
    head = answer.head;
    assert_true(str_is(pipe_field(head, "A"), "1"));
    assert_true(str_is(pipe_field(head, "a"), "1"));
    assert_true(str_is(pipe_field(head, "B"), ""));
    assert_non_null(pipe_field(head, "B").p);
    assert_true(str_is(pipe_field(head, "content-length"), "9"));
    assert_null(pipe_field(head, "c d").p);
    assert_null(pipe_field(head, "").p);
    assert_true(str_is(pipe_field(answer.body, "c d"), "3"));
    assert_null(pipe_field(answer.body, "A").p);
}

/* --- a connection */

static void
a_socket_without_a_listener_is_a_failure(void **state)
{
    char path[200];
    struct nchan *n;

    (void)state;
    assert_int_equal(nchan_new(&n, "/nowhere/push.sock"), ERR_OK);
    assert_false(nchan_connected(n));
    assert_int_equal(nchan_connect(n), ERR_IO);
    assert_false(nchan_connected(n));
    assert_int_equal(nchan_fd(n), -1);
    nchan_free(n);
    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(nchan_new(&n, path), ERR_OK);
    assert_int_equal(nchan_connect(n), ERR_IO);
    nchan_free(n);
}

static void
a_publish_is_one_request(void **state)
{
    char got[512];
    ssize_t n;

    (void)state;
    connect_both();
    assert_true(nchan_connected(stage.nchan));
    assert_false(nchan_wants_write(stage.nchan));
    assert_int_equal(nchan_publish(stage.nchan, str_c("alice,bob"), (struct str){"{\"a\":\0}", 7}), ERR_OK);
    assert_true(nchan_wants_write(stage.nchan));
    assert_true(nchan_in_flight(stage.nchan));
    assert_int_equal(nchan_write(stage.nchan), ERR_OK);
    assert_false(nchan_wants_write(stage.nchan));
    n = recv(stage.peer_fd, got, sizeof(got) - 1, MSG_DONTWAIT);
    assert_true(n > 0);
    got[n] = '\0';
    assert_true(strncmp(got, "POST /pub HTTP/1.1\r\n", 20) == 0);
    assert_non_null(strstr(got, "\r\nHost: "));
    assert_non_null(strstr(got, "\r\nX-Channels: alice,bob\r\n"));
    assert_non_null(strstr(got, "\r\nContent-Length: 7\r\n"));
    assert_memory_equal(got + n - 11, "\r\n\r\n{\"a\":\0}", 11);
}

static void
answers_in_one_chunk_give_all_tickets(void **state)
{
    (void)state;
    connect_both();
    publish(3);
    publish(0);
    publish(7);
    publish(9);
    assert_int_equal(answer(CREATED ACCEPTED CREATED), ERR_OK);
    assert_int_equal(stage.delivered_n, 2);
    assert_int_equal(stage.delivered[0], 3);
    assert_int_equal(stage.delivered[1], 7);
    assert_true(nchan_in_flight(stage.nchan));
    assert_int_equal(answer(CREATED), ERR_OK);
    assert_int_equal(stage.delivered_n, 3);
    assert_int_equal(stage.delivered[2], 9);
    assert_false(nchan_in_flight(stage.nchan));
}

static void
answers_byte_by_byte_give_all_tickets(void **state)
{
    static const char text[] = CREATED ACCEPTED CREATED;

    (void)state;
    connect_both();
    for (int64_t ticket = 1; ticket <= 3; ticket++)
        publish(ticket);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        size_t whole =
            (i + 1 >= strlen(CREATED)) + (i + 1 >= strlen(CREATED ACCEPTED)) + (i + 2 >= sizeof(text));

        answer_bytes(text + i, 1);
        assert_int_equal(nchan_read(stage.nchan, delivered, &stage), ERR_OK);
        assert_int_equal(stage.delivered_n, whole);
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(stage.delivered[i], i + 1);
}

static void
having_nothing_to_read_is_not_a_failure(void **state)
{
    (void)state;
    connect_both();
    assert_int_equal(nchan_read(stage.nchan, delivered, &stage), ERR_OK);
    publish(1);
    assert_int_equal(nchan_read(stage.nchan, delivered, &stage), ERR_OK);
    assert_int_equal(stage.delivered_n, 0);
}

/* The ring of tickets grows while it is wrapped round its end. */
static void
many_in_flight_come_back_in_order(void **state)
{
    int64_t next = 1;
    size_t answered = 0;

    (void)state;
    connect_both();
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 70 << round && next <= LISTED; i++)
            publish(next++);
        for (int i = 0; i < 50 << round; i++, answered++)
            assert_int_equal(answer(ACCEPTED), ERR_OK);
        assert_int_equal(stage.delivered_n, answered);
    }
    for (size_t i = 0; i < answered; i++)
        assert_int_equal(stage.delivered[i], i + 1);
    assert_true(nchan_in_flight(stage.nchan));
}

static void
a_later_ticket_takes_the_place_of_an_earlier(void **state)
{
    (void)state;
    connect_both();
    publish(4);
    nchan_set_ticket(stage.nchan, 5);
    assert_int_equal(answer(CREATED), ERR_OK);
    assert_int_equal(stage.delivered_n, 1);
    assert_int_equal(stage.delivered[0], 5);
}

static void
there_is_room_until_enough_is_in_flight(void **state)
{
    int count = 0;

    (void)state;
    connect_both();
    while (nchan_has_room(stage.nchan) && count < 1000)
        publish(++count);
    assert_in_range(count, 2, 999);
    assert_int_equal(answer(CREATED), ERR_OK);
    assert_true(nchan_has_room(stage.nchan));
}

/* More than a socket holds: the rest waits for the peer, and arrives as it was. */
static void
bytes_that_the_socket_refuses_are_written_later(void **state)
{
    size_t body_n = 3 << 20;
    char *body = malloc(body_n);
    char *got = malloc(body_n + 1024);
    size_t n = 0;
    int pauses = 0;

    (void)state;
    assert_true(body != NULL && got != NULL);
    for (size_t i = 0; i < body_n; i++)
        body[i] = (char)(i * 31 >> 3);
    connect_both();
    assert_int_equal(nchan_publish(stage.nchan, str_c("a"), (struct str){body, body_n}), ERR_OK);
    assert_false(nchan_has_room(stage.nchan));
    while (nchan_wants_write(stage.nchan)) {
        ssize_t step;

        assert_int_equal(nchan_write(stage.nchan), ERR_OK);
        pauses += nchan_wants_write(stage.nchan);
        while (n < body_n + 1024 &&
               (step = recv(stage.peer_fd, got + n, body_n + 1024 - n, MSG_DONTWAIT)) > 0)
            n += (size_t)step;
    }
    assert_true(pauses > 0);
    assert_true(n > body_n);
    assert_memory_equal(got + n - body_n, body, body_n);
    free(body);
    free(got);
}

/* --- failures */

static void
publishes_that_nchan_never_accepts_are_logged_and_count(void **state)
{
    static const int statuses[] = {400, 403, 413, 414};

    (void)state;
    connect_both();
    for (size_t i = 0; i < 4; i++) {
        char text[128];
        char logged[512];
        char want[64];

        publish((int64_t)i + 1);
        snprintf(text, sizeof(text), "HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\nno", statuses[i]);
        assert_int_equal(answer_logged(text, logged, sizeof(logged)), ERR_OK);
        assert_int_equal(stage.delivered_n, i + 1);
        assert_int_equal(stage.delivered[i], i + 1);
        snprintf(want, sizeof(want), "level=error pid=%d event=push_refused status=%d action=dropped\n",
                 (int)getpid(), statuses[i]);
        assert_non_null(strstr(logged, want));
    }
}

static void
any_other_refusal_is_a_failure(void **state)
{
    static const int statuses[] = {100, 204, 301, 404, 405, 429, 500, 502, 507};

    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        char text[256];
        char logged[512];

        connect_both();
        publish(1);
        publish(2);
        stage.delivered_n = 0;
        snprintf(text, sizeof(text), "%sHTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n", CREATED, statuses[i]);
        assert_int_equal(answer_logged(text, logged, sizeof(logged)), ERR_REFUSED);
        assert_non_null(strstr(logged, "action=retry"));
        /* The answers before it are delivered, it itself is not. */
        assert_int_equal(stage.delivered_n, 1);
        assert_int_equal(stage.delivered[0], 1);
        nchan_disconnect(stage.nchan);
    }
}

/* So the relay drops no change while Redis is down. */
static void
without_redis_the_connection_is_lost_and_no_push_is_refused(void **state)
{
    static const char *const answers[] = {
        CREATED "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
        CREATED "HTTP/1.1 500 No\r\nX-Redis: on\r\nContent-Length: 0\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        char logged[512];

        connect_both();
        publish(1);
        publish(2);
        stage.delivered_n = 0;
        assert_int_equal(answer_logged(answers[i], logged, sizeof(logged)), ERR_IO);
        assert_non_null(strstr(logged, "action=retry"));
        assert_int_equal(stage.delivered_n, 1);
        assert_int_equal(stage.delivered[0], 1);
        nchan_disconnect(stage.nchan);
    }
}

static void
a_closed_connection_is_a_failure(void **state)
{
    (void)state;
    connect_both();
    publish(1);
    publish(2);
    answer_bytes(CREATED "HTTP/1.1 201 Cre", strlen(CREATED) + 16);
    shutdown(stage.peer_fd, SHUT_RDWR);
    assert_int_equal(nchan_read(stage.nchan, delivered, &stage), ERR_OK);
    assert_int_equal(stage.delivered_n, 1);
    assert_int_equal(nchan_read(stage.nchan, delivered, &stage), ERR_IO);
    /* No SIGPIPE. */
    assert_int_equal(nchan_write(stage.nchan), ERR_IO);
    assert_int_equal(stage.delivered_n, 1);
}

static void
an_unrequested_answer_is_a_failure(void **state)
{
    (void)state;
    connect_both();
    assert_int_equal(answer(CREATED), ERR_IO);
    nchan_disconnect(stage.nchan);
    connect_both();
    publish(1);
    assert_int_equal(answer("SSH-2.0-OpenSSH\r\n"), ERR_IO);
    assert_int_equal(stage.delivered_n, 0);
}

static void
a_disconnect_forgets_publishes_in_flight(void **state)
{
    char got[4096];
    ssize_t n;

    (void)state;
    connect_both();
    publish(1);
    publish(2);
    assert_int_equal(answer("HTTP/1.1 201 Crea"), ERR_OK);
    nchan_disconnect(stage.nchan);
    nchan_disconnect(stage.nchan);
    assert_false(nchan_connected(stage.nchan));
    assert_false(nchan_wants_write(stage.nchan));
    assert_false(nchan_in_flight(stage.nchan));
    connect_both();
    publish(3);
    assert_int_equal(nchan_write(stage.nchan), ERR_OK);
    n = recv(stage.peer_fd, got, sizeof(got) - 1, MSG_DONTWAIT);
    assert_true(n > 0);
    got[n] = '\0';
    /* Only the new publish, from its beginning. */
    assert_true(strncmp(got, "POST ", 5) == 0);
    assert_null(strstr(got + 1, "POST "));
    assert_int_equal(answer(CREATED), ERR_OK);
    assert_int_equal(stage.delivered_n, 1);
    assert_int_equal(stage.delivered[0], 3);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_stage, strike_stage)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers_are_measured),
        cmocka_unit_test(every_prefix_of_an_answer_waits_for_the_rest),
        cmocka_unit_test(malformed_answers_are_detected),
        cmocka_unit_test(an_answer_without_end_is_given_up),
        cmocka_unit_test(fields_are_found_by_their_names),
        cmocka_unit_test(a_socket_without_a_listener_is_a_failure),
        ON_STAGE(a_publish_is_one_request),
        ON_STAGE(answers_in_one_chunk_give_all_tickets),
        ON_STAGE(answers_byte_by_byte_give_all_tickets),
        ON_STAGE(having_nothing_to_read_is_not_a_failure),
        ON_STAGE(many_in_flight_come_back_in_order),
        ON_STAGE(a_later_ticket_takes_the_place_of_an_earlier),
        ON_STAGE(there_is_room_until_enough_is_in_flight),
        ON_STAGE(bytes_that_the_socket_refuses_are_written_later),
        ON_STAGE(publishes_that_nchan_never_accepts_are_logged_and_count),
        ON_STAGE(any_other_refusal_is_a_failure),
        ON_STAGE(without_redis_the_connection_is_lost_and_no_push_is_refused),
        ON_STAGE(a_closed_connection_is_a_failure),
        ON_STAGE(an_unrequested_answer_is_a_failure),
        ON_STAGE(a_disconnect_forgets_publishes_in_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
