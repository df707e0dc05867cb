/*
 * memberships.h - the table membership: all present and past members, as intervals (stays).
 *
 * A user's conversations are found by their last activity, yet a message updates no row of a
 * member. So membership.active_at may lag behind conversation.updated_at by up to ACTIVE_LAG_MS. It
 * may be ACTIVE_ALWAYS if there are more than MEMBERS_FEW members. Otherwise it is never ahead. So
 * a search for conversations that were active after T reads all memberships with active_at > T -
 * ACTIVE_LAG_MS, and then checks their conversations.
 *
 * Functions that take a `struct tx` need a write transaction. Those that take a `struct db` need
 * none, but several of them agree with each other only inside one.
 */
#ifndef IMD_STORE_MEMBERSHIPS_H
#define IMD_STORE_MEMBERSHIPS_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

#define ACTIVE_LAG_MS 10000
#define ACTIVE_ALWAYS INT64_MAX

/*
 * A user's last stay in a conversation, which determines their standing. Each reader looks up only
 * the stays that it needs, so a user's past costs nothing, however often they came and went.
 */
struct stay {
    int64_t joined_version;
    int64_t after;        /* seq: the stay received after < seq <= until */
    int64_t until;        /* seq; INT64_MAX: still a member */
    int64_t left_version; /* 0: still a member */
    int64_t left_at;      /* UNIX ms; 0: still a member */
    int64_t since_at;     /* UNIX ms: no message that the user ever received here is older */
    enum role role;       /* of a former member: their last role */
    bool removed;         /* another user ended the stay */
};

/* Returns the user's last stay. *found is false if the user never was a member. */
enum err memberships_last(struct db *db, int32_t conversation, struct str username, struct stay *stay,
                          bool *found);
/* Is the user a member now? `joined_version` names the stay for memberships_end(). */
enum err memberships_current(struct db *db, int32_t conversation, struct str username,
                             int64_t *joined_version, bool *is_member);
/* Returns ROLE_NONE if the user is not a member. */
enum err memberships_role(struct db *db, int32_t conversation, struct str username, enum role *role);

/* Returns the version at which the user first joined; 0: never. */
enum err memberships_first(struct db *db, int32_t conversation, struct str username, int64_t *joined_version);

/*
 * A part of a conversation of which the user received every message (after < seq <= until), or
 * none.
 */
struct span {
    int64_t after;
    int64_t until; /* INT64_MAX: and all future messages, as far as is known */
    bool received;
};

/* Returns the span that contains the message `seq` (1 or more). */
enum err memberships_span(struct db *db, int32_t conversation, struct str username, int64_t seq,
                          struct span *span);
/*
 * Returns the last stay that began before `seq` and ended with messages received; an empty span if
 * there is none.
 */
enum err memberships_past_before(struct db *db, int32_t conversation, struct str username, int64_t seq,
                                 struct span *span);

/* Returns the present owner, from the arena; absent if there is none. */
enum err memberships_owner(struct db *db, struct arena *arena, int32_t conversation, struct str *username);
/*
 * Returns the next owner: the longest-standing admin, else the longest-standing member; absent if
 * there is neither.
 */
enum err memberships_heir(struct db *db, struct arena *arena, int32_t conversation, struct str *username);
/* Begins a stay, at the present version and last_seq of *c. */
enum err memberships_add(struct tx *tx, const struct conversation *c, struct str username, enum role role);
/*
 * Ends the stay at the present version and last_seq of *c. `removed`: the user did not leave by
 * themselves.
 */
enum err memberships_end(struct tx *tx, const struct conversation *c, struct str username,
                         int64_t joined_version, bool removed);
/* Sets the role, at the present version of *c. */
enum err memberships_set_role(struct tx *tx, const struct conversation *c, struct str username,
                              enum role role);

/*
 * Reads the present members into c->members, from the arena, in byte order. Reads none if there are
 * more than `limit`.
 */
enum err memberships_names(struct db *db, struct arena *arena, struct conversation *c, int64_t limit);

/* A page of a conversation's present members, in byte order of their names. */
struct membership_page {
    int32_t conversation;     /* in */
    struct str after;         /* in: the last name of the page before; absent: from the first */
    int limit;                /* in: 1 … PAGE_LIMIT_MAX */
    struct standing *members; /* out, from the arena … */
    size_t count;             /* … so many */
    bool has_next;            /* out */
};

/* Fills the outputs of the page. */
enum err memberships_page(struct db *db, struct arena *arena, struct membership_page *page);

/* A member whom a change concerns. */
struct concerned {
    struct str name;
    bool present; /* the member has not left since the change */
};

/*
 * A walk over the members whom the change that made `version` concerns, each once, in no order.
 * Reads a batch at a time: the next present members, and the next of those who have left since. No
 * version ends the stays of several members.
 */
struct concerned_walk {
    int32_t conversation;
    int64_t version;
    struct str after;          /* advances: present members with greater names; absent: all */
    int64_t left_after;        /* advances: others who left after this version; 0: all */
    int rows;                  /* a batch has at most so many present members, and as many others */
    struct concerned *members; /* the caller's, with room for 2 * rows; out: names from the arena … */
    size_t count;              /* out: … so many */
    bool all;                  /* out: there are no others */
};

/* Reads the next batch, and advances the walk. */
enum err memberships_names_at(struct db *db, struct arena *arena, struct concerned_walk *walk);

/* A conversation in which the user may have received something. */
struct joined {
    int32_t conversation;
    int64_t last_seq;   /* of the conversation; or when they left */
    int64_t joined_seq; /* the user received everything after this; INT64_MAX: unknown, because they left */
    int64_t since_at;   /* UNIX ms, as in struct stay */
    int64_t left_at;    /* UNIX ms; INT64_MAX: still a member */
};

/* A search for a user's conversations that changed after a moment, if they are few. */
struct active_search {
    struct str username;
    int64_t after;         /* UNIX ms */
    int limit;             /* at most so many memberships that may have been active after that */
    struct joined *joined; /* out: in no order, from the arena; of each the first three members are set … */
    size_t count;          /* … so many */
    bool all;              /* out: these are all; false: there are more than `limit`, and some are missing */
};

/* Fills the outputs of the search. */
enum err memberships_active(struct db *db, struct arena *arena, struct active_search *search);

/* The conversations that a user joined first. */
struct joined_first {
    struct str username;   /* in */
    int limit;             /* in: at most so many */
    struct joined *joined; /* out: in the order in which the user joined them, from the arena … */
    size_t count;          /* … so many */
};

/* Fills the outputs. */
enum err memberships_since(struct db *db, struct arena *arena, struct joined_first *first);

/* The position of a conversation in a user's list. */
struct list_position {
    int32_t conversation;
    int64_t active_at;  /* UNIX ms: the walk is ordered by this */
    int64_t updated_at; /* UNIX ms: of the conversation; or when the user left */
    bool left;
    /* If left: the conversation as it was then. */
    enum conversation_type type;
    int64_t version;
    int64_t last_seq;
};

/* A walk over a part of a user's list, from the latest on, one bounded batch at a time. */
struct list_walk {
    struct str username;
    int64_t after;                   /* UNIX ms: only positions whose active_at is > after … */
    int64_t until;                   /* … and <= until. Moves on */
    int32_t below;                   /* moves on: of those active at `until`, conversations below; 0: all */
    int rows;                        /* of a batch, at most */
    struct list_position *positions; /* out: the next ones, from the arena … */
    size_t count;                    /* … so many; fewer than `rows`: the walk is at its end */
};

/* Reads the next batch of the conversations that the user is a member of, and advances the walk. */
enum err memberships_present(struct db *db, struct arena *arena, struct list_walk *walk);
/* Does the same for the conversations that the user has left, ordered by when they left. */
enum err memberships_left(struct db *db, struct arena *arena, struct list_walk *walk);

/*
 * A walk over the members whose standing changed, each once, in the order of the versions of those
 * changes. Reads a batch at a time. A batch never ends between members of the same version.
 */
struct membership_walk {
    int32_t conversation;
    int64_t after;                 /* moves on: versions beyond this one */
    struct membership_step *steps; /* out: the next ones, from the arena … */
    size_t count;                  /* … so many; 0: the walk is at its end */
};

struct membership_step {
    struct standing standing;
    int64_t version;
};

/* Reads the next batch, and advances the walk. */
enum err memberships_walk(struct db *db, struct arena *arena, struct membership_walk *walk);

#endif
