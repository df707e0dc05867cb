/*
 * round.h - asks nchan which users have an open subscription, one round of questions at a time.
 *
 * The questions are pipelined HTTP GETs over two kept connections to nginx's push socket, to two
 * different workers of nginx if there are several.
 *
 * Why two workers: one worker of nginx owns each channel. Any other worker asks the owner, by two
 * alerts between workers, and its answer is right. The owner's own answer may be wrong: it ignores
 * sockets of other workers, and for some seconds still counts closed ones. So both workers are
 * asked about each user:
 *
 * - If they agree, the answer is right.
 * - If they disagree, the one that needed no alerts is the owner, and the other is right.
 *
 * Each answer carries its worker's number and the number of alerts so far (imd-push.conf). imd
 * cannot choose which worker accepts a connection, and finds a second worker only by trying.
 *
 * If nchan uses Redis (imd-redis.conf), an answer says so. Then one worker is asked, and no answer
 * is certain.
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
    char name[USERNAME_BYTES_MAX]; /* set by the caller */
    unsigned char name_bytes;      /* set by the caller */
    bool online;                   /* the answer: the user has an open subscription */
    bool certain;                  /* false: another worker may hold a subscription that this answer misses */
    bool first_counts;             /* internal: the first worker counts the user */
    bool first_owns;               /* internal: the first worker certainly owns the channel */
    bool decided;                  /* internal: no further worker need be asked */
};

/* Creates a client that does not connect yet. `path`: nginx's push socket; borrowed. ERR_MEMORY. */
enum err round_new(struct round **out, const char *path);
/* NULL is allowed. */
void round_free(struct round *r);

/*
 * Answers all questions, or fails, by `deadline_ms` (clock_mono_ms) at the latest. Reorders the
 * questions. Blocks, usually for milliseconds. ERR_IO, logged: nchan did not answer in time.
 * ERR_MEMORY.
 *
 * An answer is certain in three cases: nchan has no such channel; two workers answered, and it is
 * clear which is right; or the workers of nginx have never exchanged an alert, so no worker knows
 * of a subscription that another one holds.
 */
enum err round_ask(struct round *r, struct round_question *questions, size_t count, int64_t deadline_ms);
/* True if an answer of the last round said that nchan uses Redis. */
bool round_through_redis(const struct round *r);

#endif
