/*
 * round.h - asks nchan which users have an open subscription, one round of questions at a time.
 *
 * The questions are pipelined HTTP GETs over two kept connections to nginx's push socket, each to another
 * worker of nginx where there are several. nchan gives each channel to one worker. Any other worker asks that
 * owner, by two alerts between workers, and answers rightly. The owner itself does not count the sockets of
 * other workers, and for some seconds counts sockets that have closed. So two workers are asked about each
 * user. Where they agree, the answer is right. Where they disagree, the one that needed no alerts is the
 * owner, and the other is right. Each answer bears the number of its worker and of all alerts so far
 * (imd-push.conf). Which worker takes a new connection is not for us to say, and whether there is a second
 * worker can only be found by trying.
 *
 * For one thread.
 */
#ifndef IMD_PUSH_ROUND_H
#define IMD_PUSH_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "model/model.h"

struct round;

struct round_question {
    char name[USERNAME_BYTES_MAX]; /* the caller's to set … */
    unsigned char name_bytes;      /* … both */
    bool online;                   /* the answer: does the user have an open subscription? */
    bool certain;                  /* false: a second worker may know of one that the first does not */
    bool first_counts;             /* round.c's own: the first worker counts the user … */
    bool first_owns;               /* … and certainly owns the channel */
    bool decided;                  /* nobody need be asked any more */
};

/* `path`: nginx's push socket; borrowed. Does not connect yet. ERR_MEMORY. */
enum err round_new(struct round **out, const char *path);
/* NULL is allowed. */
void round_free(struct round *r);

/*
 * Answers all questions, or fails at `deadline_ms` (clock_mono_ms) at the latest. Reorders them. Blocks for
 * milliseconds as a rule. ERR_IO: nchan did not answer, or not in time; logged. ERR_MEMORY.
 *
 * An answer is certain where nchan has no such channel, where two workers have answered and it is clear who
 * is right, and where workers of nginx have never sent each other an alert: then no worker knows of a
 * subscription that another one holds.
 */
enum err round_ask(struct round *r, struct round_question *questions, size_t count, int64_t deadline_ms);

#endif
