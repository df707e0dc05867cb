/*
 * fanout.h - limits how much of nchan's memory fan-outs take, and defers those over the limit.
 *
 * nchan keeps a copy of each frame for each channel for some seconds, even without subscribers, in
 * a memory of fixed size. Frames that are long, or for many users, could fill it, and then no push
 * would get through. So the memory that they take is counted against two allowances: one for all
 * frames together, and one for each payer (see struct change), so that no payer uses up what is for
 * all.
 *
 * While an allowance is used up, conversations are deferred. The changes of a deferred conversation
 * are not published one by one. When there is room again, its members get one thin event, and
 * clients fetch what has changed. So each conversation waits at most once, however much happens in
 * it. A payer can have only few deferred conversations. Light fan-outs are never deferred.
 *
 * All of this is in the memory of one relay, for one thread. A crash of the relay loses nothing:
 * fanout_floor() says where the next relay must begin.
 */
#ifndef IMD_RELAY_FANOUT_H
#define IMD_RELAY_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "run/limiter.h"

/* Fan-outs up to this are light: a short message to some hundred listeners, a long one to one. */
#define FANOUT_LIGHT_BYTES (128 * 1024)
/* The most conversations that are deferred, in all … */
#define FANOUT_DEFERRED_MAX 256
/* … and for one payer. The members of any further ones get no event. */
#define FANOUT_DEFERRED_OF_PAYER 16
/* How many messages of a channel nchan keeps (nchan_message_buffer_length). */
#define FANOUT_KEPT 64
/* The number of conversations whose last heavy frames are remembered. */
#define FANOUT_PACES 256

/* A deferred conversation: one thin event will go to its members. */
struct fanout_deferred {
    int32_t conversation;
    uint64_t payer;
    size_t users;     /* about how many listen */
    int64_t change;   /* the oldest change that the event stands for */
    int64_t since_ms; /* clock_mono_ms() */
    uint64_t sent;    /* the number of the publish that holds the event; 0: not published yet */
};

/* A heavy frame that was published. */
struct fanout_sent {
    int64_t at_ms;
    uint32_t users;
    uint32_t copy_bytes; /* memory that each copy takes */
};

/* A ring of a conversation's last heavy frames. A further frame makes nchan drop the oldest. */
struct fanout_pace {
    int32_t conversation;
    unsigned next;
    struct fanout_sent sent[FANOUT_KEPT];
};

struct fanout {
    int64_t clear_us; /* when the allowance of all will be full again */
    struct limiter payers;
    struct fanout_pace paces[FANOUT_PACES];
    struct fanout_deferred deferred[FANOUT_DEFERRED_MAX]; /* in order of their first deferral */
    size_t count;
};

/* A frame to be published. */
struct fanout_frame {
    int32_t conversation;
    size_t users;
    size_t bytes;
    int64_t now_ms; /* clock_mono_ms() */
};

/* True if a frame of this size to so many users counts against the allowances. */
bool fanout_is_heavy(size_t users, size_t bytes);
/* True if both allowances have room for a heavy frame. `payer` 0: only that of all counts. */
bool fanout_affords(struct fanout *f, uint64_t payer, int64_t now_ms);
/*
 * Counts a frame against the allowance of all, if it is heavy. Returns the bytes to charge to
 * payers with fanout_charge(); 0 if it is light.
 */
size_t fanout_spend(struct fanout *f, const struct fanout_frame *frame);
/* Counts bytes of a frame against the payer's allowance. */
void fanout_charge(struct fanout *f, uint64_t payer, size_t bytes, int64_t now_ms);

/*
 * Defers a conversation; `sent` is ignored. If it is deferred already, the entries are merged, and
 * the payer who has room sooner pays. False: too many are deferred.
 */
bool fanout_defer(struct fanout *f, const struct fanout_deferred *deferred);
/*
 * Returns the conversation's entry if its event is not published yet, else NULL. Valid until the
 * next call.
 */
const struct fanout_deferred *fanout_find(struct fanout *f, int32_t conversation);
/* Returns how long until the next event may be published; -1: none is waiting. */
int64_t fanout_wait_ms(struct fanout *f, int64_t now_ms);
/*
 * Returns the first deferred entry that may be published now; NULL: none. The caller sets `sent`.
 * Valid until the next call.
 */
struct fanout_deferred *fanout_next(struct fanout *f, int64_t now_ms);

/*
 * Removes the events that were among the first `answers` publishes, because nchan has answered
 * those.
 */
void fanout_delivered(struct fanout *f, uint64_t answers);
/* Makes events in flight wait again, because the connection is lost. */
void fanout_lose(struct fanout *f);
/* Removes conversations that have been deferred since before `since_ms`; returns how many. */
int fanout_expire(struct fanout *f, int64_t since_ms);
/* Returns the oldest change of all deferred conversations; INT64_MAX: none is deferred. */
int64_t fanout_floor(const struct fanout *f);

#endif
