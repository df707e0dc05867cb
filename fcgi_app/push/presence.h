/*
 * presence.h - tells which users have an open subscription, by asking nchan.
 *
 * An answer of nchan is reused for a second. Otherwise one thread asks nchan (push/round.h), and
 * one round serves all callers that wait. The size of a round is limited, and the callers share it
 * evenly, so one caller's thousand names do not delay another's two. No caller waits longer than
 * PRESENCE_ROUND_MS; then it gets nchan's last answers, if there are any.
 *
 * One for all threads of a process.
 */
#ifndef IMD_PUSH_PRESENCE_H
#define IMD_PUSH_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/str.h"

/* A round that takes longer fails. */
#define PRESENCE_ROUND_MS 1000

struct presence;

/*
 * Starts the thread, which does not connect yet. `path`: nginx's push socket; borrowed.
 * `waiters_max`: how many callers may wait while nchan is slow, so that it cannot hold all threads
 * of the process. ERR_MEMORY.
 */
enum err presence_new(struct presence **out, const char *path, int waiters_max);
/* Stops the thread. No call of presence_ask() may be running. NULL is allowed. */
void presence_free(struct presence *p);

/*
 * Sets online[i] to whether user names[i] has an open subscription, for each of `count` valid
 * names.
 *
 * If nchan must be asked, the calling thread gives up its slot (run/slots.h) and waits: some
 * milliseconds, and PRESENCE_ROUND_MS at most. ERR_IO: nchan does not answer, and for at least one
 * user there is no answer of the last minute. ERR_MEMORY.
 */
enum err presence_ask(struct presence *p, const struct str *names, size_t count, bool *online);

#endif
