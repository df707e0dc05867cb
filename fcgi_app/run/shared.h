/*
 * shared.h - the memory that all processes of imd share: write lock, wake-ups, health, counters,
 * rate limits.
 *
 * The master maps it before it forks, and every child inherits it at the same address. It holds
 * nothing that a restart must keep: that is in the database.
 */
#ifndef IMD_RUN_SHARED_H
#define IMD_RUN_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <pthread.h>
#include "base/err.h"
#include "run/grants.h"
#include "run/limiter.h"

/* The memory that the engine of the store may use. */
#define SHARED_ENGINE_BYTES 64

/* Answers are counted by route and by status class (2xx, 4xx …). */
#define SHARED_ROUTES_MAX 64

struct shared_counters {
    _Atomic uint64_t
        answers[SHARED_ROUTES_MAX][5]; /* [row of the route][status / 100 - 1]; the last row: no route */
    _Atomic uint64_t answer_us[SHARED_ROUTES_MAX]; /* total time, in microseconds, waits included */
    _Atomic uint64_t commits;
    _Atomic uint64_t commits_failed;
    _Atomic uint64_t commands;      /* in all commits together */
    _Atomic uint64_t late_refusals; /* commands that were refused after they had written: their mistake */
    _Atomic uint64_t pushes;        /* frames posted to nchan, for up to 255 users each */
    _Atomic uint64_t pushed_changes;
    _Atomic uint64_t copies_avoided;  /* of frames, for users known to have no subscription */
    _Atomic uint64_t dropped_changes; /* too old, or refused by nchan */
    _Atomic uint64_t push_connections;
    _Atomic uint64_t limited;      /* requests that got 429 */
    _Atomic uint64_t child_deaths; /* workers and relays that ended although nobody stopped them */
};

/*
 * A push that is not stored: the user is typing in the conversation, or, if the conversation is 0,
 * a ping: an empty frame for the user. Small enough for a pipe to take it whole.
 */
struct shared_signal {
    int32_t conversation;
    char username[24]; /* ended by NUL */
};

struct shared {
    pthread_mutex_t write_lock;          /* held while writing to the database; robust: survives its holder */
    _Atomic int64_t committed_change;    /* highest outbox id that a writer has announced */
    _Atomic int64_t acknowledged_change; /* highest outbox id that needs no further push */
    _Atomic int64_t relay_beat_ms;       /* when the relay's loop last ran (clock_mono_ms); 0: never */
    _Atomic int64_t commit_ok_ms; /* when a commit last succeeded (clock_mono_ms), unless it was smaller than
                                     failed_bytes */
    _Atomic bool commit_failing;  /* a commit failed, and none of failed_bytes or more has succeeded since */
    _Atomic int64_t
        failed_bytes; /* while commit_failing: about the size of the largest commit that failed; else 0 */
    _Atomic int64_t
        clock_behind_ms; /* how far the wall clock is behind the newest tick; 0: by less than a minute */
    _Atomic bool relay_connected; /* the relay is connected to nchan's publisher */
    _Atomic bool relay_asleep;    /* the relay waits for wake_fd */
    _Atomic bool relay_stands_by; /* another host's relay publishes the changes of the database */
    int wake_fd;                  /* eventfd: wakes the relay; the same descriptor in every child */
    int housekeeping_fd;      /* eventfd: wakes the housekeeping of the engine, when the engine chooses to */
    int unstored_fds[2];      /* pipe of struct shared_signal to the relay */
    _Atomic uint64_t renames; /* raised after each commit that may have renamed a user */
    /* For the engine, which alone knows its structure. Zeroed at the start. */
    _Alignas(8) unsigned char engine[SHARED_ENGINE_BYTES];
    struct shared_counters counters;
    struct limiter limiter;                /* the rate limits of callers */
    _Atomic int log_level;                 /* enum log_level of the settings, for the relay */
    _Atomic int64_t user_rate, user_burst; /* of the settings, for the relay */
    struct grants grants;                  /* when each user was last granted a subscription */
    _Atomic bool silence;                  /* publish only to users who may be listening (push/silence.h) */
    _Atomic int64_t silent_names;
    _Atomic int64_t started_ms;     /* UNIX ms: when the master started */
    _Atomic int64_t child_death_ms; /* UNIX ms: when the last of counters.child_deaths was; 0: never */
};

/* Maps and initialises the memory. It lives as long as the process tree. ERR_MEMORY or ERR_IO. */
enum err shared_open(struct shared **out);
void shared_close(struct shared *s);

/*
 * Takes the write lock. If its holder died, the caller gets it, and the engine rolls the dead one's
 * work back.
 */
void shared_lock(struct shared *s);
void shared_unlock(struct shared *s);

/* Announces that outbox rows up to `change` are committed, and wakes the relay if it sleeps. */
void shared_announce(struct shared *s, int64_t change);
/* Records whether another host's relay publishes, and wakes the relay to learn of it. */
void shared_stand_by(struct shared *s, bool stands_by);
/*
 * Sends a signal about the user to the relay. It is dropped if the relay is so far behind that the
 * pipe is full. A name longer than a username is cut.
 */
void shared_send_signal(struct shared *s, int32_t conversation, struct str username);
/* For the relay: takes the next signal. False: there is none. */
bool shared_next_signal(struct shared *s, struct shared_signal *signal);
static inline void
shared_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Wakes the process that waits for one of the eventfds. */
void shared_wake(int fd);
/* Resets one of the eventfds after a wake-up. */
void shared_drain(int fd);

#endif
