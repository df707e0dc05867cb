/*
 * audience.h - the audience of a change: the users to whom it is pushed.
 *
 * The audience of a change are the members at its version, including those who have left since. The
 * relay publishes only to those of them who may be subscribed.
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
    struct names present; /* present members … */
    struct names gone;    /* … and members who have left since */
};

/* Finds the members at that version of the conversation, in no order. ERR_STORAGE, ERR_MEMORY. */
enum err audience_of_version(struct db *db, struct arena *arena, int32_t conversation, int64_t version,
                             struct audience *audience);
/*
 * Finds the audience of the change. `many`: the conversation has more than MEMBERS_FEW members, so
 * only the reader themselves receives their read marker. Errors as above.
 */
enum err audience_of_change(struct db *db, struct arena *arena, const struct change *change, bool many,
                            struct audience *audience);
/*
 * Finds the audience of the user's typing event: the other members; none if the user is not a
 * member. Errors as above.
 */
enum err audience_of_typing(struct db *db, struct arena *arena, const struct conversation *c,
                            struct str username, struct audience *audience);
/* Sets the audience to this user alone. ERR_MEMORY. */
enum err audience_of_one(struct arena *arena, struct str username, struct audience *audience);

/*
 * Returns how many of the changes, from the first on, have the audience of the first one. They are
 * consecutive changes of one conversation. `count` must be at least 1, and so is the result.
 */
size_t audience_same(const struct change *changes, size_t count, bool many);

#endif
