/* reading.h - how far a user has read, and what of what they received is still unread. */
#ifndef IMD_DOMAIN_READING_H
#define IMD_DOMAIN_READING_H

#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

struct reading {
    struct arena *arena;  /* in */
    int32_t conversation; /* in */
    struct str username;  /* in */
    int64_t seq;          /* in: not negative: read up to here; beyond the newest message means all */
    int64_t read_seq;     /* out: where the marker stands now */
    int64_t unread;       /* out: up to UNREAD_MAX (store/listings.h) */
};

/*
 * Moves the user's read marker forward, never back. ERR_CONVERSATION_UNKNOWN, ERR_NOT_A_MEMBER. Opens
 * transactions.
 */
enum err reading_mark(struct store *store, struct reading *reading);

#endif
