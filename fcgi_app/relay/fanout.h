/*
 * fanout.h - what fan-outs may take of nchan's memory, and those that wait for it.
 *
 * nchan keeps a copy of a frame for each channel for some seconds, listened to or not, in a memory of fixed
 * size. So frames that are long, or for many, could fill it, and then nobody gets any. What they weigh is
 * counted against two allowances: one for all together, and one for each payer (see struct change), so that
 * nobody uses up what is for all. While an allowance is used up, a conversation is deferred: its changes are
 * not published one by one, but when there is room again its members get one thin event, and clients ask what
 * has changed. So each conversation waits at most once, however much is said in it, a payer has few that
 * wait, and light fan-outs never wait.
 *
 * In the memory of one relay, for one thread. Nothing is lost with it: fanout_floor() says from where on
 * another relay has to begin.
 */
#ifndef IMD_RELAY_FANOUT_H
#define IMD_RELAY_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "run/limiter.h"

/* What weighs less is light: a short message for some hundred listeners, a long one for one. */
#define FANOUT_LIGHT_BYTES (128 * 1024)
/* So many conversations can wait in all, … */
#define FANOUT_DEFERRED_MAX 256
/* … and so many of one payer. The members of others are not told. */
#define FANOUT_DEFERRED_OF_PAYER 16
/* nchan keeps so many messages of a channel (nchan_message_buffer_length). */
#define FANOUT_KEPT 64
/* The paces of so many conversations are known. */
#define FANOUT_PACES 256

/* A conversation whose members are to be told by one thin event. */
struct fanout_deferred {
    int32_t conversation;
    uint64_t payer;
    size_t users;     /* about so many listen */
    int64_t change;   /* the oldest that they have not been told of */
    int64_t since_ms; /* clock_mono_ms() */
    uint64_t sent;    /* the event is the so manyth request to nchan; 0: it waits */
};

/* A heavy frame that went out. */
struct fanout_sent {
    int64_t at_ms;
    uint32_t users;
    uint32_t copy_bytes; /* each copy weighs so much */
};

/* A conversation's last heavy frames: nchan drops the oldest one for each that is too many. */
struct fanout_pace {
    int32_t conversation;
    unsigned next;
    struct fanout_sent sent[FANOUT_KEPT];
};

struct fanout {
    int64_t clear_us; /* when nothing is counted against the allowance of all any more */
    struct limiter payers;
    struct fanout_pace paces[FANOUT_PACES];
    struct fanout_deferred deferred[FANOUT_DEFERRED_MAX]; /* the longest waiting one first */
    size_t count;
};

/* A frame on its way out. */
struct fanout_frame {
    int32_t conversation;
    size_t users;
    size_t bytes;
    int64_t now_ms; /* clock_mono_ms() */
};

/* Is a frame of so many bytes for so many users to be counted? */
bool fanout_is_heavy(size_t users, size_t bytes);
/* Has this payer, and have all together, room for a heavy frame? 0: nobody pays. */
bool fanout_affords(struct fanout *f, uint64_t payer, int64_t now_ms);
/*
 * Counts a frame against the allowance of all, if it is heavy. What it weighs, for fanout_charge(); 0: it is
 * light.
 */
size_t fanout_spend(struct fanout *f, const struct fanout_frame *frame);
/* Counts so many bytes of a frame against the payer's allowance. */
void fanout_charge(struct fanout *f, uint64_t payer, size_t bytes, int64_t now_ms);

/*
 * Defers a conversation, or lets it wait on: then whoever of the two payers has room pays. `deferred` says
 * who, what and since when. False: too many wait already.
 */
bool fanout_defer(struct fanout *f, const struct fanout_deferred *deferred);
bool fanout_is_waiting(const struct fanout *f, int32_t conversation);
/* About how many listen to a conversation that waits; 0: it does not. */
size_t fanout_users(const struct fanout *f, int32_t conversation);
/* How long until the next may go out; -1: none waits. */
int64_t fanout_wait_ms(struct fanout *f, int64_t now_ms);
/* The one that has waited longest of those that may go out now; NULL: none. Valid until the next call. */
struct fanout_deferred *fanout_next(struct fanout *f, int64_t now_ms);

/* nchan has answered so many requests: events up to it are delivered. */
void fanout_delivered(struct fanout *f, uint64_t answers);
/* What is in flight is lost, and waits again. */
void fanout_lose(struct fanout *f);
/* Gives up what was deferred before `since_ms`; returns how many conversations. */
int fanout_expire(struct fanout *f, int64_t since_ms);
/* The oldest change that somebody is still to be told of; INT64_MAX: none. */
int64_t fanout_floor(const struct fanout *f);

#endif
