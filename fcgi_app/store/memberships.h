/*
 * memberships.h - the table membership: who is and was in which conversation, as intervals.
 *
 * Functions that take a `struct tx` need a write transaction; those that take a `struct db` need none, but
 * several of them tell one story only inside one.
 */
#ifndef IMD_STORE_MEMBERSHIPS_H
#define IMD_STORE_MEMBERSHIPS_H

#include "base/arena.h"
#include "base/model.h"
#include "store/commit.h"

/* One stay, as the range of messages received: after < seq <= until. */
struct stay {
    int64_t conversation;
    int64_t after; /* seq */
    int64_t until; /* seq; INT64_MAX: still a member */
};

/* Is the user a member now? `joined_version` names the stay for memberships_end(). */
enum err memberships_current(struct db *db, int64_t conversation, struct str username,
                             int64_t *joined_version, bool *is_member);
/* Begins a stay at the present version and last_seq of *c. */
enum err memberships_add(struct tx *tx, const struct conversation *c, struct str username);
/* Ends the stay at the present version and last_seq of *c. */
enum err memberships_end(struct tx *tx, const struct conversation *c, struct str username,
                         int64_t joined_version);
/* The present members into c->members, from the arena, in byte order. */
enum err memberships_names(struct db *db, struct arena *arena, struct conversation *c);
/* Calls back with each member whom the change that made `version` concerns; the name lives for the call. */
enum err memberships_names_at(struct db *db, int64_t conversation, int64_t version,
                              void (*each)(void *arg, struct str name), void *arg);

/* How many stays the user has, counted up to `limit`. */
enum err memberships_count(struct db *db, struct str username, int limit, int *count);
/* Stays of the user in one conversation, oldest first. *stays from the arena. */
enum err memberships_stays(struct db *db, struct arena *arena, struct str username, int64_t conversation,
                           struct stay **stays, size_t *count);
/*
 * Stays of the user, in conversations that changed after `after` (UNIX ms); `until` is never INT64_MAX here,
 * but the newest message. Costs one look for each stay of the user.
 */
enum err memberships_active(struct db *db, struct arena *arena, struct str username, int64_t after,
                            struct stay **stays, size_t *count);

#endif
