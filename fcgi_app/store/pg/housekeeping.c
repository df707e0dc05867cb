/* housekeeping.c - see store/housekeeping.h. Must not know what is pushed. */
#include "store/pg/engine.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/pg/db.h"
#include "store/pg/instance.h"
#include "store/pg/outbox.h"
#include "store/pg/reactions.h"

#define ROUND_MS 1000
/* How often a relay that stands by tries to take over. */
#define TAKE_OVER_MS 500
/* The rows of one batch, which take a few milliseconds. */
#define REACTIONS_AT_ONCE 500
#define BATCHES_A_ROUND   20
/*
 * A group of commits can put the tick a millisecond ahead of the clock, and under load many do. No
 * load puts it ahead by a minute.
 */
#define CLOCK_BEHIND_MS 60000

struct keeper {
    struct housekeeping face; /* first */
    struct shared *shared;
    struct db *db;
    pthread_t thread;
    int stop_fd;      /* eventfd */
    bool may_lead;    /* this host's relay has not published yet */
    bool leads;       /* this host's relay publishes … */
    int64_t session;  /* … as long as this session holds the lock (pg_session_number) */
    int64_t swept;    /* the outbox rows up to here were deleted */
    int64_t round_ms; /* when the next round is due (clock_mono_ms) */
};

/* --- which relay publishes */

/*
 * Tries to take the lock, which only one session of all hosts can hold. *taken: whether it holds it
 * now.
 */
static enum err
try_lock(struct keeper *k, bool *taken)
{
    struct pg_stmt *s;
    bool row;
    enum err err = pg_begin(k->db, PG_BEGIN_WRITE);

    if (err == ERR_OK) {
        s = pg_use(k->db, PG_LEAD_TRY);
        err = pg_step(s, &row);
        *taken = row && pg_int(s, 0) != 0;
        pg_done(s);
    }
    if (err == ERR_OK && *taken)
        err = pg_run(pg_use(k->db, PG_LEAD_LISTEN));
    return pg_end_write(k->db, err);
}

static void
try_to_lead(struct keeper *k)
{
    bool taken = false;

    if (try_lock(k, &taken) != ERR_OK || !taken)
        return;
    k->leads = true;
    k->session = pg_session_number(k->db);
    shared_stand_by(k->shared, false);
}

/*
 * If the session is gone, so is the lock. The relay ends when it learns this, so it must not
 * publish again: its successor begins anew, with a new keeper.
 */
static void
check_lead(struct keeper *k)
{
    if (pg_socket(k->db) >= 0 && pg_session_number(k->db) == k->session)
        return;
    k->leads = false;
    k->may_lead = false;
    shared_stand_by(k->shared, true);
}

/* Announces the commits of other hosts. */
static void
take_notices(struct keeper *k)
{
    int64_t highest;

    if (pg_take_notices(k->db, &highest) == ERR_OK && highest > 0)
        shared_announce(k->shared, highest);
}

/* Notes how far another host's relay has delivered, which is as far as it has deleted rows. */
static void
follow_outbox(struct keeper *k)
{
    struct instance instance = {0};
    int64_t oldest = 0;
    enum err err = pg_begin(k->db, PG_BEGIN_READ);

    if (err == ERR_OK)
        err = pg_instance_get(k->db, &instance);
    if (err == ERR_OK)
        err = pg_outbox_oldest(k->db, &oldest);
    pg_end_read(k->db);
    if (err == ERR_OK)
        atomic_store(&k->shared->acknowledged_change, oldest == 0 ? instance.last_change : oldest - 1);
}

/* --- what a round does */

/* Deletes the outbox rows that nchan has acknowledged. Writers need not wait for it. */
static void
sweep_outbox(struct keeper *k)
{
    int64_t acknowledged = atomic_load(&k->shared->acknowledged_change);
    enum err err;

    if (acknowledged <= k->swept)
        return;
    err = pg_begin(k->db, PG_BEGIN_WRITE);
    if (err == ERR_OK)
        err = pg_outbox_trim(k->db, acknowledged);
    if (pg_end_write(k->db, err) == ERR_OK)
        k->swept = acknowledged;
}

/* Deletes one batch of the rows of cleared reactions. *more: whether there may be others. */
static enum err
sweep_reactions(struct keeper *k, bool *more)
{
    int64_t set = 0;
    enum err err = pg_begin(k->db, PG_BEGIN_WRITE);

    if (err == ERR_OK)
        err = pg_reactions_cleared(k->db, &set);
    if (err == ERR_OK && set != 0)
        err = pg_reactions_sweep(k->db, set, REACTIONS_AT_ONCE);
    err = pg_end_write(k->db, err);
    *more = err == ERR_OK && set != 0;
    return err;
}

/*
 * If the wall clock is far behind the last tick, one of the two is wrong. Until the clock has
 * caught up, imd gives new rows times just after the last tick.
 */
static void
look_at_clock(struct keeper *k)
{
    struct instance instance = {0};
    int64_t before_ms = atomic_load(&k->shared->clock_behind_ms);
    int64_t behind_ms;
    enum err err = pg_begin(k->db, PG_BEGIN_READ);

    if (err == ERR_OK)
        err = pg_instance_get(k->db, &instance);
    pg_end_read(k->db);
    if (err != ERR_OK)
        return;
    behind_ms = instance.tick - clock_wall_ms();
    behind_ms = behind_ms > CLOCK_BEHIND_MS ? behind_ms : 0;
    atomic_store(&k->shared->clock_behind_ms, behind_ms);
    if (behind_ms > 0 && before_ms == 0)
        log_event(LOG_WARNING, "clock_behind",
                  "seconds=%lld hint=\"set the clock; where it was ahead before, stop imd and run imctl "
                  "repair-clock\"",
                  (long long)behind_ms / 1000);
    if (behind_ms == 0 && before_ms > 0)
        log_event(LOG_INFO, "clock_right", "%s", "");
}

static void
clean_up(struct keeper *k)
{
    bool more = true;

    sweep_outbox(k);
    for (int batch = 0; more && batch < BATCHES_A_ROUND; batch++)
        if (sweep_reactions(k, &more) != ERR_OK)
            more = false;
}

/* The relay that publishes cleans up. Other relays try to take over. */
static void
do_round(struct keeper *k)
{
    if (!k->leads && k->may_lead)
        try_to_lead(k);
    if (k->leads)
        clean_up(k);
    else
        follow_outbox(k);
    look_at_clock(k);
    k->round_ms = clock_mono_ms() + (k->leads ? ROUND_MS : TAKE_OVER_MS);
}

static void *
run(void *arg)
{
    struct keeper *k = arg;
    struct pollfd fds[2] = {{.fd = k->stop_fd, .events = POLLIN}, {.events = POLLIN}};

    for (;;) {
        int64_t left_ms = k->round_ms - clock_mono_ms();

        fds[1].fd = k->leads ? pg_socket(k->db) : -1;
        if (poll(fds, 2, left_ms < 0 ? 0 : (int)left_ms) > 0 && (fds[0].revents & POLLIN) != 0)
            return NULL;
        if (k->leads)
            take_notices(k);
        if (clock_mono_ms() >= k->round_ms)
            do_round(k);
        if (k->leads)
            check_lead(k);
    }
}

enum err
pg_housekeeping_start(struct housekeeping **out, const char *uri, struct shared *shared)
{
    struct keeper *k = calloc(1, sizeof(*k));
    enum err err;

    if (k == NULL)
        return ERR_MEMORY;
    k->face.engine = &pg_engine;
    k->shared = shared;
    k->may_lead = true;
    k->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (k->stop_fd < 0) {
        err = ERR_IO;
        goto fail_alloc;
    }
    err = pg_open(&k->db, uri, PG_SHARED);
    if (err != ERR_OK)
        goto fail_fd;
    shared_stand_by(shared, true);
    if (pthread_create(&k->thread, NULL, run, k) != 0) {
        err = ERR_MEMORY;
        goto fail_db;
    }
    *out = &k->face;
    return ERR_OK;
fail_db:
    pg_close(k->db);
fail_fd:
    close(k->stop_fd);
fail_alloc:
    free(k);
    return err;
}

void
pg_housekeeping_stop(struct housekeeping *face)
{
    struct keeper *k = (struct keeper *)(void *)face;
    uint64_t one = 1;

    if (write(k->stop_fd, &one, sizeof(one)) < 0)
        log_event(LOG_ERROR, "stop_failed", "thread=housekeeping");
    pthread_join(k->thread, NULL);
    if (k->leads)
        sweep_outbox(k);
    pg_close(k->db);
    close(k->stop_fd);
    free(k);
}

/* The log and its checkpoints are the server's. */
void
pg_housekeeping_look(const struct store *s, struct shared *shared, struct housekeeping_view *view)
{
    (void)s;
    (void)shared;
    *view = (struct housekeeping_view){0};
}
