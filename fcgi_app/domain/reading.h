/* reading.h - the command that moves a read marker, and the unread count after it. */
#ifndef IMD_DOMAIN_READING_H
#define IMD_DOMAIN_READING_H

#include "base/arena.h"
#include "model/model.h"
#include "store/store.h"

struct reading {
    struct arena *arena;  /* in */
    int32_t conversation; /* in */
    struct str username;  /* in */
    int64_t seq;          /* in: 0 or more: read up to here; beyond the newest message: all */
    int64_t read_seq;     /* out: the present marker */
    int64_t unread;       /* out: up to UNREAD_MAX (store/listings.h) */
};

/*
 * Moves the user's read marker forward, never back. ERR_CONVERSATION_UNKNOWN, ERR_NOT_A_MEMBER.
 * Opens transactions.
 */
enum err reading_mark(struct store *store, struct reading *reading);

#endif
