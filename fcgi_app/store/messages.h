/*
 * messages.h - the table message.
 *
 * In one conversation, seq runs 1, 2, 3 … without holes, and timestamps never fall as seq grows. So a
 * moment is found by search, and no index by time is needed.
 */
#ifndef IMD_STORE_MESSAGES_H
#define IMD_STORE_MESSAGES_H

#include "base/model.h"
#include "store/commit.h"

/* Where a message stands, without its content. */
struct message_key {
    int64_t id;
    int64_t timestamp; /* UNIX ms */
    int64_t conversation;
    int64_t seq;
};

/* Needs a write transaction. */
enum err messages_add(struct tx *tx, const struct message *m);
/* Strings of *m are valid until `*row` is given to db_done(), which the caller owes even after an error. */
enum err messages_get(struct db *db, int64_t conversation, int64_t seq, struct message *m, bool *found,
                      struct stmt **row);
/*
 * The first seq in low … high whose timestamp is > after; high + 1 where there is none. Both ends must
 * exist unless low > high. Needs a transaction.
 */
enum err messages_first_after(struct db *db, int64_t conversation, int64_t low, int64_t high, int64_t after,
                              int64_t *seq);

/*
 * Messages from `seq` on, in order. `each` is called with every one, whose strings live for the call, until
 * it says false. Needs no transaction.
 */
enum err messages_range(struct db *db, int64_t conversation, int64_t seq,
                        bool (*each)(void *arg, const struct message *m), void *arg);
/* The keys of first … last, in order, until `each` says false. */
enum err messages_keys(struct db *db, int64_t conversation, int64_t first, int64_t last,
                       bool (*each)(void *arg, const struct message_key *key), void *arg);
/* The keys of the newest messages anywhere, newest first, at most `limit`, until `each` says false. */
enum err messages_newest(struct db *db, int limit, bool (*each)(void *arg, const struct message_key *key),
                         void *arg);

#endif
