/*
 * history.h - pages of messages by time: of a conversation, and of what a user received.
 *
 * A page never ends inside a tick, so a client that asks again with the last timestamp it holds misses
 * nothing: the page stops before the tick that `limit` would cut, or, where the first tick alone exceeds
 * `limit`, holds that whole tick. A page of many large messages may stop earlier, also between ticks.
 */
#ifndef IMD_DOMAIN_HISTORY_H
#define IMD_DOMAIN_HISTORY_H

#include "base/arena.h"
#include "base/model.h"
#include "store/store.h"

#define HISTORY_LIMIT_MAX 1000

/*
 * Where a page goes. Messages come in order; a tick is complete at the next tick_ends(); cut() takes back
 * what came since. Strings live for the call.
 */
struct history_sink {
    void *arg;
    void (*message)(void *arg, const struct message *m);
    void (*tick_ends)(void *arg);
    void (*cut)(void *arg);
};

/* Both: timestamp > after (UNIX ms), oldest first, limit 1 … HISTORY_LIMIT_MAX. Open a transaction. */
enum err history_of_conversation(struct store *store, int64_t conversation, int64_t after, int limit,
                                 const struct history_sink *sink, bool *has_next);
/* All that was sent while they were a member, their own included. */
enum err history_of_user(struct store *store, struct arena *arena, struct str username, int64_t after,
                         int limit, const struct history_sink *sink, bool *has_next);

#endif
