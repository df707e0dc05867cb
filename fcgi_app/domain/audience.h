/*
 * audience.h - whom a change concerns.
 *
 * A change of a conversation concerns those who were members with its version, also those who have left
 * since: they were there when it happened. Who gets it pushed is a matter for whoever publishes: some do not
 * listen.
 */
#ifndef IMD_DOMAIN_AUDIENCE_H
#define IMD_DOMAIN_AUDIENCE_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

/* Names from an arena. */
struct names {
    struct str *names;
    size_t count;
};

struct audience {
    struct names present; /* who still is there … */
    struct names gone;    /* … and who has left since */
};

/* The members with that version of the conversation, in no order. ERR_STORAGE, ERR_MEMORY. */
enum err audience_of_version(struct db *db, struct arena *arena, int32_t conversation, int64_t version,
                             struct audience *audience);
/*
 * Whom the change concerns. `many`: the conversation has more than MEMBERS_FEW members; then a read marker
 * concerns its owner alone. Errors as above.
 */
enum err audience_of_change(struct db *db, struct arena *arena, const struct change *change, bool many,
                            struct audience *audience);
/* Who is told that the user types: the other members; nobody where the user is no member. Errors as above. */
enum err audience_of_typing(struct db *db, struct arena *arena, const struct conversation *c,
                            struct str username, struct audience *audience);
/* Only this user. ERR_MEMORY. */
enum err audience_of_one(struct arena *arena, struct str username, struct audience *audience);

/*
 * How many of the changes, which are of one conversation and follow each other, concern those whom the first
 * one concerns. 1 or more; `count` must be.
 */
size_t audience_same(const struct change *changes, size_t count, bool many);

#endif
