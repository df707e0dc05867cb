/*
 * presence.c - see presence.h. Must not know what conversations are.
 *
 * The mutex guards everything that threads share. No thread holds it while it waits for nchan.
 */
#include "push/presence.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "model/model.h"
#include "run/slots.h"
#include "push/round.h"

#define FRESH_MS 1000
/* An answer of up to this age is used if nchan does not answer now. */
#define LAST_MS 60000
/*
 * A round of a healthy nchan takes a tenth of this. While rounds take longer, only waiters_max
 * callers wait.
 */
#define SLOW_MS 200
/* Users asked about in one round, which takes nchan some 20 ms. */
#define ROUND_NAMES_MAX 1000
/* 16,384 users: 512 kB. */
#define SETS 4096
#define WAYS 4
/* About twice the names of a round, so that chains stay short. A power of two. */
#define INDEX_SIZE 2048

/* nchan's last answer about one user. */
struct entry {
    int64_t asked_ms; /* when the question was sent, or before (clock_mono_ms) */
    char name[USERNAME_BYTES_MAX];
    unsigned char name_bytes; /* 0: the entry is empty */
    bool online;
};

/* A waiting caller, on its own stack. Guarded by the mutex. */
struct waiter {
    const struct str *names;
    bool *online;
    size_t *open;       /* indexes of the names without an answer */
    size_t open_count;  /* how many those are */
    bool in_round;      /* it was waiting when the current round began */
    bool failed;        /* a round failed while it was waiting */
    pthread_cond_t end; /* signalled once all names have an answer, or the round failed */
    struct waiter *next;
};

/* The names of the next round, without duplicates. Only the thread uses it. */
struct batch {
    struct round_question questions[ROUND_NAMES_MAX];
    size_t count;
    uint16_t index[INDEX_SIZE]; /* hash table of indexes in questions[], plus 1; 0: empty */
};

struct presence {
    struct round *round; /* used by the thread alone */
    struct batch batch;  /* likewise */
    pthread_t thread;
    int waiters_max;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;   /* a caller waits, or the thread must end */
    struct entry *entries; /* SETS × WAYS; NULL until the first call */
    struct waiter *waiters;
    int waiting;
    int64_t round_ms; /* when the last round began (clock_mono_ms) */
    bool failing;     /* the last round failed */
    bool ending;
};

/* --- the answers; under the mutex */

static bool
is_about(const struct entry *t, struct str name)
{
    return str_eq((struct str){t->name, t->name_bytes}, name);
}

/* Returns this name's entry, or the entry to evict for it. */
static struct entry *
find_entry(const struct presence *p, struct str name)
{
    struct entry *set = p->entries + (size_t)(str_hash(name) % SETS) * WAYS;
    struct entry *oldest = set;

    for (struct entry *t = set; t < set + WAYS; t++) {
        if (is_about(t, name))
            return t;
        if (t->asked_ms < oldest->asked_ms)
            oldest = t;
    }
    return oldest;
}

/* Returns nchan's answer about this name if it is less than `age_ms` old; else NULL. */
static const struct entry *
find_answer(const struct presence *p, struct str name, int64_t age_ms)
{
    const struct entry *t = find_entry(p, name);

    return is_about(t, name) && clock_mono_ms() - t->asked_ms < age_ms ? t : NULL;
}

/* Fills in the answers that are less than `age_ms` old. The other names stay open. */
static void
settle(const struct presence *p, struct waiter *w, int64_t age_ms)
{
    size_t left = 0;

    for (size_t k = 0; k < w->open_count; k++) {
        size_t i = w->open[k];
        const struct entry *t = find_answer(p, w->names[i], age_ms);

        if (t != NULL)
            w->online[i] = t->online;
        else
            w->open[left++] = i;
    }
    w->open_count = left;
}

static void
remember(struct presence *p, const struct batch *b, int64_t asked_ms)
{
    for (size_t k = 0; k < b->count; k++) {
        const struct round_question *q = &b->questions[k];
        struct entry *t = find_entry(p, (struct str){q->name, q->name_bytes});

        *t = (struct entry){.asked_ms = asked_ms, .name_bytes = q->name_bytes, .online = q->online};
        memcpy(t->name, q->name, q->name_bytes);
    }
}

/* --- the thread */

/* Adds a name unless it is in the batch already. */
static void
add_name(struct batch *b, struct str name)
{
    uint32_t at = str_hash(name) % INDEX_SIZE;
    struct round_question *q;

    for (; b->index[at] != 0; at = (at + 1) % INDEX_SIZE) {
        q = &b->questions[b->index[at] - 1];
        if (str_eq((struct str){q->name, q->name_bytes}, name))
            return;
    }
    q = &b->questions[b->count++];
    q->name_bytes = (unsigned char)name.n;
    memcpy(q->name, name.p, name.n);
    b->index[at] = (uint16_t)b->count;
}

/*
 * Fills the batch with the open names of the waiters: up to an equal share of each, then as much as
 * fits.
 */
static void
gather(struct presence *p)
{
    struct batch *b = &p->batch;
    size_t share = ROUND_NAMES_MAX / (size_t)p->waiting;

    b->count = 0;
    memset(b->index, 0, sizeof(b->index));
    for (struct waiter *w = p->waiters; w != NULL; w = w->next)
        w->in_round = true;
    for (const struct waiter *w = p->waiters; w != NULL; w = w->next)
        for (size_t k = 0; k < w->open_count && k < share && b->count < ROUND_NAMES_MAX; k++)
            add_name(b, w->names[w->open[k]]);
    for (const struct waiter *w = p->waiters; w != NULL; w = w->next)
        for (size_t k = share; k < w->open_count && b->count < ROUND_NAMES_MAX; k++)
            add_name(b, w->names[w->open[k]]);
}

/* Gives the waiters the results of a round. */
static void
tell_waiters(struct presence *p)
{
    for (struct waiter *w = p->waiters; w != NULL; w = w->next) {
        if (p->failing)
            w->failed = w->in_round;
        else
            settle(p, w, FRESH_MS);
        if (w->failed || w->open_count == 0)
            pthread_cond_signal(&w->end);
    }
}

static bool
is_work_left(const struct presence *p)
{
    for (const struct waiter *w = p->waiters; w != NULL; w = w->next)
        if (!w->failed && w->open_count > 0)
            return true;
    return false;
}

/* Runs one round. The mutex is released while nchan is asked. */
static void
ask_nchan(struct presence *p)
{
    int64_t asked_ms = clock_mono_ms();
    enum err err;

    p->round_ms = asked_ms;
    gather(p);
    pthread_mutex_unlock(&p->mutex);
    err = round_ask(p->round, p->batch.questions, p->batch.count, asked_ms + PRESENCE_ROUND_MS);
    pthread_mutex_lock(&p->mutex);
    if (err == ERR_OK)
        remember(p, &p->batch, asked_ms);
    p->failing = err != ERR_OK;
    tell_waiters(p);
}

static void *
thread_main(void *arg)
{
    struct presence *p = arg;

    pthread_mutex_lock(&p->mutex);
    while (!p->ending)
        if (is_work_left(p))
            ask_nchan(p);
        else
            pthread_cond_wait(&p->work, &p->mutex);
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

enum err
presence_new(struct presence **out, const char *path, int waiters_max)
{
    struct presence *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return ERR_MEMORY;
    p->waiters_max = waiters_max < 1 ? 1 : waiters_max;
    if (round_new(&p->round, path) != ERR_OK)
        goto no_round;
    if (pthread_mutex_init(&p->mutex, NULL) != 0)
        goto no_mutex;
    if (pthread_cond_init(&p->work, NULL) != 0)
        goto no_work;
    if (pthread_create(&p->thread, NULL, thread_main, p) != 0)
        goto no_thread;
    *out = p;
    return ERR_OK;

no_thread:
    pthread_cond_destroy(&p->work);
no_work:
    pthread_mutex_destroy(&p->mutex);
no_mutex:
    round_free(p->round);
no_round:
    free(p);
    return ERR_MEMORY;
}

void
presence_free(struct presence *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    p->ending = true;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->mutex);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->mutex);
    round_free(p->round);
    free(p->entries);
    free(p);
}

/* --- the callers; under the mutex */

/*
 * True if this caller must stop waiting, so that a slow nchan cannot hold all threads. That is
 * while more than waiters_max callers wait: for callers whose names need several rounds, and for
 * all once the current round takes longer than SLOW_MS.
 */
static bool
is_crowded_out(const struct presence *p, const struct waiter *w)
{
    return p->waiting > p->waiters_max &&
           (w->open_count > ROUND_NAMES_MAX / (size_t)p->waiting || clock_mono_ms() - p->round_ms > SLOW_MS);
}

/*
 * Waits until every name has an answer, the round failed, or PRESENCE_ROUND_MS are over. Releases
 * the mutex while it waits.
 */
static void
wait_for_round(struct presence *p, struct waiter *w)
{
    int64_t called_ms = clock_mono_ms();

    for (int64_t waited_ms = 0; waited_ms < PRESENCE_ROUND_MS; waited_ms += SLOW_MS) {
        struct timespec until = clock_timeout(called_ms + waited_ms + SLOW_MS);
        int rc = 0;

        while (w->open_count > 0 && !w->failed && rc == 0)
            rc = pthread_cond_timedwait(&w->end, &p->mutex, &until);
        if (rc == 0 || is_crowded_out(p, w))
            return;
    }
}

static void
leave(struct presence *p, struct waiter *w)
{
    struct waiter **at = &p->waiters;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    p->waiting--;
}

/* Appends the caller, so that waiters are served in the order of arrival. */
static void
enter(struct presence *p, struct waiter *w)
{
    struct waiter **at = &p->waiters;

    while (*at != NULL)
        at = &(*at)->next;
    *at = w;
    p->waiting++;
    pthread_cond_signal(&p->work);
}

/*
 * While rounds fail, only one caller waits and so retries. The others get the answers that are
 * known already.
 */
static void
join_round(struct presence *p, struct waiter *w)
{
    if (p->failing && p->waiting > 0)
        return;
    if (!clock_init_cond(&w->end))
        return;
    enter(p, w);
    wait_for_round(p, w);
    leave(p, w);
    pthread_cond_destroy(&w->end);
}

static enum err
ask(struct presence *p, struct waiter *w)
{
    pthread_mutex_lock(&p->mutex);
    if (p->entries == NULL)
        p->entries = calloc((size_t)SETS * WAYS, sizeof(*p->entries));
    if (p->entries == NULL) {
        pthread_mutex_unlock(&p->mutex);
        return ERR_MEMORY;
    }
    settle(p, w, FRESH_MS);
    if (w->open_count > 0) {
        slots_release();
        join_round(p, w);
        settle(p, w, LAST_MS);
    }
    pthread_mutex_unlock(&p->mutex);
    return w->open_count == 0 ? ERR_OK : ERR_IO;
}

enum err
presence_ask(struct presence *p, const struct str *names, size_t count, bool *online)
{
    struct waiter w = {.names = names, .online = online};
    enum err err;

    if (count == 0)
        return ERR_OK;
    w.open = calloc(count, sizeof(*w.open));
    if (w.open == NULL)
        return ERR_MEMORY;
    for (; w.open_count < count; w.open_count++)
        w.open[w.open_count] = w.open_count;
    err = ask(p, &w);
    free(w.open);
    return err;
}
