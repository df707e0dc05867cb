/*
 * relay.c - see relay.h: outbox in, frames out, acknowledgements noted.
 *
 * It takes the outbox in order, and publisher.c gives each change to nchan, many requests in flight. What
 * nchan has answered is noted in the shared page; the next writer's transaction deletes those rows, so
 * delivery costs no commit of its own. When a connection is lost, everything not answered is published again,
 * in order: a change may come twice, never not at all. A change older than a minute is dropped: whoever could
 * have received it has asked the database by then.
 *
 * Must not know how a message comes to be. A second thread keeps the write-ahead log short
 * (store/housekeeping.h).
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
#define ANSWER_FULL_MS   500  /* or, with its memory full, swallows a push */
#define FULL_MS          5000 /* its memory passes for full for so long after a refusal */
#define ROUND_MS         1000 /* so often it goes round at least */
#define RECONNECT_MS     20
#define RECONNECT_MS_MAX 1000
#define REFUSED_MS                                                                                           \
    1500               /* a small fan-out that nchan refuses for so long is given up, a large one at once    \
                        */
#define FINISH_MS 2000 /* what SIGTERM leaves for what is pending */
/* A fan-out to more users than this is large. */
#define LARGE_USERS 1000
/* A deferred conversation that has waited for so long is given up: clients have asked by then. */
#define DEFERRED_MS 60000

struct relay {
    struct shared *shared;
    struct store store;
    struct nchan *nchan;
    struct silence *silence;
    struct publisher publisher;
    int64_t queued_id;     /* the last change taken from the outbox */
    int64_t delivered_id;  /* up to here all is delivered, but for what is deferred */
    uint64_t answers;      /* of nchan, and requests that were lost, since the start */
    int64_t full_until_ms; /* nchan's memory passes for full (clock_mono_ms) */
    size_t users;          /* whom the largest of the last batch's frames was for */
    int64_t progress_ms;   /* when nchan last answered or was idle (clock_mono_ms) */
    int64_t retry_ms;      /* pause before the next try to connect; grows until something is delivered */
    int64_t
        refused_since_ms; /* nchan refuses the change at hand since then (clock_mono_ms); 0: it does not */
    bool look;            /* look at the outbox though nobody has announced anything */
    int signal_fd;
    int64_t finish_by_ms; /* after SIGTERM; 0: not yet */
};

/* What another relay need not see again: all that is delivered, before the oldest of what is deferred. */
static void
acknowledge(struct relay *r)
{
    int64_t floor;

    fanout_delivered(&r->publisher.fanout, r->answers);
    floor = fanout_floor(&r->publisher.fanout);
    atomic_store(&r->shared->acknowledged_change, r->delivered_id < floor ? r->delivered_id : floor - 1);
}

/* nchan has answered one request; where it bears a ticket, all changes up to that one are delivered. */
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
 * Forgets what is in flight: it will be read and published again. The pause before the next try grows, except
 * where nginx only closed a connection that was idle.
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
    fanout_lose(&r->publisher.fanout);
    r->queued_id = r->delivered_id;
}

static void
dropped(struct relay *r, int changes, const char *why)
{
    shared_count(&r->shared->counters.dropped_changes, (uint64_t)changes);
    log_event(LOG_WARNING, "push_dropped", "changes=%d reason=%s", changes, why);
}

/*
 * nchan cannot take a push just now, its memory is full. Changes go one by one until it can, and one that it
 * has refused for so long is given up: everybody else's pushes wait behind it, and versions tell who missed
 * it. One for thousands takes so much memory that waiting would help the less, and holds up the others the
 * more.
 */
static void
refused(struct relay *r)
{
    int64_t now = clock_mono_ms();
    int64_t at_hand = r->queued_id;
    bool alone = r->publisher.batch_max == 1;

    if (r->refused_since_ms == 0 || !alone)
        r->refused_since_ms = now;
    r->publisher.batch_max = 1;
    r->full_until_ms = now + FULL_MS;
    if (alone && (r->users > LARGE_USERS || now - r->refused_since_ms > REFUSED_MS)) {
        dropped(r, 1, "refused");
        r->delivered_id = at_hand;
        r->refused_since_ms = 0;
    }
    lose_connection(r, "refused");
}

/* Takes what has been committed off the outbox, up to a batch. */
static void
queue_changes(struct relay *r)
{
    struct batch_result result;
    enum err err = publisher_batch(&r->publisher, r->queued_id, &result);

    if (err != ERR_OK) {
        lose_connection(r, "change_unreadable");
        return;
    }
    if (result.dropped > 0)
        dropped(r, result.dropped, "too_old");
    /* Without a line in the log for each: somebody may do this all the time. */
    shared_count(&r->shared->counters.dropped_changes, (uint64_t)result.untold);
    shared_count(&r->shared->counters.pushes, (uint64_t)result.frames);
    shared_count(&r->shared->counters.pushed_changes, (uint64_t)result.taken);
    r->queued_id = result.last_id;
    r->users = result.users;
    /* What needs no push counts as done in its turn: after what is in flight before it. */
    if (result.frames == 0 && nchan_in_flight(r->nchan))
        nchan_set_ticket(r->nchan, result.last_id);
    else if (result.frames == 0)
        r->delivered_id = result.last_id;
}

/*
 * Who is typing, as far as there is room for it after what is committed. While nchan cannot be reached it is
 * forgotten: it would be old by then.
 */
static void
pass_typing_on(struct relay *r)
{
    struct shared_typing typing;
    struct shared_typing last = {0};

    while ((!nchan_connected(r->nchan) || nchan_has_room(r->nchan)) &&
           shared_next_typing(r->shared, &typing)) {
        /* Every key stroke may send one. */
        bool again = typing.conversation == last.conversation && strcmp(typing.username, last.username) == 0;

        last = typing;
        if (again || !nchan_connected(r->nchan))
            continue;
        if (publisher_typing(&r->publisher, &typing) != ERR_OK)
            lose_connection(r, "typing_unreadable");
        else
            shared_count(&r->shared->counters.pushes, (uint64_t)r->publisher.frames);
    }
}

static bool
is_full(const struct relay *r)
{
    return clock_mono_ms() < r->full_until_ms;
}

/* Returns how long until the next deferred conversation may go out; -1: none waits, or nchan has no room. */
static int64_t
wait_of_deferred_ms(struct relay *r)
{
    if (!nchan_connected(r->nchan) || !nchan_has_room(r->nchan) || is_full(r))
        return -1;
    return fanout_wait_ms(&r->publisher.fanout, clock_mono_ms());
}

/* One fan-out that had to wait, where there is room for it. */
static void
pass_deferred_on(struct relay *r)
{
    int expired = fanout_expire(&r->publisher.fanout, clock_mono_ms() - DEFERRED_MS);

    if (expired > 0)
        dropped(r, expired, "waited_too_long");
    if (wait_of_deferred_ms(r) != 0)
        return;
    if (publisher_deferred(&r->publisher) != ERR_OK)
        lose_connection(r, "conversation_unreadable");
    else
        shared_count(&r->shared->counters.pushes, (uint64_t)r->publisher.frames);
}

/* May the next batch go out? While changes go one by one, each waits for the answer to the one before. */
static bool
has_room(const struct relay *r)
{
    return nchan_has_room(r->nchan) && (r->publisher.batch_max > 1 || !nchan_in_flight(r->nchan));
}

static bool
behind(const struct relay *r)
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

/* SIGTERM: what is pending may still go out, for a short while. */
static void
begin_to_finish(struct relay *r)
{
    struct signalfd_siginfo info;

    if (read(r->signal_fd, &info, sizeof(info)) > 0)
        r->finish_by_ms = clock_mono_ms() + FINISH_MS;
}

/* Sleeps until there is something to do, at most a round. */
static void
wait_for_work(struct relay *r)
{
    /* Without a connection only the time to try again counts; without room, only what nchan answers. */
    bool connected = nchan_connected(r->nchan);
    bool wants_changes = connected && has_room(r);
    int round_ms = nchan_in_flight(r->nchan) && is_full(r) ? ANSWER_FULL_MS : ROUND_MS;
    int timeout_ms = connected ? round_ms : (int)r->retry_ms;
    int64_t deferred_ms = wait_of_deferred_ms(r);
    bool wants_typing = !connected || nchan_has_room(r->nchan);
    struct pollfd fds[4] = {
        {.fd = wants_changes ? r->shared->wake_fd : -1, .events = POLLIN},
        {.fd = r->signal_fd, .events = POLLIN},
        {.fd = nchan_fd(r->nchan), .events = (short)(POLLIN | (nchan_wants_write(r->nchan) ? POLLOUT : 0))},
        {.fd = wants_typing ? r->shared->typing_fds[0] : -1, .events = POLLIN},
    };

    /* 0 too: a deferred conversation that nobody listens to takes no publish, so no answer of nchan would
     * wake us. */
    if (deferred_ms >= 0 && deferred_ms < timeout_ms)
        timeout_ms = (int)deferred_ms;
    /* First the flag, then the look: a writer does the two the other way round, so one of us sees the other.
     */
    atomic_store(&r->shared->relay_asleep, wants_changes);
    if (wants_changes && behind(r))
        timeout_ms = 0;
    /* A writer that died between its commit and the announcement: its changes are found here. */
    r->look = poll(fds, 4, timeout_ms) == 0 && timeout_ms == ROUND_MS;
    atomic_store(&r->shared->relay_asleep, false);
    if ((fds[0].revents & POLLIN) != 0)
        shared_drain(r->shared->wake_fd);
    if ((fds[1].revents & POLLIN) != 0)
        begin_to_finish(r);
}

/* How long nchan has owed an answer, in ms. */
static int64_t
owed_ms(const struct relay *r)
{
    return nchan_in_flight(r->nchan) ? clock_mono_ms() - r->progress_ms : 0;
}

/* Writes and reads as far as it goes without waiting. */
static void
talk_to_nchan(struct relay *r)
{
    enum err err = nchan_write(r->nchan);

    if (!nchan_in_flight(r->nchan))
        r->progress_ms = clock_mono_ms();
    /* What it has answered before it closed still counts. */
    if (err == ERR_OK)
        err = nchan_read(r->nchan, answered, r);
    if (err == ERR_OK && is_full(r) && owed_ms(r) > ANSWER_FULL_MS)
        err = ERR_REFUSED;
    if (err == ERR_REFUSED)
        refused(r);
    else if (err != ERR_OK)
        lose_connection(r, "closed");
    else if (owed_ms(r) > ANSWER_MS)
        lose_connection(r, "no_answer");
}

/* After SIGTERM: all is delivered, or it cannot be just now. The outbox keeps what is left. */
static bool
finished(const struct relay *r)
{
    if (r->finish_by_ms == 0)
        return false;
    return !nchan_connected(r->nchan) || clock_mono_ms() > r->finish_by_ms ||
           (!behind(r) && !nchan_in_flight(r->nchan) && r->publisher.fanout.count == 0);
}

static void
go_round(struct relay *r)
{
    while (!finished(r)) {
        atomic_store(&r->shared->relay_beat_ms, clock_mono_ms());
        log_set_level((enum log_level)atomic_load(&r->shared->log_level));
        if (!nchan_connected(r->nchan))
            connect_again(r);
        if ((behind(r) || r->look) && has_room(r))
            queue_changes(r);
        pass_typing_on(r);
        pass_deferred_on(r);
        if (nchan_connected(r->nchan))
            talk_to_nchan(r);
        acknowledge(r);
        wait_for_work(r);
    }
}

/* Where to begin: at what a relay before this one has not seen delivered. */
static enum err
find_beginning(struct relay *r)
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
    /* A writer may have announced a later one already. */
    known = atomic_load(&r->shared->committed_change);
    while (known < instance.last_change &&
           !atomic_compare_exchange_weak(&r->shared->committed_change, &known, instance.last_change))
        ;
    return ERR_OK;
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
        err = store_open_for_reading(&r->store, config->database, 1);
    r->publisher.store = &r->store;
    r->publisher.nchan = r->nchan;
    r->publisher.silence = r->silence;
    r->publisher.shared = r->shared;
    r->publisher.batch_max = PUBLISHER_BATCH_MAX;
    if (err == ERR_OK)
        err = find_beginning(r);
    return err;
}

int
relay_run(const struct config *config, struct shared *shared)
{
    struct relay r = {.shared = shared, .retry_ms = RECONNECT_MS};
    struct housekeeping *housekeeping;

    atomic_store(&shared->relay_connected, false);
    if (open_all(&r, config) != ERR_OK ||
        housekeeping_start(&housekeeping, config->database, shared) != ERR_OK) {
        log_event(LOG_ERROR, "relay_failed", "reason=cannot_open");
        return EXIT_FAILURE;
    }
    log_event(LOG_INFO, "relay_ready", "pending=%lld",
              (long long)(atomic_load(&shared->committed_change) - r.queued_id));
    go_round(&r);
    log_event(
        LOG_INFO, "relay_ended", "pending=%lld",
        (long long)(atomic_load(&shared->committed_change) - atomic_load(&shared->acknowledged_change)));
    housekeeping_stop(housekeeping);
    silence_stop(r.silence);
    nchan_free(r.nchan);
    publisher_clear(&r.publisher);
    store_close(&r.store);
    close(r.signal_fd);
    return EXIT_SUCCESS;
}
