/*
 * presence.c - see presence.h. Must not know what conversations are.
 *
 * nginx with several workers: nchan gives each channel to one of them. Any other asks that one, by two alerts
 * between workers, and answers rightly. That one itself answers what it knows: nothing of the sockets of
 * others, nor, for some seconds, that they have closed. So each user is asked of two workers. Where they
 * agree, it is so. Where not, the one that needed no alerts is the channel's own, and the other is right.
 * Each answer bears the number of its worker and of all alerts so far (imd-push.conf). Which worker takes a
 * new connection is not for us to say, and whether there is a second one can only be found by trying.
 */
#include "push/presence.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/model.h"
#include "base/slots.h"
#include "push/nchan.h"

#define FRESH_MS    1000
#define DEADLINE_MS 2000
/* 4,096 users: 128 kB. */
#define SETS       1024
#define WAYS       4
#define READ_BYTES 16384
/* What passes between workers for one answer: the question to the channel's own, and back. */
#define ALERTS 2
/* For those of whom it is not seen who is right. */
#define ROUNDS 4
/* An idle worker takes up to 16 new connections in a row before nginx lets the next one have its turn. */
#define TRIES 20
/* So long one worker passes for the only one. A reload makes others, but then that one is gone as well. */
#define ALONE_MS 10000

/* What nchan told of one user. */
struct told {
    int64_t asked_ms; /* clock_mono_ms, before the question went out */
    char name[USERNAME_BYTES_MAX];
    unsigned char name_bytes; /* 0: nothing is here */
    bool online;
};

/* A connection to one worker of nginx. */
struct line {
    int fd;         /* -1: not connected */
    int64_t worker; /* its number; 0: it has not answered yet */
    int64_t alerts; /* between all workers, until its last answer to this question; -1: before the first */
    struct buf out; /* requests not yet written … */
    size_t written; /* … of which so many bytes are */
    struct buf in;  /* answers not yet complete */
};

struct presence {
    const char *path;
    pthread_mutex_t told_mutex;
    struct told *told; /* SETS × WAYS; NULL until the first question. Guarded by told_mutex */

    pthread_mutex_t round_mutex; /* guards what follows; is held while waiting for nchan */
    struct line first;
    struct line second;     /* to another worker than the first */
    int64_t alone;          /* the worker that seems to be the only one … */
    int64_t alone_until_ms; /* … until it is looked again (clock_mono_ms) */
};

/* What is asked about one user. */
struct question {
    size_t place;      /* in names[] and online[] */
    bool first_counts; /* the first worker counts the user … */
    bool first_owns;   /* … and has the channel, as is certain */
    bool decided;
};

/* One call of presence_ask(). */
struct round {
    const struct str *names;
    bool *online;
    struct question *asked; /* what is not known without asking … */
    size_t count;           /* … and how many that are … */
    size_t decided;         /* … of which so many, the first, are decided */
    size_t answered;        /* of those that a line is asked now, from the first that is not decided on */
    int64_t asked_ms;
    int64_t deadline_ms;
    const char *trouble; /* for the log */
};

enum err
presence_new(struct presence **out, const char *path)
{
    struct presence *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return ERR_MEMORY;
    p->path = path;
    p->first.fd = -1;
    p->second.fd = -1;
    if (pthread_mutex_init(&p->told_mutex, NULL) != 0)
        goto no_told_mutex;
    if (pthread_mutex_init(&p->round_mutex, NULL) != 0)
        goto no_round_mutex;
    *out = p;
    return ERR_OK;

no_round_mutex:
    pthread_mutex_destroy(&p->told_mutex);
no_told_mutex:
    free(p);
    return ERR_MEMORY;
}

static void
hang_up(struct line *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->worker = 0;
    l->written = 0;
    buf_reset(&l->out);
    buf_reset(&l->in);
}

void
presence_free(struct presence *p)
{
    if (p == NULL)
        return;
    hang_up(&p->first);
    hang_up(&p->second);
    buf_clear(&p->first.out);
    buf_clear(&p->first.in);
    buf_clear(&p->second.out);
    buf_clear(&p->second.in);
    pthread_mutex_destroy(&p->round_mutex);
    pthread_mutex_destroy(&p->told_mutex);
    free(p->told);
    free(p);
}

/* --- what was told */

static bool
is_about(const struct told *t, struct str name)
{
    return str_eq((struct str){t->name, t->name_bytes}, name);
}

/* The place of what was told of this name; where that is nowhere, the one to be given up for it. FNV-1a. */
static struct told *
place_of(const struct presence *p, struct str name)
{
    uint32_t hash = 2166136261;
    struct told *set;
    struct told *oldest;

    for (size_t i = 0; i < name.n; i++)
        hash = (hash ^ (unsigned char)name.p[i]) * 16777619;
    set = p->told + (size_t)(hash % SETS) * WAYS;
    oldest = set;
    for (struct told *t = set; t < set + WAYS; t++) {
        if (is_about(t, name))
            return t;
        if (t->asked_ms < oldest->asked_ms)
            oldest = t;
    }
    return oldest;
}

/* Leaves those to be asked of which nothing fresh is known. */
static enum err
look_up(struct presence *p, struct round *r)
{
    int64_t now_ms = clock_mono_ms();
    size_t left = 0;
    bool ready;

    pthread_mutex_lock(&p->told_mutex);
    if (p->told == NULL)
        p->told = calloc((size_t)SETS * WAYS, sizeof(*p->told));
    ready = p->told != NULL;
    for (size_t k = 0; ready && k < r->count; k++) {
        size_t i = r->asked[k].place;
        const struct told *t = place_of(p, r->names[i]);

        if (is_about(t, r->names[i]) && now_ms - t->asked_ms < FRESH_MS)
            r->online[i] = t->online;
        else
            r->asked[left++].place = i;
    }
    r->count = left;
    pthread_mutex_unlock(&p->told_mutex);
    return ready ? ERR_OK : ERR_MEMORY;
}

/* Keeps what this round has brought. */
static void
remember(struct presence *p, const struct round *r)
{
    pthread_mutex_lock(&p->told_mutex);
    for (size_t k = 0; k < r->count; k++) {
        size_t i = r->asked[k].place;
        struct str name = r->names[i];
        struct told *t = place_of(p, name);

        *t = (struct told){
            .asked_ms = r->asked_ms, .name_bytes = (unsigned char)name.n, .online = r->online[i]};
        memcpy(t->name, name.p, name.n);
    }
    pthread_mutex_unlock(&p->told_mutex);
}

/* --- one line; under round_mutex */

static enum err
fail(struct round *r, const char *trouble)
{
    r->trouble = trouble;
    return ERR_IO;
}

/* A count of subscribers: what matters is whether it is above 0. */
static bool
parse_count(struct str digits, bool *positive)
{
    *positive = false;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return false;
        *positive = *positive || digits.p[i] != '0';
    }
    return digits.n > 0;
}

/* Who answers, on one line always the same, and how many alerts there were so far. */
static bool
check_worker(struct line *l, const struct nchan_answer *answer)
{
    int64_t worker;

    if (!str_to_int(nchan_field(answer->head, "X-Worker"), &worker) || worker == 0)
        return false;
    if (l->worker == 0)
        l->worker = worker;
    return l->worker == worker && str_to_int(nchan_field(answer->head, "X-Alerts"), &l->alerts);
}

/* What the next answer means; the first on a line is only there to count alerts from. */
static enum err
take_answer(const struct presence *p, struct line *l, struct round *r, const struct nchan_answer *answer)
{
    struct question *q = &r->asked[r->decided + r->answered];
    int64_t before = l->alerts;
    bool none = answer->status == 404;
    bool counted = false;
    bool owned;

    if (answer->status != 200 && !none)
        return fail(r, "status");
    if (!check_worker(l, answer))
        return fail(r, "worker");
    if (!none && !parse_count(nchan_field(answer->body, "active subscribers"), &counted))
        return fail(r, "count");
    if (before < 0)
        return ERR_OK;
    owned = l->alerts - before < ALERTS;
    if (l->worker == p->first.worker) {
        q->first_owns = owned;
        q->first_counts = counted;
        q->decided = none;
    } else
        q->decided = owned || q->first_owns || counted == q->first_counts;
    r->online[q->place] = owned ? q->first_counts : counted;
    r->answered++;
    return ERR_OK;
}

/* Takes the complete ones of what has come, of `count` awaited. */
static enum err
take_answers(const struct presence *p, struct line *l, struct round *r, size_t count)
{
    size_t taken = 0;
    enum err err = ERR_OK;

    while (err == ERR_OK && taken < l->in.n) {
        struct nchan_answer answer;
        long bytes = nchan_parse_answer((struct str){l->in.p + taken, l->in.n - taken}, &answer);

        if (bytes == 0)
            break;
        if (bytes < 0 || r->answered == count)
            return fail(r, "answer");
        err = take_answer(p, l, r, &answer);
        taken += (size_t)bytes;
    }
    buf_shift(&l->in, taken);
    return err;
}

/* Writes what the socket takes. */
static enum err
write_some(struct line *l, struct round *r)
{
    while (l->written < l->out.n) {
        ssize_t sent = send(l->fd, l->out.p + l->written, l->out.n - l->written, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? ERR_OK : fail(r, "closed");
        l->written += (size_t)sent;
    }
    return ERR_OK;
}

/* Reads once what the socket has. */
static enum err
read_some(struct line *l, struct round *r)
{
    char *to = buf_reserve(&l->in, READ_BYTES);
    ssize_t got;

    if (to == NULL)
        return ERR_MEMORY;
    got = recv(l->fd, to, READ_BYTES, 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return ERR_OK;
    if (got <= 0)
        return fail(r, "closed");
    l->in.n += (size_t)got;
    return ERR_OK;
}

/* Waits until there is something to read, or to write where that is left to do. */
static enum err
wait_for(const struct line *l, struct round *r)
{
    struct pollfd pfd = {.fd = l->fd, .events = POLLIN};
    int64_t left_ms = r->deadline_ms - clock_mono_ms();

    if (l->written < l->out.n)
        pfd.events |= POLLOUT;
    if (left_ms <= 0)
        return fail(r, "deadline");
    if (poll(&pfd, 1, (int)left_ms) < 0 && errno != EINTR)
        return fail(r, "poll");
    return ERR_OK;
}

static void
add_question(struct line *l, const struct round *r, size_t k)
{
    buf_c(&l->out, "GET /pub HTTP/1.1\r\nHost: imd\r\nX-Channels: ");
    buf_str(&l->out, r->names[r->asked[k].place]);
    buf_c(&l->out, "\r\n\r\n");
}

/* Connects where that is to be done, and makes the first `count` questions that are not decided. */
static enum err
prepare(const struct presence *p, struct line *l, struct round *r, size_t count)
{
    if (l->fd < 0)
        l->fd = nchan_open_socket(p->path);
    if (l->fd < 0)
        return fail(r, "connect");
    l->alerts = -1;
    add_question(l, r, r->decided);
    for (size_t k = r->decided; k < r->decided + count; k++)
        add_question(l, r, k);
    return buf_ok(&l->out) ? ERR_OK : ERR_MEMORY;
}

/* Moves those of the first `count` undecided questions that are decided now to the others that are. */
static void
sort_out(struct round *r, size_t count)
{
    size_t end = r->decided + count;

    for (size_t k = r->decided; k < end; k++)
        if (r->asked[k].decided) {
            struct question q = r->asked[k];

            r->asked[k] = r->asked[r->decided];
            r->asked[r->decided++] = q;
        }
}

/* Asks the first `count` questions that are not decided. After a failure it is as if they were not asked. */
static enum err
ask(struct presence *p, struct line *l, struct round *r, size_t count)
{
    enum err err = prepare(p, l, r, count);

    r->answered = 0;
    while (err == ERR_OK && r->answered < count) {
        err = write_some(l, r);
        if (err == ERR_OK)
            err = wait_for(l, r);
        if (err == ERR_OK)
            err = read_some(l, r);
        if (err == ERR_OK)
            err = take_answers(p, l, r, count);
    }
    if (err == ERR_OK && l->in.n > 0)
        err = fail(r, "answer");
    if (err != ERR_OK) {
        hang_up(l);
        return err;
    }
    l->written = 0;
    buf_reset(&l->out);
    sort_out(r, count);
    return ERR_OK;
}

/* --- one round; under round_mutex */

static size_t
undecided(const struct round *r)
{
    return r->count - r->decided;
}

/* nginx may have closed the kept line since the last round, as it does when it is stopped or reloaded. */
static enum err
ask_first(struct presence *p, struct round *r)
{
    bool kept = p->first.fd >= 0;
    enum err err = ask(p, &p->first, r, undecided(r));

    if (err == ERR_IO && kept)
        err = ask(p, &p->first, r, undecided(r));
    return err;
}

static bool
has_second(const struct presence *p)
{
    return p->second.worker != 0 && p->second.worker != p->first.worker;
}

/* Looks for another worker than the first line's, by asking each that answers one question. */
static enum err
find_second(struct presence *p, struct round *r)
{
    enum err err = ERR_OK;

    if (p->alone == p->first.worker && clock_mono_ms() < p->alone_until_ms)
        return ERR_OK;
    for (int i = 0; err == ERR_OK && i < TRIES && undecided(r) > 0 && !has_second(p); i++) {
        hang_up(&p->second);
        err = ask(p, &p->second, r, 1);
    }
    if (err != ERR_OK || has_second(p))
        return err;
    hang_up(&p->second);
    if (undecided(r) > 0) {
        p->alone = p->first.worker;
        p->alone_until_ms = clock_mono_ms() + ALONE_MS;
    }
    return ERR_OK;
}

/* Where there is no second worker, the first knows all. */
static enum err
ask_second(struct presence *p, struct round *r)
{
    enum err err;

    if (has_second(p)) {
        err = ask(p, &p->second, r, undecided(r));
        if (err != ERR_IO)
            return err;
    }
    err = find_second(p, r);
    if (err == ERR_OK && has_second(p) && undecided(r) > 0)
        err = ask(p, &p->second, r, undecided(r));
    return err;
}

/* While nchan is very busy others' alerts are everywhere, and it takes some luck to see whose a channel is.
 */
static enum err
ask_both(struct presence *p, struct round *r)
{
    enum err err;
    int rounds = 0;

    do {
        err = ask_first(p, r);
        if (err == ERR_OK && undecided(r) > 0)
            err = ask_second(p, r);
    } while (err == ERR_OK && undecided(r) > 0 && has_second(p) && ++rounds < ROUNDS);
    return err;
}

/* Others may have asked the same while this thread waited for its turn, or taken too long. */
static enum err
take_turn(struct presence *p, struct round *r)
{
    enum err err;

    pthread_mutex_lock(&p->round_mutex);
    err = look_up(p, r);
    r->asked_ms = clock_mono_ms();
    if (err == ERR_OK && r->count > 0)
        err = r->asked_ms < r->deadline_ms ? ask_both(p, r) : fail(r, "deadline");
    if (err == ERR_OK)
        remember(p, r);
    pthread_mutex_unlock(&p->round_mutex);
    if (err == ERR_IO)
        log_event(LOG_WARNING, "presence_failed", "reason=%s", r->trouble);
    return err;
}

enum err
presence_ask(struct presence *p, const struct str *names, size_t count, bool *online)
{
    struct round r = {.names = names, .online = online, .deadline_ms = clock_mono_ms() + DEADLINE_MS};
    enum err err;

    if (count == 0)
        return ERR_OK;
    r.asked = calloc(count, sizeof(*r.asked));
    if (r.asked == NULL)
        return ERR_MEMORY;
    for (; r.count < count; r.count++)
        r.asked[r.count].place = r.count;
    err = look_up(p, &r);
    if (err == ERR_OK && r.count > 0) {
        slots_release();
        err = take_turn(p, &r);
    }
    free(r.asked);
    return err;
}
