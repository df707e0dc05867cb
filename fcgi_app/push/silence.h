/*
 * silence.h - users who certainly have no subscription, so that nothing need be published to them.
 *
 * A user is silent only while nchan's last word was that nobody listens and no subscription was granted since
 * the question. All others are published to. So whatever is forgotten, evicted, not yet asked or in doubt
 * costs a publish and never loses one. The table is of fixed size and belongs to the relay; a thread of its
 * own asks nchan about users who are published to, at a bounded rate. silence.c says why no listener is
 * missed, and tests/spec/silence.pml checks it.
 */
#ifndef IMD_PUSH_SILENCE_H
#define IMD_PUSH_SILENCE_H

#include <stddef.h>
#include "base/err.h"
#include "run/shared.h"
#include "base/str.h"

struct silence;

/*
 * `path`: nginx's push socket. Starts the thread. Both arguments are borrowed. Counts in shared->silent_names
 * and shared->counters.copies_avoided. ERR_MEMORY.
 */
enum err silence_start(struct silence **out, const char *path, struct shared *shared);
/* Ends the thread. NULL is allowed. */
void silence_stop(struct silence *s);

/*
 * Moves the names of users who may be listening to the front, in their order, and returns how many they are.
 * To be called after the last of the changes that are to be published was read from the database, and just
 * before they are given to nchan. With NULL everybody may be listening. For one thread.
 */
size_t silence_filter(struct silence *s, struct str *names, size_t count);

#endif
