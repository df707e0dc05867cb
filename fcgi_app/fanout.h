/*
 * fanout.h - the budget of large fan-outs, and those that wait for it.
 *
 * nchan keeps a copy of a frame for each channel for some seconds, listened to or not, in a memory of fixed
 * size. So frames for many users could fill it, and then nobody gets any. They have a budget in bytes per
 * second. While it is used up, a conversation is deferred: its changes are not published one by one, but when
 * there is budget again its members get one thin event, and clients ask what has changed. So each
 * conversation waits at most once, however much is said in it, and small fan-outs never wait.
 *
 * In the memory of one relay, for one thread. What is lost with it, clients find by versions.
 */
#ifndef IMD_FANOUT_H
#define IMD_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A fan-out to more users than this is large. */
#define FANOUT_LARGE 1000
/* So many conversations can wait; the members of others are not told. */
#define FANOUT_DEFERRED_MAX 256

struct fanout_deferred {
    int32_t conversation;
    size_t users; /* about so many members */
};

struct fanout {
    int64_t budget_bytes; /* negative: the last one took more than there was */
    int64_t refilled_ms;  /* clock_mono_ms() */
    struct fanout_deferred deferred[FANOUT_DEFERRED_MAX];
    size_t count;
};

/* Is a frame for so many users within the budget? `now_ms`: clock_mono_ms(). Small ones always are. */
bool fanout_affords(struct fanout *f, size_t users, int64_t now_ms);
/* A frame of so many bytes goes out to so many users. Small ones cost nothing. */
void fanout_spend(struct fanout *f, size_t users, size_t bytes);

/* Defers a conversation with about so many members, unless too many wait already. Idempotent. */
void fanout_defer(struct fanout *f, int32_t conversation, size_t users);
bool fanout_is_deferred(const struct fanout *f, int32_t conversation);
/* About how many members a deferred conversation has; 0: it is not deferred. */
size_t fanout_users(const struct fanout *f, int32_t conversation);
/* How long until the next deferred conversation may go out; -1: none waits. */
int64_t fanout_wait_ms(struct fanout *f, int64_t now_ms);
/*
 * Removes the deferred conversation with the fewest members and returns its id, so that huge ones do not hold
 * up smaller ones. One must be waiting.
 */
int32_t fanout_next(struct fanout *f);

#endif
