/*
 * memberships.h - the table membership: who is and was in which conversation, as intervals.
 *
 * A user's conversations are found by their last activity, without a message having to touch a row of each
 * member: a membership's active_at may lag behind its conversation's updated_at by ACTIVE_LAG_MS, and is
 * ACTIVE_ALWAYS while there are more than MEMBERS_FEW members. So whoever looks for what was active after T
 * looks at all whose active_at is > T - ACTIVE_LAG_MS, and at the conversations themselves.
 *
 * Functions that take a `struct tx` need a write transaction; those that take a `struct db` need none, but
 * several of them tell one story only inside one.
 */
#ifndef IMD_STORE_MEMBERSHIPS_H
#define IMD_STORE_MEMBERSHIPS_H

#include "base/arena.h"
#include "base/model.h"
#include "store/commit.h"

#define ACTIVE_LAG_MS 10000
#define ACTIVE_ALWAYS INT64_MAX

/* One stay, as the range of messages received: after < seq <= until. */
struct stay {
    int32_t conversation;
    int64_t after;          /* seq */
    int64_t until;          /* seq; INT64_MAX: still a member */
    int64_t joined_version; /* set by memberships_stays() alone */
};

/* Is the user a member now? `joined_version` names the stay for memberships_end(). */
enum err memberships_current(struct db *db, int32_t conversation, struct str username,
                             int64_t *joined_version, bool *is_member);
/* ROLE_NONE: they are no member. */
enum err memberships_role(struct db *db, int32_t conversation, struct str username, enum role *role);
/* Was the user's last stay ended by somebody else? */
enum err memberships_removed(struct db *db, int32_t conversation, struct str username, bool *removed);
/* The present owner, from the arena; absent: there is none. */
enum err memberships_owner(struct db *db, struct arena *arena, int32_t conversation, struct str *username);
/* Who is to be the owner next: the admin, else the member, who has been there longest; absent: nobody is
 * there. */
enum err memberships_heir(struct db *db, struct arena *arena, int32_t conversation, struct str *username);
/* Begins a stay at the present version and last_seq of *c. */
enum err memberships_add(struct tx *tx, const struct conversation *c, struct str username, enum role role);
/* Ends the stay at the present version and last_seq of *c; `removed`: it was not the user's own doing. */
enum err memberships_end(struct tx *tx, const struct conversation *c, struct str username,
                         int64_t joined_version, bool removed);
/* At the present version of *c. */
enum err memberships_set_role(struct tx *tx, const struct conversation *c, struct str username,
                              enum role role);
/* Tells the lists of all present members that *c was active at tx->tick; or always is, with many members. */
enum err memberships_touch(struct tx *tx, const struct conversation *c);

/* The present members into c->members, from the arena, in byte order. */
enum err memberships_names(struct db *db, struct arena *arena, struct conversation *c);
/*
 * Calls back with each member whom the change that made `version` concerns, in no order; the name lives for
 * the call.
 */
enum err memberships_names_at(struct db *db, int32_t conversation, int64_t version,
                              void (*each)(void *arg, struct str name), void *arg);

/* How many stays of the user may have been active after `after` (UNIX ms), counted up to `limit`. */
enum err memberships_count_active(struct db *db, struct str username, int64_t after, int limit, int *count);
/* Stays of the user in one conversation, oldest first. *stays from the arena. */
enum err memberships_stays(struct db *db, struct arena *arena, struct str username, int32_t conversation,
                           struct stay **stays, size_t *count);
/* Was the message received in one of these stays, all of its conversation? */
bool memberships_received(const struct stay *stays, size_t count, int64_t seq);
/*
 * Stays of the user, in conversations that changed after `after` (UNIX ms); `until` is never INT64_MAX here,
 * but the newest message. Costs one look for each stay that may have been active after that.
 */
enum err memberships_active(struct db *db, struct arena *arena, struct str username, int64_t after,
                            struct stay **stays, size_t *count);

/* A conversation in a user's list, as far as its order goes. */
struct listed {
    int32_t conversation;
    int64_t active_at;  /* UNIX ms: by this the walk goes */
    int64_t updated_at; /* UNIX ms: of the conversation; or when they left */
    bool superseded;    /* a later stay of theirs tells it */
    bool left;
    /* As it is, or as it was when they left. */
    enum conversation_type type;
    int64_t version;
    int64_t last_seq;
};

/*
 * The user's stays with after < active_at <= until (UNIX ms), the latest active first, until `each` says
 * false.
 */
enum err memberships_by_activity(struct db *db, struct str username, int64_t after, int64_t until,
                                 bool (*each)(void *arg, const struct listed *l), void *arg);

/*
 * A walk along the members whose standing changed after `version`, in that order, each once. The walk ends
 * with db_done(), which the caller owes even after an error; strings live until the next step.
 */
struct stmt *memberships_walk_begin(struct db *db, int32_t conversation, int64_t version);
enum err memberships_walk_next(struct stmt *walk, struct standing *standing, int64_t *version, bool *more);

#endif
