/*
 * silence.c - see silence.h. Must not know what is published.
 *
 * Why no listener is missed. A client relies on pushes of changes that are committed after its
 * socket opened, and fetches earlier ones. Suppose that a user's socket opens, and that a change is
 * committed after that:
 *
 *   1. These steps cause each other, through sockets and the database. imd notes the grant
 *      (grants_note). It sends the redirect. nginx follows the redirect within 5 s, or refuses it
 *      (imd-server.conf). nchan subscribes the socket. The client sees it open. The change is
 *      committed. The relay reads it, and then calls silence_filter(). So the filter reads the
 *      stamp of this grant, or a later one.
 *   2. A user is silent only while their stamp is the one that was read before nchan was asked. So
 *      if the filter finds the user silent, nchan was asked after the grant was noted. It was
 *      asked at least 10 s after, because users with a younger stamp are not asked about.
 *   3. The socket was subscribed or refused within 5 s after the grant. nchan answers a client
 *      before it counts the subscriber. The other 5 s are for that: it takes one turn of a
 *      worker's event loop, and an alert to the worker that owns the channel. So the answer counts
 *      the socket if it is still open.
 *   4. An answer of "no subscription" is used only if it is certain (round.h).
 *
 * No decision is made by hash alone. Entries hold whole names. If two users share a stamp, a grant
 * to either ends the silence of both.
 *
 * Step 3 assumes that no worker of nginx hangs for 5 s between its look at the clock and the
 * subscription, and then goes on. If one does, a user who listens may be silent. The silence ends
 * with their next request for their list or for changes, which clients send after opening and once
 * a minute. It also ends after SILENT_MS.
 *
 * One relay and one table serve a database. The children hold imd's lock on the database too, so a
 * new master starts only after all processes of the old one have ended. Workers that a SIGHUP
 * replaces share the stamps with their successors. At the start, every user gets a new stamp, which
 * covers the old imd's grants.
 */
#include "push/silence.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "model/model.h"
#include "push/round.h"

/* A user who was granted a subscription within this time is not asked about. */
#define QUIET_MS 10000
/* A user who was not found silent is not asked about again within this time. */
#define AGAIN_MS 10000
/* Silence ends after this time: the user is then published to once, and asked about again. */
#define SILENT_MS 60000
/* 65,536 users: 2.5 MB of the relay's memory. */
#define SETS 16384
#define WAYS 4
/*
 * Users who wait to be asked about. A full queue drops users; the next publish to them tries again.
 */
#define QUEUE_SIZE 8192
/* The most questions in a round, and the pause after it: 5,000 users a second. */
#define ROUND_NAMES_MAX 512
#define PAUSE_MS        100
/* The pause after a round that failed. */
#define FAILED_PAUSE_MS 1000
#define ROUND_MS        2000
/* If nchan uses Redis, no user is asked about for this time, because no answer would be certain. */
#define REDIS_MS 60000

enum state { ENTRY_EMPTY, ENTRY_QUEUED, ENTRY_LISTENS, ENTRY_SILENT };

struct entry {
    uint64_t stamp;                /* the stamp read before the last question */
    int64_t asked_ms;              /* when the question was sent, or before (clock_mono_ms) */
    char name[USERNAME_BYTES_MAX]; /* whole */
    unsigned char name_bytes;
    unsigned char state; /* enum state; a queued entry is never evicted */
};

struct silence {
    struct shared *shared;
    struct round *round;                              /* used by the thread alone */
    struct round_question questions[ROUND_NAMES_MAX]; /* likewise */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows; released while nchan is asked */
    pthread_cond_t wake;   /* the queue is no longer empty, or the thread must end */
    struct entry *table;   /* SETS × WAYS */
    uint32_t queue[QUEUE_SIZE];
    size_t queue_first;
    size_t queue_count;
    int64_t redis_until_ms; /* nchan uses Redis, as far as known (clock_mono_ms) */
    bool ending;
};

/* --- the table; under the mutex */

static struct entry *
set_of(const struct silence *s, struct str name)
{
    uint32_t h = str_hash(name);

    return s->table + (size_t)((h ^ h >> 16) % SETS) * WAYS;
}

static struct entry *
find(const struct silence *s, struct str name)
{
    struct entry *set = set_of(s, name);

    for (struct entry *e = set; e < set + WAYS; e++)
        if (e->state != ENTRY_EMPTY && str_eq((struct str){e->name, e->name_bytes}, name))
            return e;
    return NULL;
}

static void
set_state(struct silence *s, struct entry *e, enum state state)
{
    int change = (state == ENTRY_SILENT) - (e->state == ENTRY_SILENT);

    e->state = (unsigned char)state;
    if (change != 0)
        atomic_fetch_add_explicit(&s->shared->silent_names, change, memory_order_relaxed);
}

/*
 * Returns an entry for a new name, evicting the one that was asked longest ago; NULL if all are
 * queued.
 */
static struct entry *
make_entry(struct silence *s, struct str name)
{
    struct entry *set = set_of(s, name);
    struct entry *victim = NULL;

    for (struct entry *e = set; e < set + WAYS; e++)
        if (e->state != ENTRY_QUEUED && (victim == NULL || e->asked_ms < victim->asked_ms))
            victim = e;
    if (victim == NULL)
        return NULL;
    set_state(s, victim, ENTRY_EMPTY);
    *victim = (struct entry){.name_bytes = (unsigned char)name.n};
    memcpy(victim->name, name.p, name.n);
    return victim;
}

/* Queues a user to be asked about, unless that is too early, or the queue is full. */
static void
enqueue(struct silence *s, struct entry *e, struct str name, int64_t now_ms)
{
    bool known = e != NULL;

    if (known && (e->state == ENTRY_QUEUED || (e->state == ENTRY_LISTENS && now_ms - e->asked_ms < AGAIN_MS)))
        return;
    if (s->queue_count == QUEUE_SIZE || now_ms < s->redis_until_ms ||
        now_ms - grants_ms(grants_stamp(&s->shared->grants, name)) < QUIET_MS)
        return;
    if (!known)
        e = make_entry(s, name);
    if (e == NULL)
        return;
    set_state(s, e, ENTRY_QUEUED);
    s->queue[(s->queue_first + s->queue_count++) % QUEUE_SIZE] = (uint32_t)(e - s->table);
    if (s->queue_count == 1)
        pthread_cond_signal(&s->wake);
}

/* True if the user certainly has no subscription. */
static bool
is_silent(const struct silence *s, const struct entry *e, struct str name, int64_t now_ms)
{
    return e != NULL && e->state == ENTRY_SILENT && now_ms - e->asked_ms < SILENT_MS &&
           e->stamp == grants_stamp(&s->shared->grants, name);
}

size_t
silence_filter(struct silence *s, struct str *names, size_t count)
{
    int64_t now_ms = clock_mono_ms();
    size_t kept = 0;

    if (s == NULL || !atomic_load(&s->shared->silence))
        return count;
    pthread_mutex_lock(&s->mutex);
    for (size_t i = 0; i < count; i++) {
        struct entry *e = find(s, names[i]);

        if (is_silent(s, e, names[i], now_ms))
            continue;
        if (e != NULL && e->state == ENTRY_SILENT)
            set_state(s, e, ENTRY_LISTENS);
        enqueue(s, e, names[i], now_ms);
        names[kept++] = names[i];
    }
    pthread_mutex_unlock(&s->mutex);
    shared_count(&s->shared->counters.copies_avoided, count - kept);
    return kept;
}

/* --- the thread; all but ask() under the mutex */

/*
 * Dequeues the users to ask about. For each, the stamp is read before the clock, and both before
 * the question. So a grant that comes after this reading changes the stamp, and ends the silence.
 * Any other grant is at least QUIET_MS older than the question.
 */
static size_t
take_questions(struct silence *s)
{
    size_t count = 0;

    while (count < ROUND_NAMES_MAX && s->queue_count > 0) {
        struct entry *e = &s->table[s->queue[s->queue_first]];
        struct round_question *q = &s->questions[count];

        s->queue_first = (s->queue_first + 1) % QUEUE_SIZE;
        s->queue_count--;
        e->stamp = grants_stamp(&s->shared->grants, (struct str){e->name, e->name_bytes});
        e->asked_ms = clock_mono_ms();
        if (e->asked_ms - grants_ms(e->stamp) < QUIET_MS) {
            set_state(s, e, ENTRY_LISTENS);
            continue;
        }
        memcpy(q->name, e->name, e->name_bytes);
        q->name_bytes = e->name_bytes;
        count++;
    }
    return count;
}

/* Records the results of a round. After a failed one, none of its users is silent. */
static void
take_answers(struct silence *s, size_t count, bool answered)
{
    for (size_t i = 0; i < count; i++) {
        const struct round_question *q = &s->questions[i];
        /* It exists: a queued entry is never evicted. */
        struct entry *e = find(s, (struct str){q->name, q->name_bytes});

        if (e != NULL)
            set_state(s, e, answered && q->certain && !q->online ? ENTRY_SILENT : ENTRY_LISTENS);
    }
}

/*
 * Records after a round whether nchan uses Redis. If so, no user is silent, not even those found
 * silent before: they may listen at another host, and Redis may have lost their count.
 */
static void
note_redis(struct silence *s)
{
    bool known = s->redis_until_ms != 0;

    if (!round_through_redis(s->round)) {
        s->redis_until_ms = 0;
        return;
    }
    s->redis_until_ms = clock_mono_ms() + REDIS_MS;
    if (known)
        return;
    log_event(LOG_INFO, "push_through_redis", "published_to=all_members");
    for (struct entry *e = s->table; e < s->table + (size_t)SETS * WAYS; e++)
        if (e->state == ENTRY_SILENT)
            set_state(s, e, ENTRY_LISTENS);
}

/* Waits this long, or until the thread must end. */
static void
pause_for(struct silence *s, int64_t ms)
{
    struct timespec until = clock_timeout(clock_mono_ms() + ms);

    while (!s->ending && pthread_cond_timedwait(&s->wake, &s->mutex, &until) == 0)
        ;
}

/* Runs one round and pauses after it. The mutex is released while nchan is asked. */
static void
ask(struct silence *s, size_t count)
{
    bool answered;

    pthread_mutex_unlock(&s->mutex);
    answered = round_ask(s->round, s->questions, count, clock_mono_ms() + ROUND_MS) == ERR_OK;
    pthread_mutex_lock(&s->mutex);
    take_answers(s, count, answered);
    if (answered)
        note_redis(s);
    pause_for(s, answered ? PAUSE_MS : FAILED_PAUSE_MS);
}

static void *
thread_main(void *arg)
{
    struct silence *s = arg;

    pthread_mutex_lock(&s->mutex);
    while (!s->ending) {
        size_t count = take_questions(s);

        if (count > 0)
            ask(s, count);
        else
            pthread_cond_wait(&s->wake, &s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

enum err
silence_start(struct silence **out, const char *path, struct shared *shared)
{
    struct silence *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_MEMORY;
    s->shared = shared;
    /* An earlier relay may have left its count. */
    atomic_store(&shared->silent_names, 0);
    s->table = calloc((size_t)SETS * WAYS, sizeof(*s->table));
    if (s->table == NULL || round_new(&s->round, path) != ERR_OK)
        goto no_round;
    if (pthread_mutex_init(&s->mutex, NULL) != 0)
        goto no_mutex;
    if (!clock_init_cond(&s->wake))
        goto no_wake;
    if (pthread_create(&s->thread, NULL, thread_main, s) != 0)
        goto no_thread;
    *out = s;
    return ERR_OK;

no_thread:
    pthread_cond_destroy(&s->wake);
no_wake:
    pthread_mutex_destroy(&s->mutex);
no_mutex:
    round_free(s->round);
no_round:
    free(s->table);
    free(s);
    return ERR_MEMORY;
}

void
silence_stop(struct silence *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->mutex);
    s->ending = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->mutex);
    round_free(s->round);
    free(s->table);
    free(s);
}
