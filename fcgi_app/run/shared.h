/*
 * shared.h - the one page that all processes of imd share: write lock, wake-up of the relay, health.
 *
 * Mapped by the master before it forks; every child inherits it at the same address. It holds nothing
 * that a restart would miss: the database is the truth.
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

/* From so many pages (16 MB) on, the write-ahead log is copied into the database file. */
#define SHARED_WAL_PAGES_LONG 4000

/* Requests are counted by route and by the hundreds of their status. */
#define SHARED_ROUTES_MAX 64

struct shared_counters {
    _Atomic uint64_t
        answers[SHARED_ROUTES_MAX][5]; /* by the route's row and status / 100 - 1; the last row: no route */
    _Atomic uint64_t answer_us[SHARED_ROUTES_MAX]; /* microseconds that they took, waits included */
    _Atomic uint64_t commits;
    _Atomic uint64_t commits_failed;
    _Atomic uint64_t commands; /* in all commits */
    _Atomic uint64_t pushes;   /* frames handed to nchan, for up to 255 users each */
    _Atomic uint64_t pushed_changes;
    _Atomic uint64_t copies_avoided;  /* of frames, for users who certainly have no subscription */
    _Atomic uint64_t dropped_changes; /* too old, or refused by nchan */
    _Atomic uint64_t push_connections;
    _Atomic uint64_t checkpoints;
    _Atomic uint64_t limited; /* requests refused for being too many */
};

/* Somebody is typing: so small that a pipe takes it whole. */
struct shared_typing {
    int32_t conversation;
    char username[24]; /* ended by NUL */
};

struct shared {
    pthread_mutex_t write_lock;          /* who writes to the database; robust: outlives its holder's death */
    _Atomic int64_t committed_change;    /* highest outbox id committed, as far as the writers said */
    _Atomic int64_t acknowledged_change; /* highest outbox id that needs no more pushing */
    _Atomic int64_t relay_beat_ms; /* when the relay last went round its loop (clock_mono_ms); 0: never */
    _Atomic int64_t commit_ok_ms;  /* when a commit last succeeded (clock_mono_ms) … */
    _Atomic int wal_pages;         /* length of the write-ahead log after the last commit */
    _Atomic bool
        commit_failing; /* … unless one has failed since that stored as much as failed_bytes, or more */
    _Atomic int64_t failed_bytes;    /* about what the largest commit that failed since then was to store */
    _Atomic int64_t clock_behind_ms; /* so far the wall clock is behind what was stored last; 0: it is not */
    _Atomic bool relay_connected;    /* nchan's publisher answers */
    _Atomic bool relay_asleep;       /* the relay waits for wake_fd */
    int wake_fd;       /* eventfd: the relay has something to do; the same number in every child */
    int janitor_fd;    /* eventfd: the write-ahead log is long */
    int typing_fds[2]; /* pipe to the relay of struct shared_typing, for what is pushed and never stored */
    _Atomic bool wipe; /* content was deleted, and still stands in the write-ahead log until it is emptied */
    struct shared_counters counters;
    struct limiter limiter;                /* of requests, by caller */
    _Atomic int log_level;                 /* enum log_level, as the settings say: for the relay */
    _Atomic int64_t user_rate, user_burst; /* as the settings say: for who charges without being asked */
    struct grants grants;                  /* of subscriptions, by user */
    _Atomic bool silence;                  /* publish only to users who may be listening (push/silence.h) */
    _Atomic int64_t silent_names;
};

/* Maps and initialises the page. ERR_MEMORY or ERR_IO. Lives as long as the process tree. */
enum err shared_open(struct shared **out);
void shared_close(struct shared *s);

/* Waits for the write lock. A holder that died left it to us; SQLite rolls its work back. */
void shared_lock(struct shared *s);
void shared_unlock(struct shared *s);

/* A writer committed outbox rows up to `change`: notes it and wakes the relay if it sleeps. */
void shared_announce(struct shared *s, int64_t change);
/* A writer's commit left the write-ahead log this long: notes it and wakes housekeeping if it is long. */
void shared_note_wal(struct shared *s, int wal_pages);
/* Hands it to the relay; dropped where the relay is so far behind that the pipe is full. */
void shared_type(struct shared *s, const struct shared_typing *typing);
/* For the relay: the next one; false: there is none. */
bool shared_next_typing(struct shared *s, struct shared_typing *typing);
static inline void
shared_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Empties one of the eventfds after a wake-up. */
void shared_drain(int fd);

#endif
