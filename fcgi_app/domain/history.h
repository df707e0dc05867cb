/*
 * history.h - pages of messages: of a conversation and of what a user received, by time; of a
 * conversation, by seq.
 *
 * A page by time never ends inside a tick, so a client that asks again with its last timestamp
 * misses nothing. The page stops before the tick that `limit` would cut. If the first tick alone
 * exceeds `limit`, the page holds that whole tick. A page of many large messages may stop earlier,
 * also then between ticks.
 */
#ifndef IMD_DOMAIN_HISTORY_H
#define IMD_DOMAIN_HISTORY_H

#include "model/model.h"
#include "domain/visibility.h"

/*
 * Receives a page. Messages come in order. tick_ends() means that the tick is complete; cut() takes
 * back the messages since the last tick_ends(). Strings live for the call.
 */
struct history_sink {
    void *arg;
    void (*message)(void *arg, const struct message *m);
    void (*tick_ends)(void *arg);
    void (*cut)(void *arg);
};

/* The place of a page by time. Its messages come oldest first. */
struct time_page {
    int64_t after; /* in: UNIX ms; only later messages */
    int limit;     /* in: 1 … PAGE_LIMIT_MAX */
    bool has_next; /* out: there are messages after the page */
};

/* Reads a page of the conversation that the gate found in this snapshot. */
enum err history_of_conversation(const struct view *view, const struct conversation *c,
                                 struct time_page *page, const struct history_sink *sink);
/*
 * Reads a page of everything that was sent while the viewer was a member, their own messages
 * included. Of conversations that they left, it shows what visibility.h allows.
 */
enum err history_of_user(const struct view *view, struct time_page *page, const struct history_sink *sink);

/* The place of a page by seq: after a message, before it, or around it. */
enum seq_side { SEQ_AFTER, SEQ_BEFORE, SEQ_AROUND };

struct seq_page {
    const struct conversation *conversation; /* as the gate found it in the snapshot */
    enum seq_side side;
    int64_t seq;   /* 0 … SEQ_MAX */
    int limit;     /* 1 … PAGE_LIMIT_MAX */
    bool has_prev; /* out: the conversation has messages before those of the page … */
    bool has_next; /* out: … and after them */
};

/*
 * Calls back with the page's messages, oldest first; strings live for the call. A page around a
 * message has as many messages before it as after it, one less if `limit` is even. Many large
 * messages make a page shorter than its limit, at the end that is farther from `seq`.
 */
enum err history_by_seq(const struct view *view, struct seq_page *page,
                        void (*each)(void *arg, const struct message *m), void *arg);

#endif
