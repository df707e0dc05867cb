/*
 * presence.h - which users have an open subscription, as nchan tells.
 *
 * What nchan said holds for a second. Beyond that, one thread asks nchan (push/round.h), and one round serves
 * all callers that wait. A round has room for so many users, which the callers share evenly, so one caller's
 * thousand questions do not delay another's two. No caller waits longer than a round may take. Whoever has
 * waited that long is answered from what nchan said last, as far as that is known.
 *
 * One for all threads of a process.
 */
#ifndef IMD_PUSH_PRESENCE_H
#define IMD_PUSH_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/str.h"

/* A round that takes longer has failed. */
#define PRESENCE_ROUND_MS 1000

struct presence;

/*
 * `path`: nginx's push socket; borrowed. `waiters_max`: while nchan is slow, no more callers than that wait
 * at once, so that it cannot hold all threads of the process. Starts the thread, which does not connect yet.
 * ERR_MEMORY.
 */
enum err presence_new(struct presence **out, const char *path, int waiters_max);
/* Ends the thread. NULL is allowed. Nobody may be asking. */
void presence_free(struct presence *p);

/*
 * Tells in online[i] whether the user names[i] has an open subscription, for each of `count` valid names.
 * Where nchan must be asked, the calling thread gives up its slot (run/slots.h) and waits, for milliseconds
 * as a rule and PRESENCE_ROUND_MS at most. ERR_IO: nchan has not answered, and about one of the users it has
 * said nothing within the last minute. ERR_MEMORY.
 */
enum err presence_ask(struct presence *p, const struct str *names, size_t count, bool *online);

#endif
