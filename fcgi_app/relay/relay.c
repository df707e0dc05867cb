/*
 * relay.c - see relay.h: reads the outbox, publishes frames, records acknowledgements.
 *
 * It reads the outbox in order. publisher.c gives the changes to nchan, with many requests in
 * flight. The relay records in the shared page how far nchan has answered, and the next writer's
 * transaction deletes those rows. So delivery costs no commit of its own.
 *
 * After a lost connection, everything unanswered is published again, in order. So a change may be
 * delivered twice, but is not lost. A change older than a minute is dropped: by then its listeners
 * have read it from the database.
 *
 * Must not know how a message is created. A second thread does the housekeeping of the
 * store (store/housekeeping.h).
 */
#include "relay/relay.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/housekeeping.h"
#include "relay/publisher.h"
#include "push/nchan.h"
#include "push/silence.h"
#include "store/outbox.h"

#define ANSWER_MS        5000 /* nchan answers within milliseconds, or not at all */
#define ANSWER_FULL_MS   500  /* the same while its memory is full: it may then lose a request */
#define FULL_MS          5000 /* how long its memory is assumed to be full after a refusal */
#define ROUND_MS         1000 /* the longest sleep */
#define RECONNECT_MS     20
#define RECONNECT_MS_MAX 1000
/* A small fan-out that nchan refuses for so long is dropped. A large one is dropped at once. */
#define REFUSED_MS 1500
#define FINISH_MS  2000 /* how long pending changes may take after SIGTERM */
/* A fan-out to more users than this is large. */
#define LARGE_USERS 1000
/* A conversation deferred for so long is dropped: clients have fetched its changes by then. */
#define DEFERRED_MS 60000

struct relay {
    struct shared *shared;
    struct store store;
    struct nchan *nchan;
    struct silence *silence;
    struct publisher publisher;
    bool leads;               /* this relay publishes the changes; else it stands by */
    int64_t queued_id;        /* the last change taken from the outbox */
    int64_t delivered_id;     /* every change up to it is delivered or deferred */
    uint64_t answers;         /* publishes that were answered or lost since the start */
    int64_t full_until_ms;    /* until then nchan's memory is assumed to be full (clock_mono_ms) */
    size_t users;             /* the audience of the largest frame of the last batch */
    int64_t progress_ms;      /* when nchan last answered or was idle (clock_mono_ms) */
    int64_t retry_ms;         /* the pause before the next attempt to connect */
    int64_t refused_since_ms; /* when nchan began to refuse the current change; 0: it does not */
    bool look;                /* read the outbox even if no writer has announced a change */
    int signal_fd;
    int64_t finish_by_ms; /* the deadline after SIGTERM; 0: no SIGTERM yet */
};

/*
 * Records which changes the next relay can skip: those delivered, up to the oldest deferred one.
 */
static void
acknowledge(struct relay *r)
{
    int64_t floor;

    fanout_delivered(&r->publisher.fanout, r->answers);
    floor = fanout_floor(&r->publisher.fanout);
    atomic_store(&r->shared->acknowledged_change, r->delivered_id < floor ? r->delivered_id : floor - 1);
}

/* nchan has answered one publish. A ticket is the id up to which every change is delivered. */
static void
answered(void *arg, int64_t id)
{
    struct relay *r = arg;

    r->progress_ms = clock_mono_ms();
    r->answers++;
    if (id == 0)
        return;
    r->delivered_id = id;
    r->retry_ms = RECONNECT_MS;
    r->refused_since_ms = 0;
    r->publisher.batch_max = PUBLISHER_BATCH_MAX;
}

/*
 * Forgets everything in flight, which will be read and published again. The pause before the next
 * attempt grows, unless nginx has only closed an idle connection.
 */
static void
lose_connection(struct relay *r, const char *why)
{
    bool was_idle = nchan_connected(r->nchan) && !nchan_in_flight(r->nchan);

    if (atomic_exchange(&r->shared->relay_connected, false))
        log_event(LOG_WARNING, "push_disconnected", "reason=%s", why);
    nchan_disconnect(r->nchan);
    r->retry_ms = was_idle ? RECONNECT_MS : r->retry_ms * 2;
    if (r->retry_ms > RECONNECT_MS_MAX)
        r->retry_ms = RECONNECT_MS_MAX;
    r->answers = r->publisher.published;
    publisher_lose(&r->publisher);
    r->queued_id = r->delivered_id;
}

static void
count_dropped(struct relay *r, int changes, const char *why)
{
    shared_count(&r->shared->counters.dropped_changes, (uint64_t)changes);
    log_event(LOG_WARNING, "push_dropped", "changes=%d reason=%s", changes, why);
}

/*
 * nchan has refused a publish because its memory is full. Until it accepts one, changes are
 * published one at a time. A change that it refuses for REFUSED_MS is dropped, because all other
 * pushes wait behind it. Clients notice the gap in the versions. A fan-out to thousands is dropped
 * at once: it needs so much memory that waiting rarely helps.
 */
static void
handle_refusal(struct relay *r)
{
    int64_t now = clock_mono_ms();
    int64_t at_hand = r->queued_id;
    bool alone = r->publisher.batch_max == 1;

    if (r->refused_since_ms == 0 || !alone)
        r->refused_since_ms = now;
    r->publisher.batch_max = 1;
    r->full_until_ms = now + FULL_MS;
    if (alone && (r->users > LARGE_USERS || now - r->refused_since_ms > REFUSED_MS)) {
        count_dropped(r, 1, "refused");
        r->delivered_id = at_hand;
        r->refused_since_ms = 0;
    }
    lose_connection(r, "refused");
}

/* Publishes the next batch of committed changes. */
static void
publish_changes(struct relay *r)
{
    struct batch_result result;
    enum err err = publisher_batch(&r->publisher, r->queued_id, &result);

    if (err != ERR_OK) {
        lose_connection(r, "change_unreadable");
        return;
    }
    if (result.dropped > 0)
        count_dropped(r, result.dropped, "too_old");
    /* These are not logged, because one user could cause them all the time. */
    shared_count(&r->shared->counters.dropped_changes, (uint64_t)result.unannounced);
    shared_count(&r->shared->counters.pushes, (uint64_t)result.frames);
    shared_count(&r->shared->counters.pushed_changes, (uint64_t)result.taken);
    r->queued_id = result.last_id;
    r->users = result.users;
    /* A batch without a push is delivered when everything in flight before it is. */
    if (result.frames == 0 && nchan_in_flight(r->nchan))
        nchan_set_ticket(r->nchan, result.last_id);
    else if (result.frames == 0)
        r->delivered_id = result.last_id;
}

/* Reads what each frame begins with. A relay that stands by has not done so at its start. */
static enum err
read_epoch(struct relay *r)
{
    struct instance instance = {0};
    struct snapshot *snapshot;
    enum err err = snapshot_begin(&r->store, &snapshot);

    if (err != ERR_OK)
        return err;
    err = instance_get(snapshot->db, &instance);
    snapshot_end(snapshot);
    if (err == ERR_OK)
        memcpy(r->publisher.epoch, instance.epoch, sizeof(r->publisher.epoch));
    return err;
}

/*
 * Publishes signals, as long as nchan has room after the changes. While nchan is unreachable, they
 * are discarded: later they would be stale.
 */
static void
publish_signals(struct relay *r)
{
    struct shared_signal signal;
    struct shared_signal last = {0};

    while ((!nchan_connected(r->nchan) || nchan_has_room(r->nchan)) &&
           shared_next_signal(r->shared, &signal)) {
        /* A client may send one for each key stroke. */
        bool again = signal.conversation == last.conversation && strcmp(signal.username, last.username) == 0;

        last = signal;
        if (again || !nchan_connected(r->nchan))
            continue;
        if (r->publisher.epoch[0] == '\0' && read_epoch(r) != ERR_OK)
            continue;
        if (publisher_signal(&r->publisher, &signal) != ERR_OK)
            lose_connection(r, "signal_unreadable");
        else
            shared_count(&r->shared->counters.pushes, (uint64_t)r->publisher.frames);
    }
}

static bool
is_full(const struct relay *r)
{
    return clock_mono_ms() < r->full_until_ms;
}

/*
 * Returns how long until the next deferred conversation may be published; -1: none is waiting, or
 * nchan has no room.
 */
static int64_t
wait_of_deferred_ms(struct relay *r)
{
    if (!nchan_connected(r->nchan) || !nchan_has_room(r->nchan) || is_full(r))
        return -1;
    return fanout_wait_ms(&r->publisher.fanout, clock_mono_ms());
}

/* Publishes one deferred conversation, if there is room for it. */
static void
publish_deferred(struct relay *r)
{
    int expired = fanout_expire(&r->publisher.fanout, clock_mono_ms() - DEFERRED_MS);

    if (expired > 0)
        count_dropped(r, expired, "waited_too_long");
    if (wait_of_deferred_ms(r) != 0)
        return;
    if (publisher_deferred(&r->publisher) != ERR_OK)
        lose_connection(r, "conversation_unreadable");
    else
        shared_count(&r->shared->counters.pushes, (uint64_t)r->publisher.frames);
}

/*
 * True if the next batch may be published. While changes go one at a time, each waits until the one
 * before is answered.
 */
static bool
has_room(const struct relay *r)
{
    return nchan_has_room(r->nchan) && (r->publisher.batch_max > 1 || !nchan_in_flight(r->nchan));
}

/* True if committed changes are not queued yet. */
static bool
is_behind(const struct relay *r)
{
    return atomic_load(&r->shared->committed_change) > r->queued_id;
}

static void
connect_again(struct relay *r)
{
    if (nchan_connect(r->nchan) != ERR_OK) {
        lose_connection(r, "nobody_listens");
        return;
    }
    r->progress_ms = clock_mono_ms();
    atomic_store(&r->shared->relay_connected, true);
    shared_count(&r->shared->counters.push_connections, 1);
    log_event(LOG_INFO, "push_connected", "pending=%lld",
              (long long)(atomic_load(&r->shared->committed_change) - r->queued_id));
}

/* Starts the deadline after SIGTERM. Until then, pending changes are still published. */
static void
begin_to_finish(struct relay *r)
{
    struct signalfd_siginfo info;

    if (read(r->signal_fd, &info, sizeof(info)) > 0)
        r->finish_by_ms = clock_mono_ms() + FINISH_MS;
}

/*
 * Returns how long to sleep at most. Without a connection, until the next attempt to connect. With
 * deferred conversations, until the next may be published, even if that is now: without listeners
 * it takes no publish, so no answer of nchan would wake the relay.
 */
static int
sleep_ms(struct relay *r)
{
    int round_ms = nchan_in_flight(r->nchan) && is_full(r) ? ANSWER_FULL_MS : ROUND_MS;
    int timeout_ms = nchan_connected(r->nchan) ? round_ms : (int)r->retry_ms;
    int64_t deferred_ms = wait_of_deferred_ms(r);

    if (deferred_ms >= 0 && deferred_ms < timeout_ms)
        return (int)deferred_ms;
    return timeout_ms;
}

/* Sleeps until there is something to do, at most ROUND_MS. */
static void
wait_for_work(struct relay *r)
{
    bool connected = nchan_connected(r->nchan);
    bool wants_changes = connected && r->leads && has_room(r);
    int timeout_ms = sleep_ms(r);
    bool wants_signals = !connected || nchan_has_room(r->nchan);
    short nchan_events = nchan_wants_write(r->nchan) ? POLLIN | POLLOUT : POLLIN;
    struct pollfd fds[4] = {
        {.fd = wants_changes || !r->leads ? r->shared->wake_fd : -1, .events = POLLIN},
        {.fd = r->signal_fd, .events = POLLIN},
        {.fd = nchan_fd(r->nchan), .events = nchan_events},
        {.fd = wants_signals ? r->shared->unstored_fds[0] : -1, .events = POLLIN},
    };

    /*
     * Set the flag, then check for changes. A writer commits a change, then checks the flag. So at
     * least one of the two sees the other.
     */
    atomic_store(&r->shared->relay_asleep, wants_changes);
    if (wants_changes && is_behind(r))
        timeout_ms = 0;
    /* After an idle round, look for the changes of a writer that died before it announced them. */
    r->look = poll(fds, 4, timeout_ms) == 0 && timeout_ms == ROUND_MS;
    atomic_store(&r->shared->relay_asleep, false);
    if ((fds[0].revents & POLLIN) != 0)
        shared_drain(r->shared->wake_fd);
    if ((fds[1].revents & POLLIN) != 0)
        begin_to_finish(r);
}

/* Returns for how long nchan has owed an answer, in ms; 0: nothing is in flight. */
static int64_t
owed_ms(const struct relay *r)
{
    return nchan_in_flight(r->nchan) ? clock_mono_ms() - r->progress_ms : 0;
}

/* Writes to nchan and reads its answers, without blocking. */
static void
talk_to_nchan(struct relay *r)
{
    enum err err = nchan_write(r->nchan);

    if (!nchan_in_flight(r->nchan))
        r->progress_ms = clock_mono_ms();
    /* Answers that came before it closed the connection still count. */
    if (err == ERR_OK)
        err = nchan_read(r->nchan, answered, r);
    if (err == ERR_OK && is_full(r) && owed_ms(r) > ANSWER_FULL_MS)
        err = ERR_REFUSED;
    if (err == ERR_REFUSED)
        handle_refusal(r);
    else if (err != ERR_OK)
        lose_connection(r, "closed");
    else if (owed_ms(r) > ANSWER_MS)
        lose_connection(r, "no_answer");
}

/*
 * True after SIGTERM once everything is delivered, or cannot be now. The outbox keeps what is left.
 */
static bool
is_finished(const struct relay *r)
{
    if (r->finish_by_ms == 0)
        return false;
    if (!nchan_connected(r->nchan) || clock_mono_ms() > r->finish_by_ms)
        return true;
    return !(r->leads && is_behind(r)) && !nchan_in_flight(r->nchan) && r->publisher.fanout.count == 0;
}

/* Finds the first change that no earlier relay has seen delivered. */
static enum err
find_start(struct relay *r)
{
    struct instance instance = {0};
    int64_t oldest = 0;
    int64_t known;
    struct snapshot *snapshot;
    enum err err = snapshot_begin(&r->store, &snapshot);

    if (err != ERR_OK)
        return err;
    err = instance_get(snapshot->db, &instance);
    if (err == ERR_OK)
        err = outbox_oldest(snapshot->db, &oldest);
    snapshot_end(snapshot);
    if (err != ERR_OK)
        return err;
    memcpy(r->publisher.epoch, instance.epoch, sizeof(r->publisher.epoch));
    known = atomic_load(&r->shared->acknowledged_change);
    r->queued_id = oldest == 0 ? instance.last_change : oldest - 1;
    if (r->queued_id < known)
        r->queued_id = known;
    r->delivered_id = r->queued_id;
    atomic_store(&r->shared->acknowledged_change, r->queued_id);
    shared_announce(r->shared, instance.last_change);
    return ERR_OK;
}

/*
 * Begins to publish when no other host's relay does. Returns false if this relay must end: it
 * cannot read where to begin, or another relay may publish from now on. Its successor stands by,
 * and reads everything anew.
 */
static bool
follow_lead(struct relay *r)
{
    bool stands_by = atomic_load(&r->shared->relay_stands_by);

    if (r->leads != stands_by)
        return true;
    if (stands_by) {
        log_event(LOG_WARNING, "relay_stands_down", "pending=%lld",
                  (long long)(atomic_load(&r->shared->committed_change) - r->delivered_id));
        return false;
    }
    r->leads = find_start(r) == ERR_OK;
    if (!r->leads)
        log_event(LOG_ERROR, "relay_failed", "reason=cannot_read_outbox");
    else
        log_event(LOG_INFO, "relay_ready", "pending=%lld",
                  (long long)(atomic_load(&r->shared->committed_change) - r->queued_id));
    return r->leads;
}

/*
 * The main loop: until SIGTERM, and then until everything pending is published. Returns the exit
 * status of the process.
 */
static int
run(struct relay *r)
{
    while (!is_finished(r)) {
        atomic_store(&r->shared->relay_beat_ms, clock_mono_ms());
        log_set_level((enum log_level)atomic_load(&r->shared->log_level));
        if (!nchan_connected(r->nchan))
            connect_again(r);
        if (!follow_lead(r))
            return EXIT_FAILURE;
        if (r->leads && (is_behind(r) || r->look) && has_room(r))
            publish_changes(r);
        publish_signals(r);
        publish_deferred(r);
        if (nchan_connected(r->nchan))
            talk_to_nchan(r);
        if (r->leads)
            acknowledge(r);
        wait_for_work(r);
    }
    return EXIT_SUCCESS;
}

static enum err
open_all(struct relay *r, const struct config *config)
{
    sigset_t signals;
    enum err err;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    r->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (r->signal_fd < 0)
        return ERR_IO;
    err = nchan_new(&r->nchan, config->push_socket);
    if (err == ERR_OK)
        err = silence_start(&r->silence, config->push_socket, r->shared);
    if (err == ERR_OK)
        err = store_open_for_reading(&r->store, config->store, 1, r->shared);
    r->publisher.store = &r->store;
    r->publisher.nchan = r->nchan;
    r->publisher.silence = r->silence;
    r->publisher.shared = r->shared;
    r->publisher.batch_max = PUBLISHER_BATCH_MAX;
    return err;
}

int
relay_run(const struct config *config, struct shared *shared)
{
    struct relay r = {.shared = shared, .retry_ms = RECONNECT_MS};
    struct housekeeping *housekeeping;
    int status;

    atomic_store(&shared->relay_connected, false);
    if (open_all(&r, config) != ERR_OK ||
        housekeeping_start(&housekeeping, config->store, shared) != ERR_OK) {
        log_event(LOG_ERROR, "relay_failed", "reason=cannot_open");
        return EXIT_FAILURE;
    }
    if (atomic_load(&shared->relay_stands_by))
        log_event(LOG_INFO, "relay_stands_by", "%s", "");
    status = run(&r);
    log_event(
        LOG_INFO, "relay_ended", "pending=%lld",
        (long long)(atomic_load(&shared->committed_change) - atomic_load(&shared->acknowledged_change)));
    housekeeping_stop(housekeeping);
    silence_stop(r.silence);
    nchan_free(r.nchan);
    publisher_clear(&r.publisher);
    store_close(&r.store);
    close(r.signal_fd);
    return status;
}
