/*
 * shared.h - the one page that all processes of imd share: write lock, wake-up of the relay, health.
 *
 * Mapped by the master before it forks; every child inherits it at the same address. It holds nothing
 * that a restart would miss: the database is the truth.
 */
#ifndef IMD_BASE_SHARED_H
#define IMD_BASE_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <pthread.h>
#include "base/err.h"

/* From so many pages (16 MB) on, the write-ahead log is copied into the database file. */
#define SHARED_WAL_PAGES_LONG 4000

struct shared {
    pthread_mutex_t write_lock;          /* who writes to the database; robust: outlives its holder's death */
    _Atomic int64_t committed_change;    /* highest outbox id committed, as far as the writers said */
    _Atomic int64_t acknowledged_change; /* highest outbox id that needs no more pushing */
    _Atomic int64_t relay_beat_ms; /* when the relay last went round its loop (clock_mono_ms); 0: never */
    _Atomic int64_t commit_ok_ms;  /* when a commit last succeeded (clock_mono_ms) … */
    _Atomic int wal_pages;         /* length of the write-ahead log after the last commit */
    _Atomic bool commit_failing;   /* … unless one has failed since */
    _Atomic bool relay_connected;  /* nchan's publisher answers */
    _Atomic bool relay_asleep;     /* the relay waits for wake_fd */
    int wake_fd;    /* eventfd: the relay has something to do; the same number in every child */
    int janitor_fd; /* eventfd: the write-ahead log is long */
};

/* Maps and initialises the page. ERR_MEMORY or ERR_IO. Lives as long as the process tree. */
enum err shared_open(struct shared **out);
void shared_close(struct shared *s);

/* Waits for the write lock. A holder that died left it to us; SQLite rolls its work back. */
void shared_lock(struct shared *s);
void shared_unlock(struct shared *s);

/* A writer committed outbox rows up to `change`: notes it and wakes the relay if it sleeps. */
void shared_announce(struct shared *s, int64_t change);
/* A writer's commit left the write-ahead log this long: notes it and wakes the janitor if it is long. */
void shared_note_wal(struct shared *s, int wal_pages);
/* Empties one of the eventfds after a wake-up. */
void shared_drain(int fd);

#endif
