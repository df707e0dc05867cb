/* reading.h - how far a user has read, and what of what they received is still unread. */
#ifndef IMD_DOMAIN_READING_H
#define IMD_DOMAIN_READING_H

#include "base/arena.h"
#include "base/model.h"
#include "store/memberships.h"
#include "store/store.h"

struct reading {
    struct arena *arena;  /* in */
    int32_t conversation; /* in */
    struct str username;  /* in */
    int64_t seq;          /* in: not negative: read up to here; beyond the newest message means all */
    int64_t read_seq;     /* out: where the marker stands now */
    int64_t unread;       /* out: up to UNREAD_MAX */
};

/*
 * Moves the user's read marker forward, never back. ERR_CONVERSATION_UNKNOWN, ERR_NOT_A_MEMBER. Opens
 * transactions.
 */
enum err reading_mark(struct store *store, struct reading *reading);

/*
 * How many of the messages received in these stays (of one user in one conversation, oldest first) come after
 * read_seq, without the user's own and deleted ones; up to UNREAD_MAX, and of each stay no more than the
 * newest 10,000 are looked at. `last_seq` is the conversation's. Needs a transaction.
 */
enum err reading_count_unread(struct db *db, const struct stay *stays, size_t count, struct str username,
                              int64_t last_seq, int64_t read_seq, int64_t *unread);

#endif
