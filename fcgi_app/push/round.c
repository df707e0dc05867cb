/* round.c - see round.h. Must not know what conversations are, nor what the answers are for. */
#include "push/round.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "push/pipe.h"

/* Alerts between workers for one answer: the question to the channel's owner, and the reply. */
#define ALERTS 2
/* Attempts to ask both workers, while it is not clear which of them owns a user's channel. */
#define ATTEMPTS 4
/*
 * New connections tried until one reaches a second worker. An idle worker accepts up to 16 in a row
 * before another gets its turn.
 */
#define TRIES 20
/*
 * How long one worker is taken for the only one. A reload starts others, but it also ends that one.
 */
#define ALONE_MS 10000

/* A connection to one worker of nginx. */
struct line {
    struct pipe pipe;
    int64_t worker; /* the worker's process id; 0: it has not answered yet */
    int64_t alerts; /* the worker's counter of alerts, at its last answer to this question; -1: none yet */
};

struct round {
    struct line first;
    struct line second;     /* to another worker than the first */
    int64_t alone;          /* the worker that seems to be the only one */
    int64_t alone_until_ms; /* when to look for another one again (clock_mono_ms) */

    /* The current round. */
    struct round_question *asked;
    size_t count;
    size_t decided;  /* the first `decided` of asked[] are decided */
    size_t answered; /* answers so far from the current line, about asked[decided] and later */
    int64_t deadline_ms;
    bool through_redis;  /* an answer said so */
    const char *trouble; /* for the log */
};

enum err
round_new(struct round **out, const char *path)
{
    struct round *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return ERR_MEMORY;
    pipe_init(&r->first.pipe, path);
    pipe_init(&r->second.pipe, path);
    *out = r;
    return ERR_OK;
}

static void
hang_up(struct line *l)
{
    pipe_close(&l->pipe);
    l->worker = 0;
}

void
round_free(struct round *r)
{
    if (r == NULL)
        return;
    pipe_clear(&r->first.pipe);
    pipe_clear(&r->second.pipe);
    free(r);
}

/* --- one line */

static enum err
fail(struct round *r, const char *trouble)
{
    r->trouble = trouble;
    return ERR_IO;
}

/* Reads a count of subscribers; only whether it is positive matters. */
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

/* Reads the worker's number, which must stay the same on one line, and its counter of alerts. */
static bool
check_worker(struct line *l, const struct pipe_answer *answer)
{
    int64_t worker;

    if (!str_to_int(pipe_field(answer->head, "X-Worker"), &worker) || worker == 0)
        return false;
    if (l->worker == 0)
        l->worker = worker;
    return l->worker == worker && str_to_int(pipe_field(answer->head, "X-Alerts"), &l->alerts);
}

/*
 * Evaluates an answer that is Redis's, the same from every worker. Redis counts the sockets of all
 * hosts, but loses counts at a restart. So a count may fall below 0, which nchan prints as a number
 * beyond 2^63.
 */
static void
take_shared_count(struct round *r, struct round_question *q, struct str count)
{
    int64_t number;

    q->online = str_to_int(count, &number) && number > 0;
    q->decided = true;
    q->certain = false;
    r->through_redis = true;
    r->answered++;
}

/* Evaluates one answer. The first on a line only sets the counter of alerts to compare with. */
static enum err
take_answer(struct line *l, struct round *r, const struct pipe_answer *answer)
{
    struct round_question *q = &r->asked[r->decided + r->answered];
    int64_t before = l->alerts;
    bool none = answer->status == 404;
    bool counted = false;
    bool owned;

    if (answer->status != 200 && !none)
        return fail(r, "status");
    if (!check_worker(l, answer))
        return fail(r, "worker");
    if (!none && !parse_count(pipe_field(answer->body, "active subscribers"), &counted))
        return fail(r, "count");
    if (before < 0)
        return ERR_OK;
    if (pipe_field(answer->head, "X-Redis").n > 0) {
        take_shared_count(r, q, pipe_field(answer->body, "active subscribers"));
        return ERR_OK;
    }
    owned = l->alerts - before < ALERTS;
    if (l->worker == r->first.worker) {
        q->first_owns = owned;
        q->first_counts = counted;
        q->decided = none;
        q->certain = none || l->alerts == 0;
    } else {
        q->decided = owned || q->first_owns || counted == q->first_counts;
        q->certain = q->decided;
    }
    q->online = owned ? q->first_counts : counted;
    r->answered++;
    return ERR_OK;
}

/* Evaluates the complete answers that have arrived, of `count` expected. */
static enum err
take_answers(struct line *l, struct round *r, size_t count)
{
    struct pipe_answer answer;
    bool found = true;
    enum err err = ERR_OK;

    while (err == ERR_OK && found) {
        if (pipe_take(&l->pipe, &answer, &found) != ERR_OK || (found && r->answered == count))
            return fail(r, "answer");
        if (found)
            err = take_answer(l, r, &answer);
    }
    return err;
}

/* Waits until the socket is readable, or writable if anything is left to write. */
static enum err
wait_for(const struct line *l, struct round *r)
{
    struct pollfd pfd = {.fd = l->pipe.fd, .events = POLLIN};
    int64_t left_ms = r->deadline_ms - clock_mono_ms();

    if (pipe_queued_bytes(&l->pipe) > 0)
        pfd.events |= POLLOUT;
    if (left_ms <= 0)
        return fail(r, "deadline");
    if (poll(&pfd, 1, (int)left_ms) < 0 && errno != EINTR)
        return fail(r, "poll");
    return ERR_OK;
}

/* Writes what the socket accepts, and reads what it has, after waiting for it. */
static enum err
talk(struct line *l, struct round *r)
{
    bool more;
    enum err err;

    if (pipe_write(&l->pipe) != ERR_OK)
        return fail(r, "closed");
    err = wait_for(l, r);
    if (err != ERR_OK)
        return err;
    err = pipe_read(&l->pipe, &more);
    return err == ERR_IO ? fail(r, "closed") : err;
}

static void
add_question(struct line *l, const struct round *r, size_t k)
{
    buf_c(&l->pipe.out, "GET /pub HTTP/1.1\r\nHost: imd\r\nX-Channels: ");
    buf_add(&l->pipe.out, r->asked[k].name, r->asked[k].name_bytes);
    buf_c(&l->pipe.out, "\r\n\r\n");
}

/* Connects if needed, and queues the first `count` undecided questions. */
static enum err
prepare(struct line *l, struct round *r, size_t count)
{
    if (l->pipe.fd < 0 && pipe_connect(&l->pipe) != ERR_OK)
        return fail(r, "connect");
    l->alerts = -1;
    add_question(l, r, r->decided);
    for (size_t k = r->decided; k < r->decided + count; k++)
        add_question(l, r, k);
    return buf_ok(&l->pipe.out) ? ERR_OK : ERR_MEMORY;
}

/*
 * Of the first `count` undecided questions, moves those that are now decided to the decided ones.
 */
static void
sort_out(struct round *r, size_t count)
{
    size_t end = r->decided + count;

    for (size_t k = r->decided; k < end; k++)
        if (r->asked[k].decided) {
            struct round_question q = r->asked[k];

            r->asked[k] = r->asked[r->decided];
            r->asked[r->decided++] = q;
        }
}

/*
 * Asks the first `count` undecided questions on this line. If it fails, none of them counts as
 * asked.
 */
static enum err
ask(struct line *l, struct round *r, size_t count)
{
    enum err err = prepare(l, r, count);

    r->answered = 0;
    while (err == ERR_OK && r->answered < count) {
        err = talk(l, r);
        if (err == ERR_OK)
            err = take_answers(l, r, count);
    }
    if (err == ERR_OK && l->pipe.in.n > l->pipe.taken)
        err = fail(r, "answer");
    if (err != ERR_OK) {
        hang_up(l);
        return err;
    }
    sort_out(r, count);
    return ERR_OK;
}

/* --- one round */

static size_t
undecided(const struct round *r)
{
    return r->count - r->decided;
}

/*
 * Asks the first worker. Retries once on a kept connection, which nginx may have closed since the
 * last round.
 */
static enum err
ask_first(struct round *r)
{
    bool kept = r->first.pipe.fd >= 0;
    enum err err = ask(&r->first, r, undecided(r));

    if (err == ERR_IO && kept)
        err = ask(&r->first, r, undecided(r));
    return err;
}

static bool
has_second(const struct round *r)
{
    return r->second.worker != 0 && r->second.worker != r->first.worker;
}

/* Looks for a worker other than the first line's, by asking each that it reaches one question. */
static enum err
find_second(struct round *r)
{
    enum err err = ERR_OK;

    if (r->alone == r->first.worker && clock_mono_ms() < r->alone_until_ms)
        return ERR_OK;
    for (int i = 0; err == ERR_OK && i < TRIES && undecided(r) > 0 && !has_second(r); i++) {
        hang_up(&r->second);
        err = ask(&r->second, r, 1);
    }
    if (err != ERR_OK || has_second(r))
        return err;
    hang_up(&r->second);
    if (undecided(r) > 0) {
        r->alone = r->first.worker;
        r->alone_until_ms = clock_mono_ms() + ALONE_MS;
    }
    return ERR_OK;
}

/* Asks a second worker. If there is none, the first worker's answers are right. */
static enum err
ask_second(struct round *r)
{
    enum err err;

    if (has_second(r)) {
        err = ask(&r->second, r, undecided(r));
        if (err != ERR_IO)
            return err;
    }
    err = find_second(r);
    if (err == ERR_OK && has_second(r) && undecided(r) > 0)
        err = ask(&r->second, r, undecided(r));
    return err;
}

/*
 * Asks both workers, and again what stays undecided. On a busy nchan, alerts for other requests are
 * counted too, so several attempts may be needed to see which worker owns a channel.
 */
static enum err
ask_both(struct round *r)
{
    enum err err;
    int attempts = 0;

    do {
        err = ask_first(r);
        if (err == ERR_OK && undecided(r) > 0)
            err = ask_second(r);
    } while (err == ERR_OK && undecided(r) > 0 && has_second(r) && ++attempts < ATTEMPTS);
    return err;
}

enum err
round_ask(struct round *r, struct round_question *questions, size_t count, int64_t deadline_ms)
{
    enum err err;

    r->asked = questions;
    r->count = count;
    r->decided = 0;
    r->deadline_ms = deadline_ms;
    r->through_redis = false;
    for (size_t i = 0; i < count; i++) {
        questions[i].certain = false;
        questions[i].decided = false;
    }
    err = count == 0 ? ERR_OK : ask_both(r);
    if (err == ERR_IO)
        log_event(LOG_WARNING, "presence_failed", "reason=%s", r->trouble);
    return err;
}

bool
round_through_redis(const struct round *r)
{
    return r->through_redis;
}
