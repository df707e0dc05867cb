/*
 * silence.h - finds users who certainly have no subscription, so that nothing is published to them.
 *
 * A user is silent only if nchan last answered that they have no subscription, and none was granted
 * since the question. All other users are published to. So a user who was evicted, not yet asked
 * about, or in doubt costs a publish, but never misses one.
 *
 * If nchan uses Redis, no user is silent (round.h).
 *
 * The table has a fixed size and belongs to the relay. A thread asks nchan, at a bounded rate,
 * about users who are published to. silence.c explains why no listener is missed, and
 * tests/spec/silence.pml checks it.
 */
#ifndef IMD_PUSH_SILENCE_H
#define IMD_PUSH_SILENCE_H

#include <stddef.h>
#include "base/err.h"
#include "run/shared.h"
#include "base/str.h"

struct silence;

/*
 * Starts the thread. `path`: nginx's push socket. Both arguments are borrowed. Maintains
 * shared->silent_names and shared->counters.copies_avoided. ERR_MEMORY.
 */
enum err silence_start(struct silence **out, const char *path, struct shared *shared);
/* Stops the thread. NULL is allowed. */
void silence_stop(struct silence *s);

/*
 * Moves the names of users who may be listening to the front, in their order, and returns how many
 * they are.
 *
 * Call it after reading the last of the changes to be published, and just before publishing them.
 * If `s` is NULL, all users may be listening. For one thread.
 */
size_t silence_filter(struct silence *s, struct str *names, size_t count);

#endif
