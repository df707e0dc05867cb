/*
 * push_presence.c - checks: each user is reported present or absent as nchan answers, however the
 * answers are split and however many there are. The worker that owns a channel is not believed
 * unless it is the only one. An answer is reused for a second. A kept connection that was closed is
 * replaced. A malformed, late or missing answer is a failure, and the next question starts afresh.
 * Callers share rounds, so neither a burst nor a slow nchan makes others wait.
 *
 * nchan's side is a thread that serves a real unix socket by a script.
 */
#include "support.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "run/slots.h"
#include "push/presence.h"

#define PEERS   64
#define WORKERS 32
/* How many callers may wait for a slow nchan. */
#define WAITERS 24
#define WHOLE   SIZE_MAX
#define CROWD   4500
#define REQUEST "GET /pub HTTP/1.1\r\nHost: imd\r\nX-Channels: "

/* What the server does. */
struct script {
    int workers[WORKERS]; /* who takes the first connection, the second …; 0: as the one before */
    const char *raw;      /* sent for each request, instead of an answer; NULL: an answer */
    size_t cut;           /* so many bytes are sent on a connection, then it is closed; WHOLE: all */
    int cuts;             /* … on so many connections; later ones are served well */
    int noise;            /* alerts that pass for others' sake … */
    int noisy;            /* … before each of so many answers */
    size_t hold;          /* answers are held back until so many requests came */
    size_t padding;       /* bytes that each answer is made longer by, up to 300 */
    bool bytewise;        /* each byte is sent by itself */
    bool silent;          /* nothing is answered */
    bool all_gone;        /* nobody is counted */
    int slow_us;          /* each answer takes so long */
};

/* A connection, seen from the server. */
struct peer {
    int fd;
    int worker;
    struct buf in;  /* not yet a whole request */
    struct buf out; /* not yet sent */
    size_t room;    /* bytes that may still be sent */
};

struct stage {
    char directory[32];
    struct sockaddr_un address;
    int listen_fd;
    int wake_fd;
    pthread_t thread;
    struct presence *presence;
    struct peer peers[PEERS]; /* the server thread's own */
    pthread_mutex_t mutex;    /* guards all that follows */
    pthread_cond_t changed;
    struct script script;
    int connections; /* taken so far */
    int open;        /* of them */
    size_t asked;    /* requests so far … */
    char last[24];   /* … and the name in the last one */
    int alerts;      /* that passed between the workers so far */
    int strange;     /* requests that were not as they should be */
    bool drop;       /* all connections are to be closed */
    bool end;
};

static struct stage stage;

/* From now on. */
static void
play(struct script script)
{
    pthread_mutex_lock(&stage.mutex);
    stage.script = script;
    stage.alerts = 0;
    pthread_mutex_unlock(&stage.mutex);
}

static struct script
script_now(void)
{
    struct script script;

    pthread_mutex_lock(&stage.mutex);
    script = stage.script;
    pthread_mutex_unlock(&stage.mutex);
    return script;
}

static size_t
asked(void)
{
    size_t n;

    pthread_mutex_lock(&stage.mutex);
    n = stage.asked;
    pthread_mutex_unlock(&stage.mutex);
    return n;
}

static int
connections(void)
{
    int n;

    pthread_mutex_lock(&stage.mutex);
    n = stage.connections;
    pthread_mutex_unlock(&stage.mutex);
    return n;
}

/* --- the server */

/*
 * on…: counted by all workers; far…: by all but the channel's own; gone…: by the channel's own
 * alone; off…: by none; others have no channel. The first digit in the name is the worker whose
 * channel it is.
 */
static bool
is_counted(const char *name, int worker)
{
    bool own = name[strcspn(name, "123456789")] - '0' == worker;

    if (strncmp(name, "far", 3) == 0)
        return !own;
    if (strncmp(name, "gone", 4) == 0)
        return own;
    return strncmp(name, "on", 2) == 0;
}

/* Any worker but the channel's own asks that one. */
static int
count_alerts(const char *name, int worker)
{
    int alerts;

    pthread_mutex_lock(&stage.mutex);
    if (name[strcspn(name, "123456789")] - '0' != worker)
        stage.alerts += 2;
    if (stage.script.noisy > 0) {
        stage.script.noisy--;
        stage.alerts += stage.script.noise;
    }
    alerts = stage.alerts;
    pthread_mutex_unlock(&stage.mutex);
    return alerts;
}

static void
write_answer(struct buf *out, int worker, const char *name)
{
    struct script script = script_now();
    int count = !script.all_gone && is_counted(name, worker) ? 1 + (int)strlen(name) % 12 : 0;
    char padding[300];
    char body[200];
    int n = 0;

    memset(padding, 'x', sizeof(padding));
    if (script.raw != NULL) {
        buf_c(out, script.raw);
        return;
    }
    if (strncmp(name, "nobody", 6) != 0)
        n = snprintf(body, sizeof(body),
                     "queued messages: 0\r\nlast requested: 7 sec. ago\r\nactive subscribers: %d\r\n"
                     "last message id: 1795402248:0",
                     count);
    buf_printf(out, "HTTP/1.1 %s\r\nServer: nginx\r\nContent-Length: %d\r\nX-Padding: ",
               n > 0 ? "200 OK" : "404 Not Found", n);
    buf_add(out, padding, script.padding);
    buf_printf(out, "\r\nConnection: keep-alive\r\nX-Worker: %d\r\nX-Alerts: %d\r\n\r\n", worker,
               count_alerts(name, worker));
    buf_add(out, body, (size_t)n);
}

static size_t
answer_bytes(const char *name, int worker)
{
    struct buf answer;
    size_t n;

    buf_init(&answer);
    write_answer(&answer, worker, name);
    n = answer.n;
    buf_clear(&answer);
    return n;
}

static void
drop_peer(struct peer *peer)
{
    close(peer->fd);
    peer->fd = -1;
    buf_clear(&peer->in);
    buf_clear(&peer->out);
    pthread_mutex_lock(&stage.mutex);
    stage.open--;
    pthread_cond_signal(&stage.changed);
    pthread_mutex_unlock(&stage.mutex);
}

/* Cuts whole requests off what has come. */
static void
take_requests(struct peer *peer)
{
    size_t prefix_n = strlen(REQUEST);
    const char *end;

    while ((end = memmem(peer->in.p, peer->in.n, "\r\n\r\n", 4)) != NULL) {
        size_t n = (size_t)(end - peer->in.p);
        size_t name_n = n > prefix_n ? n - prefix_n : 0;
        bool strange = name_n == 0 || name_n > 20 || memcmp(peer->in.p, REQUEST, prefix_n) != 0;
        char name[24] = "";

        if (!strange)
            memcpy(name, peer->in.p + prefix_n, name_n);
        pthread_mutex_lock(&stage.mutex);
        stage.asked++;
        stage.strange += strange;
        memcpy(stage.last, name, sizeof(name));
        pthread_mutex_unlock(&stage.mutex);
        if (script_now().slow_us > 0)
            usleep((useconds_t)script_now().slow_us);
        write_answer(&peer->out, peer->worker, name);
        buf_shift(&peer->in, n + 4);
    }
}

/*
 * Sends what is to be sent, waiting where the socket is full. False: the connection is to be
 * closed.
 */
static bool
send_answers(struct peer *peer)
{
    size_t n = peer->out.n < peer->room ? peer->out.n : peer->room;
    size_t done = 0;
    struct script script = script_now();

    if (script.silent || asked() < script.hold)
        return true;
    while (done < n) {
        ssize_t sent = send(peer->fd, peer->out.p + done, script.bytewise ? 1 : n - done, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        done += (size_t)sent;
    }
    buf_shift(&peer->out, done);
    if (peer->room != WHOLE)
        peer->room -= done;
    return peer->room > 0;
}

static void
serve_peer(struct peer *peer)
{
    char *to = buf_reserve(&peer->in, 4096);
    ssize_t got = to == NULL ? 0 : recv(peer->fd, to, 4096, 0);

    if (got > 0)
        peer->in.n += (size_t)got;
    if (got > 0)
        take_requests(peer);
    if (got <= 0 || !send_answers(peer))
        drop_peer(peer);
}

static void
take_connection(void)
{
    struct script *script = &stage.script;
    struct peer *peer = stage.peers;
    int n;

    while (peer->fd >= 0)
        peer++;
    pthread_mutex_lock(&stage.mutex);
    n = stage.connections < WORKERS ? stage.connections : WORKERS - 1;
    while (n > 0 && script->workers[n] == 0)
        n--;
    *peer =
        (struct peer){.fd = accept(stage.listen_fd, NULL, NULL), .worker = script->workers[n], .room = WHOLE};
    if (script->cuts > 0) {
        script->cuts--;
        peer->room = script->cut;
    }
    stage.connections++;
    stage.open++;
    pthread_mutex_unlock(&stage.mutex);
    /* Nothing may be sent: it is closed unheard. */
    if (peer->room == 0)
        drop_peer(peer);
}

/* Does what the test has ordered. False: the end. */
static bool
obey(void)
{
    eventfd_t ignored;
    bool end;

    eventfd_read(stage.wake_fd, &ignored);
    for (struct peer *peer = stage.peers; peer < stage.peers + PEERS; peer++)
        if (peer->fd >= 0)
            drop_peer(peer);
    pthread_mutex_lock(&stage.mutex);
    stage.drop = false;
    end = stage.end;
    pthread_cond_signal(&stage.changed);
    pthread_mutex_unlock(&stage.mutex);
    return !end;
}

static void *
serve(void *arg)
{
    (void)arg;
    for (;;) {
        struct pollfd pfds[PEERS + 2] = {{.fd = stage.wake_fd, .events = POLLIN},
                                         {.fd = stage.listen_fd, .events = POLLIN}};

        for (int i = 0; i < PEERS; i++)
            pfds[i + 2] = (struct pollfd){.fd = stage.peers[i].fd, .events = POLLIN};
        if (poll(pfds, PEERS + 2, -1) <= 0)
            continue;
        if (pfds[0].revents != 0 && !obey())
            return NULL;
        if (pfds[0].revents != 0)
            continue;
        for (int i = 0; i < PEERS; i++)
            if (pfds[i + 2].revents != 0)
                serve_peer(&stage.peers[i]);
        if (pfds[1].revents != 0)
            take_connection();
    }
}

/* --- the stage */

static int
set_stage(void **state)
{
    (void)state;
    stage = (struct stage){.directory = "/tmp/push_presence.XXXXXX", .address.sun_family = AF_UNIX};
    stage.script = (struct script){.workers = {1, 2}};
    for (int i = 0; i < PEERS; i++)
        stage.peers[i].fd = -1;
    if (mkdtemp(stage.directory) == NULL)
        return -1;
    snprintf(stage.address.sun_path, sizeof(stage.address.sun_path), "%s/s", stage.directory);
    stage.listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    stage.wake_fd = eventfd(0, 0);
    pthread_mutex_init(&stage.mutex, NULL);
    pthread_cond_init(&stage.changed, NULL);
    if (bind(stage.listen_fd, (const struct sockaddr *)&stage.address, sizeof(stage.address)) != 0 ||
        listen(stage.listen_fd, 64) != 0 || pthread_create(&stage.thread, NULL, serve, NULL) != 0)
        return -1;
    return presence_new(&stage.presence, stage.address.sun_path, WAITERS) == ERR_OK ? 0 : -1;
}

/* Closes all connections on nchan's side and waits until that is done. */
static void
drop_all(bool end)
{
    pthread_mutex_lock(&stage.mutex);
    stage.drop = true;
    stage.end = end;
    eventfd_write(stage.wake_fd, 1);
    while (stage.drop)
        pthread_cond_wait(&stage.changed, &stage.mutex);
    pthread_mutex_unlock(&stage.mutex);
}

static int
strike_stage(void **state)
{
    (void)state;
    presence_free(stage.presence);
    drop_all(true);
    pthread_join(stage.thread, NULL);
    pthread_cond_destroy(&stage.changed);
    pthread_mutex_destroy(&stage.mutex);
    close(stage.listen_fd);
    close(stage.wake_fd);
    unlink(stage.address.sun_path);
    return rmdir(stage.directory) == 0 && stage.strange == 0 ? 0 : -1;
}

/* Waits until so many connections are open on nchan's side. */
static void
wait_open(int n)
{
    pthread_mutex_lock(&stage.mutex);
    while (stage.open != n)
        pthread_cond_wait(&stage.changed, &stage.mutex);
    pthread_mutex_unlock(&stage.mutex);
}

/* The answer about one user, which is asked for as the only one. */
static bool
is_online(const char *name)
{
    struct str s = str_c(name);
    bool online[2] = {false, true};

    assert_int_equal(presence_ask(stage.presence, &s, 1, online), ERR_OK);
    assert_true(online[1]);
    return online[0];
}

static enum err
try_one(const char *name)
{
    struct str s = str_c(name);
    bool online = true;

    return presence_ask(stage.presence, &s, 1, &online);
}

/* The same for threads, which must not assert: online is told. */
static bool
is_told_online(const char *name)
{
    struct str s = str_c(name);
    bool online = false;

    return presence_ask(stage.presence, &s, 1, &online) == ERR_OK && online;
}

/* Many users, of whom every third is there. Their channels are those of three workers in turn. */
struct crowd {
    char name[CROWD][21];
    struct str names[CROWD];
    bool online[CROWD];
};

static struct crowd *
crowd_new(const char *suffix)
{
    static const char *const kinds[] = {"on", "off", "nobody", "far", "gone", "nobody"};
    struct crowd *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    for (int i = 0; i < CROWD; i++) {
        snprintf(c->name[i], sizeof(c->name[i]), "%s%d_%d%s", kinds[i % 6], 1 + i / 6 % 3, i, suffix);
        c->names[i] = str_c(c->name[i]);
        c->online[i] = i % 2 == 0;
    }
    return c;
}

/* Asks about some of a crowd; false where an answer is wrong. */
static bool
crowd_is_right(struct crowd *c, size_t first, size_t count)
{
    if (presence_ask(stage.presence, c->names + first, count, c->online + first) != ERR_OK)
        return false;
    for (size_t i = first; i < first + count; i++)
        if (c->online[i] != (i % 3 == 0))
            return false;
    return true;
}

/* --- what is told */

/*
 * To each of two workers, and twice: alerts are counted from the first answer on. Nobody is where
 * no channel is.
 */
static void
a_question_is_a_request(void **state)
{
    (void)state;
    assert_int_equal(connections(), 0);
    assert_false(is_online("nobody"));
    assert_int_equal(connections(), 1);
    assert_int_equal(asked(), 2);
    assert_string_equal(stage.last, "nobody");
    assert_true(is_online("on_and_20_bytes_long"));
    assert_int_equal(connections(), 2);
    assert_int_equal(asked(), 6);
    assert_string_equal(stage.last, "on_and_20_bytes_long");
}

static void
an_empty_list_asks_no_question(void **state)
{
    (void)state;
    assert_int_equal(presence_ask(stage.presence, NULL, 0, NULL), ERR_OK);
    assert_int_equal(connections(), 0);
}

static void
each_answer_is_at_the_index_of_its_user(void **state)
{
    struct crowd *c = crowd_new("");

    (void)state;
    assert_true(crowd_is_right(c, 0, 1000));
    /* Those that have a channel are asked about twice. */
    assert_in_range(asked(), 1666, 1676);
    free(c);
}

static void
answers_byte_by_byte_are_read(void **state)
{
    struct crowd *c = crowd_new("");

    (void)state;
    play((struct script){.workers = {1, 2}, .bytewise = true});
    assert_true(crowd_is_right(c, 0, 30));
    free(c);
}

static void
answers_in_one_chunk_are_read(void **state)
{
    struct crowd *c = crowd_new("");

    (void)state;
    play((struct script){.workers = {1, 2}, .hold = 100});
    assert_true(crowd_is_right(c, 0, 100));
    free(c);
}

/* More requests than a socket holds, for a server that reads nothing while it cannot send. */
static void
thousands_are_asked_about_at_once(void **state)
{
    struct crowd *c = crowd_new("");

    (void)state;
    play((struct script){.workers = {1, 2}, .padding = 300});
    assert_true(crowd_is_right(c, 0, CROWD));
    free(c);
}

/* The server reads a whole round before it answers one question. */
static void
thousands_are_written_before_an_answer_comes(void **state)
{
    struct crowd *c = crowd_new("");

    (void)state;
    play((struct script){.workers = {1, 2}, .hold = 1000});
    assert_true(crowd_is_right(c, 0, CROWD));
    free(c);
}

/* --- workers */

static void
the_worker_of_a_channel_is_not_believed(void **state)
{
    (void)state;
    play((struct script){.workers = {1, 1, 1, 1, 5}});
    assert_true(is_online("far1"));
    assert_int_equal(connections(), 5);
    assert_false(is_online("gone1"));
    assert_true(is_online("far5"));
    assert_false(is_online("gone5"));
    assert_true(is_online("on1"));
    assert_false(is_online("off5"));
    /* The two workers stay connected, the others that were tried do not. */
    assert_int_equal(connections(), 5);
    wait_open(2);
}

static void
alerts_of_other_requests_do_not_falsify_answers(void **state)
{
    struct crowd *c = crowd_new("");

    (void)state;
    play((struct script){.workers = {1, 2}, .noise = 1, .noisy = 10000});
    assert_true(crowd_is_right(c, 0, 600));
    free(c);
}

/* Where there are so many alerts that it cannot be seen which worker has the channel. */
static void
unclear_answers_are_requested_again(void **state)
{
    struct str names[4] = {str_c("far1"), str_c("far2"), str_c("gone1"), str_c("gone2")};
    bool online[4] = {false, false, true, true};

    (void)state;
    play((struct script){.workers = {1, 2}, .noise = 2, .noisy = 16});
    assert_int_equal(presence_ask(stage.presence, names, 4, online), ERR_OK);
    assert_true(online[0]);
    assert_true(online[1]);
    assert_false(online[2]);
    assert_false(online[3]);
}

/* Those that never get clear keep nobody waiting. */
static void
answers_that_stay_unclear_are_given_up(void **state)
{
    (void)state;
    play((struct script){.workers = {1, 2}, .noise = 2, .noisy = 10000});
    assert_int_equal(try_one("far1"), ERR_OK);
    assert_in_range(asked(), 4, 40);
}

static void
the_only_worker_is_believed(void **state)
{
    int tried;

    (void)state;
    play((struct script){.workers = {7}});
    assert_false(is_online("nobody"));
    assert_int_equal(connections(), 1);
    assert_false(is_online("off7"));
    tried = connections();
    assert_in_range(tried, 2, PEERS);
    assert_true(is_online("on7"));
    assert_false(is_online("off7_2"));
    /* It is not looked for others each time. */
    assert_int_equal(connections(), tried);
    wait_open(1);
}

/* The worker that is found has told of one of them by then. */
static void
all_are_asked_of_the_second_worker(void **state)
{
    struct str names[3] = {str_c("far1"), str_c("off1"), str_c("far1_2")};
    bool online[3] = {false, true, false};

    (void)state;
    play((struct script){.workers = {1, 1, 2, 3}});
    assert_int_equal(presence_ask(stage.presence, names, 3, online), ERR_OK);
    assert_true(online[0]);
    assert_false(online[1]);
    assert_true(online[2]);
    assert_int_equal(connections(), 3);
}

/* --- what is kept */

/* Calls again where a slow machine took too long. */
static void
within_a_second(void (*body)(int attempt))
{
    int64_t started_ms;
    int attempt = 0;

    do {
        started_ms = clock_mono_ms();
        body(attempt++);
    } while (clock_mono_ms() - started_ms >= 1000 && attempt < 10);
    assert_true(attempt < 10);
}

static size_t asked_again;

static void
ask_twice(int attempt)
{
    char here[20];
    char away[20];
    char gone[20];
    size_t before = 0;

    snprintf(here, sizeof(here), "on_%d", attempt);
    snprintf(away, sizeof(away), "off_%d", attempt);
    snprintf(gone, sizeof(gone), "nobody_%d", attempt);
    for (int i = 0; i < 3; i++) {
        assert_true(is_online(here));
        assert_false(is_online(away));
        assert_false(is_online(gone));
        if (i == 0)
            before = asked();
    }
    asked_again = asked() - before;
}

static void
within_a_second_nothing_is_asked_twice(void **state)
{
    (void)state;
    within_a_second(ask_twice);
    assert_int_equal(asked_again, 0);
}

static void
after_a_second_it_is_asked_again(void **state)
{
    int64_t started_ms = clock_mono_ms();
    size_t before;

    (void)state;
    assert_true(is_online("on"));
    assert_false(is_online("nobody"));
    play((struct script){.workers = {1, 2}, .all_gone = true});
    before = asked();
    while (is_online("on")) {
        assert_true(clock_mono_ms() - started_ms < 4000);
        poll(NULL, 0, 5);
    }
    assert_true(clock_mono_ms() - started_ms >= 1000);
    /* One who was never there, too. */
    assert_false(is_online("nobody"));
    assert_true(asked() > before + 1);
}

static void
ask_overlapping(int attempt)
{
    struct crowd *c = crowd_new(attempt % 2 == 0 ? "a" : "b");
    size_t before;

    assert_true(crowd_is_right(c, 0, 60));
    before = asked();
    assert_true(crowd_is_right(c, 30, 36));
    asked_again = asked() - before;
    free(c);
}

static void
only_unknown_users_are_requested(void **state)
{
    (void)state;
    within_a_second(ask_overlapping);
    /* Six new ones, four of them twice, and one of each worker for the alerts. */
    assert_int_equal(asked_again, 12);
}

static void
ask_the_latest_again(int attempt)
{
    char suffix[20];
    struct crowd *c;
    size_t before;

    snprintf(suffix, sizeof(suffix), "_%d", attempt);
    c = crowd_new(suffix);
    assert_true(crowd_is_right(c, 0, 500));
    before = asked();
    assert_true(crowd_is_right(c, 0, 500));
    asked_again = asked() - before;
    free(c);
}

/* More users than are remembered: the oldest are forgotten. */
static void
the_latest_are_remembered(void **state)
{
    struct crowd *c = crowd_new("");

    (void)state;
    for (size_t first = 0; first < CROWD; first += 500)
        assert_true(crowd_is_right(c, first, 500));
    within_a_second(ask_the_latest_again);
    assert_true(asked_again < 100);
    free(c);
}

/* --- threads */

struct rally {
    struct crowd *crowd;
    _Atomic int right;
};

static void
ask_for_the_same(void *arg, int n)
{
    struct rally *r = arg;
    struct str names[50];
    bool online[50];
    bool right;

    (void)n;
    memcpy(names, r->crowd->names, sizeof(names));
    right = presence_ask(stage.presence, names, 50, online) == ERR_OK;
    for (int i = 0; i < 50; i++)
        right = right && online[i] == (i % 3 == 0);
    r->right += right;
}

static void
ask_at_once(int attempt)
{
    char suffix[20];
    struct rally r;
    size_t before = asked();

    snprintf(suffix, sizeof(suffix), "_%d", attempt);
    r = (struct rally){.crowd = crowd_new(suffix)};
    support_threads(16, ask_for_the_same, &r);
    assert_int_equal(r.right, 16);
    asked_again = asked() - before;
    free(r.crowd);
}

static void
the_same_questions_at_once_make_one_round(void **state)
{
    (void)state;
    within_a_second(ask_at_once);
    assert_in_range(asked_again, 50, 99);
}

static void
ask_for_some(void *arg, int n)
{
    struct rally *r = arg;
    bool right = true;

    for (size_t i = 0; i < 40; i++) {
        struct str names[64];
        bool online[64];
        size_t first = (i * 37 + (size_t)n * 11) % 400;

        memcpy(names, r->crowd->names + first, sizeof(names));
        right = right && presence_ask(stage.presence, names, 64, online) == ERR_OK;
        for (size_t k = 0; k < 64; k++)
            right = right && online[k] == ((first + k) % 3 == 0);
    }
    r->right += right;
}

static void
threads_do_not_affect_each_other(void **state)
{
    struct rally r = {.crowd = crowd_new("")};

    (void)state;
    support_threads(8, ask_for_some, &r);
    assert_int_equal(r.right, 8);
    free(r.crowd);
}

/* --- many callers */

#define BIG_CALLERS 20
#define BIG_NAMES   1000
#define BURSTS      10

struct burst {
    size_t asked_before;   /* questions before the burst */
    size_t asked_by_small; /* questions between the small caller's call and its answer */
    enum err small_err;
};

static void
ask_for_a_thousand(int n)
{
    struct big {
        char name[21];
    } *texts = calloc(BIG_NAMES, sizeof(*texts));
    struct str *names = calloc(BIG_NAMES, sizeof(*names));
    bool *online = calloc(BIG_NAMES, sizeof(*online));

    for (int i = 0; i < BIG_NAMES; i++) {
        snprintf(texts[i].name, sizeof(texts[i].name), "on%d_%d", n, i);
        names[i] = str_c(texts[i].name);
    }
    /* It may give up: its own questions are more than nchan can answer in time. */
    presence_ask(stage.presence, names, BIG_NAMES, online);
    free(online);
    free(names);
    free(texts);
}

/* Both lines are asked about all names of a round, and one question more each. */
static bool
answered_by_the_next_round(const struct burst *b)
{
    return b->small_err == ERR_OK && b->asked_by_small >= 2 && b->asked_by_small <= 2 * 2 * (BIG_NAMES + 1);
}

static void
ask_big_or_small(void *arg, int n)
{
    struct burst *b = arg;
    size_t before;

    if (n < BIG_CALLERS) {
        ask_for_a_thousand(n);
        return;
    }
    while (asked() - b->asked_before < 100)
        poll(NULL, 0, 1);
    /* Again, where a busy machine came in between: the burst lasts for more rounds than that. */
    for (int i = 0; i < 3 && !answered_by_the_next_round(b); i++) {
        before = asked();
        b->small_err = try_one("on_small");
        b->asked_by_small = asked() - before;
    }
}

static void
a_small_caller_is_answered_by_the_round_after_the_running_one(void **state)
{
    struct burst b = {0};

    (void)state;
    /* Another burst, where the machine was too busy for a thousand questions in a second. */
    for (int i = 0; i < BURSTS && !answered_by_the_next_round(&b); i++) {
        b.asked_before = asked();
        play((struct script){.workers = {1, 2}, .slow_us = 10});
        support_threads(BIG_CALLERS + 1, ask_big_or_small, &b);
    }
    assert_true(answered_by_the_next_round(&b));
}

static void
ask_and_take_the_time(void *arg, int n)
{
    _Atomic int *prompt = arg;
    int64_t started_ms = clock_mono_ms();
    char name[20];

    snprintf(name, sizeof(name), "on_%d", n);
    try_one(name);
    *prompt += clock_mono_ms() - started_ms < PRESENCE_ROUND_MS * 2 / 3;
}

/* All but as many as may wait leave early, so that threads are left for requests of other kinds. */
static void
a_slow_nchan_holds_only_so_many_threads(void **state)
{
    _Atomic int prompt = 0;
    int callers = WAITERS + 30;

    (void)state;
    play((struct script){.workers = {1, 2}, .silent = true});
    support_threads(callers, ask_and_take_the_time, &prompt);
    assert_in_range(prompt, callers - WAITERS, callers - 1);
}

static void
ask_what_is_known(void *arg, int n)
{
    _Atomic int *known = arg;

    /* The first callers keep a round waiting. */
    if (n == 0)
        try_one("on_unknown");
    else
        *known += is_told_online("on_known");
}

/* Older than a second: the last answer is still better than none. */
static void
while_nchan_is_silent_its_last_answer_counts(void **state)
{
    int64_t started_ms;
    _Atomic int known = 0;

    (void)state;
    assert_true(is_online("on_known"));
    poll(NULL, 0, 1100);
    play((struct script){.workers = {1, 2}, .silent = true});
    started_ms = clock_mono_ms();
    support_threads(9, ask_what_is_known, &known);
    assert_int_equal(known, 8);
    assert_in_range(clock_mono_ms() - started_ms, 0, 2 * PRESENCE_ROUND_MS);
    assert_int_equal(try_one("on_never_asked"), ERR_IO);
}

static void
ask_fresh_ones(void *arg, int n)
{
    int64_t *took_ms = arg;
    int64_t started_ms;

    if (n == 0) {
        try_one("on_unknown");
        return;
    }
    while (asked() < 6)
        poll(NULL, 0, 1);
    started_ms = clock_mono_ms();
    if (is_told_online("on_known"))
        *took_ms = clock_mono_ms() - started_ms;
}

static void
fresh_answers_do_not_wait_for_a_running_round(void **state)
{
    int64_t took_ms = INT64_MAX;

    (void)state;
    assert_true(is_online("on_known"));
    play((struct script){.workers = {1, 2}, .silent = true});
    support_threads(2, ask_fresh_ones, &took_ms);
    assert_in_range(took_ms, 0, PRESENCE_ROUND_MS / 2);
}

static int
free_slots(struct slots *slots)
{
    int n = -1;

    sem_getvalue(&slots->free, &n);
    return n;
}

static void
a_caller_that_waits_for_nchan_frees_its_slot(void **state)
{
    struct slots slots;

    (void)state;
    slots_init(&slots, 1);
    slots_acquire(&slots);
    assert_true(is_online("on"));
    assert_int_equal(free_slots(&slots), 1);
    slots_clear(&slots);
}

/* --- what goes wrong */

static void
a_socket_without_a_listener_is_a_failure(void **state)
{
    static const char *const paths[] = {
        "/nowhere/push.sock",
        "/a/path/that/is/too/long/for/the/address/of/a/unix/socket/which/has/room/for/one/hundred/and/seven"
        "/bytes/and/no/more",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct presence *p;
        struct str name = str_c("on");
        bool online;

        assert_int_equal(presence_new(&p, paths[i], WAITERS), ERR_OK);
        assert_int_equal(presence_ask(p, &name, 1, &online), ERR_IO);
        assert_int_equal(presence_ask(p, &name, 1, &online), ERR_IO);
        presence_free(p);
    }
    presence_free(NULL);
}

/* As when nginx was restarted: both workers are others now. */
static void
kept_connections_that_were_closed_are_replaced(void **state)
{
    (void)state;
    play((struct script){.workers = {1, 2, 1, 1, 3}});
    assert_true(is_online("far1"));
    assert_int_equal(connections(), 2);
    drop_all(false);
    assert_false(is_online("nobody"));
    assert_int_equal(connections(), 3);
    assert_true(is_online("far1_2"));
    assert_false(is_online("off1"));
    assert_int_equal(connections(), 5);
    wait_open(2);
}

/* A first line that is replaced may lead to the worker that the second one has. */
static void
two_lines_to_one_worker_count_as_one_answer(void **state)
{
    (void)state;
    play((struct script){.workers = {2, 1, 1, 3}, .cut = 2 * answer_bytes("off2", 2), .cuts = 1});
    assert_false(is_online("off2"));
    assert_int_equal(connections(), 2);
    assert_true(is_online("far1"));
    assert_int_equal(connections(), 4);
    wait_open(2);
}

static void
an_answer_cut_off_is_a_failure(void **state)
{
    size_t n = 2 * answer_bytes("on", 1);

    (void)state;
    for (size_t cut = 0; cut < n; cut++) {
        play((struct script){.workers = {1}, .cut = cut, .cuts = 1});
        assert_int_equal(try_one("on"), ERR_IO);
        assert_int_equal(connections(), cut + 1);
    }
    assert_true(is_online("on"));
}

static void
a_kept_connection_cut_off_is_replaced(void **state)
{
    struct crowd *c = crowd_new("");

    (void)state;
    play((struct script){.workers = {1, 2, 3}, .cut = 3000, .cuts = 1});
    assert_true(is_online("on"));
    assert_true(crowd_is_right(c, 0, 600));
    assert_int_equal(connections(), 3);
    free(c);
}

#define NUMBERS "X-Worker: 1\r\nX-Alerts: 4\r\nContent-Length: "
#define HEAD    "HTTP/1.1 200 OK\r\n" NUMBERS
#define NONE    "HTTP/1.1 404 Not Found\r\n" NUMBERS "0\r\n\r\n"

static void
a_malformed_answer_is_a_failure(void **state)
{
    static const char *const cases[] = {
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 500 Internal Server Error\r\n" NUMBERS "0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\n" NUMBERS "0\r\n\r\n",
        "HTTP/1.1 201 Created\r\n" NUMBERS "23\r\n\r\nactive subscribers: 1\r\n",
        "HTTP/1.1 404 Not Found\r\nX-Alerts: 4\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nX-Worker: 0\r\nX-Alerts: 4\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nX-Worker: -1\r\nX-Alerts: 4\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nX-Worker: one\r\nX-Alerts: 4\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nX-Worker: 1\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nX-Worker: 1\r\nX-Alerts:\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nX-Worker: 1\r\nX-Alerts: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        NONE NONE,
        HEAD "0\r\n\r\n",
        HEAD "23\r\n\r\nActive_subscribers: 1\r\n",
        HEAD "22\r\n\r\nactive subscribers: \r\n",
        HEAD "24\r\n\r\nactive subscribers: -1\r\n",
        HEAD "25\r\n\r\nactive subscribers: 1 2\r\n",
        HEAD "23\r\n\r\nactive subscribers: x\r\n",
        HEAD "21\r\n\r\nactive subscribers: 1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        play((struct script){.workers = {1}, .raw = cases[i]});
        if (try_one("on") != ERR_IO)
            fail_msg("understood: %s", cases[i]);
        wait_open(0);
    }
    /* Nothing of it is remembered. */
    play((struct script){.workers = {1}});
    assert_true(is_online("on"));
}

/*
 * Sent for one request, and then the connection is closed: what fails is the answers, not the
 * connection.
 */
static void
answers_that_do_not_go_together_are_a_failure(void **state)
{
    static const char *const cases[] = {
        NONE NONE "HTTP/1.1 4",
        /* As if the connection led to another worker at once. */
        NONE "HTTP/1.1 404 Not Found\r\nX-Worker: 2\r\nX-Alerts: 4\r\nContent-Length: 0\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        play((struct script){.workers = {1}, .raw = cases[i], .cut = strlen(cases[i]), .cuts = 1});
        assert_int_equal(try_one("a"), ERR_IO);
    }
    play((struct script){.workers = {1}, .raw = NONE NONE, .cut = strlen(NONE NONE), .cuts = 1});
    assert_int_equal(try_one("a"), ERR_OK);
}

#define REDIS "HTTP/1.1 200 OK\r\nX-Redis: on\r\n" NUMBERS

/* Redis counts for all hosts, and any worker's answer is Redis's. It may count below 0. */
static void
with_redis_the_first_answer_counts(void **state)
{
    static const struct {
        const char *answer;
        bool online;
    } cases[] = {
        {REDIS "23\r\n\r\nactive subscribers: 2\r\n", true},
        {REDIS "23\r\n\r\nactive subscribers: 0\r\n", false},
        {REDIS "42\r\n\r\nactive subscribers: 18446744073709551615\r\n", false},
        {"HTTP/1.1 404 Not Found\r\nX-Redis: on\r\n" NUMBERS "0\r\n\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char name[] = {(char)('a' + i), '\0'};

        play((struct script){.workers = {1, 2}, .raw = cases[i].answer});
        assert_int_equal(is_online(name), cases[i].online);
        assert_int_equal(connections(), 1);
    }
}

/* However large: whether it is above 0 is all that counts. */
static void
a_count_may_be_any_number(void **state)
{
    (void)state;
    play((struct script){.workers = {1},
                         .raw = HEAD "42\r\n\r\nactive subscribers: 18446744073709551616\r\n"});
    assert_true(is_online("a"));
    play((struct script){.workers = {1}, .raw = HEAD "24\r\n\r\nActive Subscribers: 10\r\n"});
    assert_true(is_online("b"));
}

static void
ask_in_vain(void *arg, int n)
{
    _Atomic int *failed = arg;
    char name[20];

    snprintf(name, sizeof(name), "on_%d", n);
    *failed += try_one(name) == ERR_IO;
}

/* Callers that wait while a round fails wait no longer than that round. */
static void
nchan_has_a_second_for_all_waiting_callers(void **state)
{
    int64_t started_ms = clock_mono_ms();
    int64_t took_ms;
    _Atomic int failed = 0;

    (void)state;
    play((struct script){.workers = {1, 2}, .silent = true});
    support_threads(8, ask_in_vain, &failed);
    took_ms = clock_mono_ms() - started_ms;
    assert_int_equal(failed, 8);
    assert_in_range(took_ms, PRESENCE_ROUND_MS, PRESENCE_ROUND_MS + 800);
    wait_open(0);
    play((struct script){.workers = {1, 2}});
    assert_true(is_online("on_1"));
}

/* Slow bytes do not prolong it. */
static void
half_an_answer_is_too_late_as_well(void **state)
{
    int64_t started_ms = clock_mono_ms();

    (void)state;
    play((struct script){.workers = {1}, .raw = "HTTP/1.1 200 OK\r\n"});
    assert_int_equal(try_one("on"), ERR_IO);
    assert_in_range(clock_mono_ms() - started_ms, PRESENCE_ROUND_MS, 8000);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_stage, strike_stage)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_question_is_a_request),
        ON_STAGE(an_empty_list_asks_no_question),
        ON_STAGE(each_answer_is_at_the_index_of_its_user),
        ON_STAGE(answers_byte_by_byte_are_read),
        ON_STAGE(answers_in_one_chunk_are_read),
        ON_STAGE(thousands_are_asked_about_at_once),
        ON_STAGE(thousands_are_written_before_an_answer_comes),
        ON_STAGE(the_worker_of_a_channel_is_not_believed),
        ON_STAGE(alerts_of_other_requests_do_not_falsify_answers),
        ON_STAGE(unclear_answers_are_requested_again),
        ON_STAGE(answers_that_stay_unclear_are_given_up),
        ON_STAGE(the_only_worker_is_believed),
        ON_STAGE(all_are_asked_of_the_second_worker),
        ON_STAGE(within_a_second_nothing_is_asked_twice),
        ON_STAGE(after_a_second_it_is_asked_again),
        ON_STAGE(only_unknown_users_are_requested),
        ON_STAGE(the_latest_are_remembered),
        ON_STAGE(the_same_questions_at_once_make_one_round),
        ON_STAGE(threads_do_not_affect_each_other),
        ON_STAGE(a_small_caller_is_answered_by_the_round_after_the_running_one),
        ON_STAGE(a_slow_nchan_holds_only_so_many_threads),
        ON_STAGE(while_nchan_is_silent_its_last_answer_counts),
        ON_STAGE(fresh_answers_do_not_wait_for_a_running_round),
        ON_STAGE(a_caller_that_waits_for_nchan_frees_its_slot),
        cmocka_unit_test(a_socket_without_a_listener_is_a_failure),
        ON_STAGE(kept_connections_that_were_closed_are_replaced),
        ON_STAGE(two_lines_to_one_worker_count_as_one_answer),
        ON_STAGE(an_answer_cut_off_is_a_failure),
        ON_STAGE(a_kept_connection_cut_off_is_replaced),
        ON_STAGE(a_malformed_answer_is_a_failure),
        ON_STAGE(answers_that_do_not_go_together_are_a_failure),
        ON_STAGE(with_redis_the_first_answer_counts),
        ON_STAGE(a_count_may_be_any_number),
        ON_STAGE(nchan_has_a_second_for_all_waiting_callers),
        ON_STAGE(half_an_answer_is_too_late_as_well),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
