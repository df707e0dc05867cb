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
/* Rows of one batch: a few milliseconds. */
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
    int stop_fd;   /* eventfd */
    int64_t swept; /* outbox rows up to here were deleted */
};

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

/* Deletes one batch of what cleared reactions have left behind. *more: there may be others. */
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

static void *
run(void *arg)
{
    struct keeper *k = arg;
    struct pollfd stop = {.fd = k->stop_fd, .events = POLLIN};

    while (poll(&stop, 1, ROUND_MS) == 0) {
        bool more = true;

        sweep_outbox(k);
        for (int batch = 0; more && batch < BATCHES_A_ROUND; batch++)
            if (sweep_reactions(k, &more) != ERR_OK)
                more = false;
        look_at_clock(k);
    }
    return NULL;
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
    k->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (k->stop_fd < 0) {
        err = ERR_IO;
        goto fail_alloc;
    }
    err = pg_open(&k->db, uri, PG_SHARED);
    if (err != ERR_OK)
        goto fail_fd;
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
    sweep_outbox(k);
    pg_close(k->db);
    close(k->stop_fd);
    free(k);
}
