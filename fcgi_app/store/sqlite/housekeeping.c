/* housekeeping.c - see store/housekeeping.h. Must not know what is pushed. */
#include "store/sqlite/engine.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/sqlite/db.h"
#include "store/sqlite/instance.h"
#include "store/sqlite/outbox.h"
#include "store/sqlite/reactions.h"
#include "store/sqlite/wal.h"
#include "store/sqlite/witness.h"

#define IDLE_MS 1000
/* Rows of one batch: a few milliseconds of work. */
#define REACTIONS_AT_ONCE 500
#define BATCHES_A_ROUND   20
#define BATCH_PAUSE_MS    5
/*
 * Each group of commits advances the tick by at least 1 ms, so under load it can run ahead of the
 * clock, but never by a minute.
 */
#define CLOCK_BEHIND_MS 60000

struct keeper {
    struct housekeeping face; /* first */
    struct shared *shared;
    struct wal *wal;  /* a part of it */
    const char *path; /* of the database file */
    struct db *db;
    pthread_t thread;
    int stop_fd;       /* eventfd */
    int64_t swept;     /* outbox rows up to this id were swept */
    int64_t last_seen; /* committed_change at the last round */
    int64_t noted;     /* the tick in the witness file */
    int64_t noted_ms;  /* when the witness was last written (clock_mono_ms) */
    bool wipe_again;   /* when the log was last wiped, outbox rows still held deleted content */
    int64_t wiped_ms;  /* when the last wipe was started (clock_mono_ms) */
};

/* Stores a new tick, which adds a page to the log. Under the write lock. */
static enum err
commit_tick(struct keeper *h)
{
    struct tx_counters counters;
    struct tx tx = {.db = h->db};
    enum err err = db_do(h->db, SQL_BEGIN_WRITE);

    if (err == ERR_OK)
        err = instance_advance(&tx, &counters);
    if (err == ERR_OK)
        err = instance_set(&tx);
    return db_end_write(h->db, err);
}

/*
 * Copies most of the log while writers continue.
 *
 * A checkpoint reads the log's header before it copies. If the log is already copied completely at
 * that moment, a writer may restart it in between, and SQLite 3.7.0 to 3.51.2 then copies stale
 * frames over good pages (its WAL-reset race). So this commits a tick first. From then on the log
 * holds a page that is not copied. No writer restarts such a log, and only this thread copies.
 */
static enum err
copy_bulk(struct keeper *h)
{
    bool done;
    enum err err;

    shared_lock(h->shared);
    err = commit_tick(h);
    shared_unlock(h->shared);
    return err == ERR_OK ? db_checkpoint(h->db, DB_CHECKPOINT_COPY, &done) : err;
}

/*
 * Copies the log in two steps: most of it while writers continue, the rest under the write lock.
 * After the second step the whole log is copied, so the next writer restarts it.
 *
 * If a reader still needs the log, this is tried again once the log has grown by another quarter.
 * If content was deleted, or the log is larger than it should stay, the file is also truncated. If
 * a reader prevents that, it is tried again a round later.
 */
static void
checkpoint(struct keeper *h)
{
    bool done;
    bool wipe;
    enum err err = copy_bulk(h);

    if (err != ERR_OK)
        return;
    shared_lock(h->shared);
    wipe = atomic_exchange(&h->wal->wipe, false);
    err = db_checkpoint(h->db, wipe ? DB_CHECKPOINT_EMPTY : DB_CHECKPOINT_RESTART, &done);
    if (err == ERR_OK && done) {
        atomic_store(&h->wal->pages, 0);
        shared_count(&h->wal->checkpoints, 1);
        h->wipe_again = h->wipe_again || (wipe && atomic_load(&h->shared->committed_change) > h->swept);
    } else if (wipe) {
        atomic_store(&h->wal->wipe, true);
    }
    shared_unlock(h->shared);
}

/* Returns true at most once a second, so that deletions in close succession share a checkpoint. */
static bool
wipe_is_due(struct keeper *h)
{
    int64_t now = clock_mono_ms();

    if (!atomic_load(&h->wal->wipe) || now - h->wiped_ms < IDLE_MS)
        return false;
    h->wiped_ms = now;
    return true;
}

static void
sweep(struct keeper *h, int64_t acknowledged)
{
    enum err err;

    shared_lock(h->shared);
    err = db_do(h->db, SQL_BEGIN_WRITE);
    if (err == ERR_OK)
        err = outbox_trim(h->db, acknowledged);
    err = db_end_write(h->db, err);
    shared_unlock(h->shared);
    if (err != ERR_OK)
        return;
    h->swept = acknowledged;
    /*
     * Outbox rows hold the emoji of reactions, so the log must lose its copies of the deleted rows
     * too.
     */
    if (h->wipe_again)
        atomic_store(&h->wal->wipe, true);
    h->wipe_again = false;
}

/* Deletes one batch of rows that cleared reactions have left behind. *more: there may be others. */
static enum err
sweep_reactions(struct keeper *h, bool *more)
{
    int64_t set = 0;
    bool done = false;
    enum err err = db_do(h->db, SQL_BEGIN_WRITE);

    if (err == ERR_OK)
        err = reactions_cleared(h->db, &set);
    if (err == ERR_OK && set != 0)
        err = reactions_sweep(h->db, set, REACTIONS_AT_ONCE, &done);
    err = db_end_write(h->db, err);
    *more = err == ERR_OK && set != 0;
    return err;
}

/*
 * Deletes in batches, so that no writer waits longer than for one batch. The lock is not fair, so a
 * pause after each batch lets writers in. The number of batches is bounded, so that checkpoints are
 * not delayed; the next round continues.
 */
static void
sweep_all_reactions(struct keeper *h)
{
    struct pollfd stop = {.fd = h->stop_fd, .events = POLLIN};
    int64_t set;
    bool more = reactions_cleared(h->db, &set) == ERR_OK && set != 0;

    for (int batch = 0; more && batch < BATCHES_A_ROUND; batch++) {
        if (batch > 0 && poll(&stop, 1, BATCH_PAUSE_MS) != 0)
            return;
        shared_lock(h->shared);
        if (sweep_reactions(h, &more) != ERR_OK)
            more = false;
        shared_unlock(h->shared);
    }
}

static bool
log_is_large(const struct keeper *h)
{
    char name[PATH_MAX];
    struct stat st;

    snprintf(name, sizeof(name), "%s-wal", h->path);
    return stat(name, &st) == 0 && st.st_size > DB_LOG_BYTES_KEPT;
}

/*
 * If nothing was written for a whole round, no writer trims the outbox or shrinks the log. This
 * does both.
 */
static void
when_idle(struct keeper *h)
{
    int64_t acknowledged = atomic_load(&h->shared->acknowledged_change);
    int64_t committed = atomic_load(&h->shared->committed_change);

    if (committed == h->last_seen && acknowledged > h->swept)
        sweep(h, acknowledged);
    if (committed == h->last_seen && log_is_large(h))
        atomic_store(&h->wal->wipe, true);
    h->last_seen = committed;
}

/*
 * Reports a wall clock that is far behind the last tick. Either the clock is wrong now, or it was
 * wrong when that tick was stored. Until the clock has caught up, timestamps count on from that
 * tick.
 */
static void
look_at_clock(struct keeper *h)
{
    struct instance instance;
    int64_t before_ms = atomic_load(&h->shared->clock_behind_ms);
    int64_t behind_ms;

    if (sqlite_instance_get(h->db, &instance) != ERR_OK)
        return;
    behind_ms = instance.tick - clock_wall_ms();
    behind_ms = behind_ms > CLOCK_BEHIND_MS ? behind_ms : 0;
    atomic_store(&h->shared->clock_behind_ms, behind_ms);
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
    struct keeper *h = arg;
    struct pollfd fds[2] = {
        {.fd = h->stop_fd, .events = POLLIN},
        {.fd = h->shared->housekeeping_fd, .events = POLLIN},
    };

    for (;;) {
        int n = poll(fds, 2, IDLE_MS);

        if (n > 0 && (fds[0].revents & POLLIN) != 0)
            return NULL;
        if (n > 0 && (fds[1].revents & POLLIN) != 0)
            shared_drain(h->shared->housekeeping_fd);
        if (n > 0 || atomic_load(&h->wal->pages) >= WAL_PAGES_LONG || wipe_is_due(h))
            checkpoint(h);
        if (n == 0)
            when_idle(h);
        if (clock_mono_ms() - h->noted_ms >= IDLE_MS) {
            h->noted_ms = clock_mono_ms();
            witness_note(h->db, h->path, &h->noted);
            look_at_clock(h);
            sweep_all_reactions(h);
        }
    }
}

enum err
sqlite_housekeeping_start(struct housekeeping **out, const char *uri, struct shared *shared)
{
    struct keeper *h = calloc(1, sizeof(*h));
    enum err err;

    if (h == NULL)
        return ERR_MEMORY;
    h->face.engine = &sqlite_engine;
    h->shared = shared;
    h->wal = wal_shared(shared);
    h->path = engine_rest(uri);
    h->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (h->stop_fd < 0) {
        err = ERR_IO;
        goto fail_alloc;
    }
    err = db_open(&h->db, h->path, DB_WRITE);
    if (err != ERR_OK)
        goto fail_fd;
    if (pthread_create(&h->thread, NULL, run, h) != 0) {
        err = ERR_MEMORY;
        goto fail_db;
    }
    *out = &h->face;
    return ERR_OK;
fail_db:
    db_close(h->db);
fail_fd:
    close(h->stop_fd);
fail_alloc:
    free(h);
    return err;
}

void
sqlite_housekeeping_stop(struct housekeeping *face)
{
    struct keeper *h = (struct keeper *)(void *)face;
    uint64_t one = 1;

    if (write(h->stop_fd, &one, sizeof(one)) < 0)
        log_event(LOG_ERROR, "stop_failed", "thread=housekeeping");
    pthread_join(h->thread, NULL);
    witness_note(h->db, h->path, &h->noted);
    db_close(h->db);
    close(h->stop_fd);
    free(h);
}

void
sqlite_housekeeping_look(const struct store *s, struct shared *shared, struct housekeeping_view *view)
{
    struct wal *wal = wal_shared(shared);

    (void)s;
    *view = (struct housekeeping_view){
        .log_pages = atomic_load(&wal->pages),
        .checkpoints = (int64_t)atomic_load(&wal->checkpoints),
    };
}
