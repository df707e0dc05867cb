/* converse.h - the commands and questions about conversations: create, find, name, join, leave, who is there.
 */
#ifndef IMD_DOMAIN_CONVERSE_H
#define IMD_DOMAIN_CONVERSE_H

#include "base/arena.h"
#include "base/model.h"
#include "store/store.h"

/* What to create, and what came of it. */
struct creation {
    struct arena *arena;              /* in: for the members of the answer */
    enum conversation_type type;      /* in */
    struct str *names;                /* in: the first members; sorted and made unique in place */
    size_t name_count;                /* in */
    struct conversation conversation; /* out */
    struct str wrong_name;            /* out: on ERR_MEMBER_NAME */
};

/*
 * Creates the conversation and whichever of its members do not exist. A private chat that the pair already
 * has is returned instead, and nothing changes. ERR_MEMBER_NAME, ERR_MEMBER_COUNT. Opens transactions.
 */
enum err converse_create(struct store *store, struct creation *creation);

/* What a conversation is to be called, and what it is then. */
struct naming {
    struct arena *arena;              /* in */
    int64_t id;                       /* in */
    struct str username;              /* in: who names it */
    struct str title;                 /* in: at most TITLE_CHARS_MAX characters */
    struct conversation conversation; /* out, with its members */
};

/* The same title again changes nothing. ERR_CONVERSATION_UNKNOWN, ERR_NOT_A_MEMBER. Opens a transaction. */
enum err converse_name(struct store *store, struct naming *naming);
/* At most TITLE_CHARS_MAX characters; `title` is valid UTF-8. */
bool converse_title_valid(struct str title);

/*
 * Calls back with each conversation of `ids` that exists, with its members, in id order, each once, until it
 * says false. `ids` is sorted in place. One snapshot; opens a transaction.
 */
enum err converse_find(struct store *store, int64_t *ids, size_t count,
                       bool (*each)(void *arg, const struct conversation *c), void *arg);

/*
 * Makes the user a member, or ends that; what is so already changes nothing. Checked in this order:
 * ERR_CONVERSATION_UNKNOWN, ERR_JOIN_PRIVATE or ERR_LEAVE_PRIVATE, ERR_USERNAME_UNKNOWN (bad or unknown).
 * Opens a transaction.
 */
enum err converse_join(struct store *store, int64_t conversation, struct str username);
enum err converse_leave(struct store *store, int64_t conversation, struct str username);

/*
 * The conversation without its members, provided that the user is a member now. ERR_CONVERSATION_UNKNOWN,
 * ERR_NOT_A_MEMBER. Needs a transaction.
 */
enum err converse_find_as_member(struct db *db, struct arena *arena, int64_t id, struct str username,
                                 struct conversation *c);
/*
 * Is the user a member? ERR_CONVERSATION_UNKNOWN, ERR_NOT_A_MEMBER. *few: the conversation has so few members
 * that all of them are told what each does. Opens a transaction.
 */
enum err converse_check_member(struct store *store, struct arena *arena, int64_t conversation,
                               struct str username, bool *few);
/* All present members, in byte order. ERR_CONVERSATION_UNKNOWN; ERR_TOO_MANY_MEMBERS above `limit`. Opens a
 * transaction. */
enum err converse_members(struct store *store, struct arena *arena, int64_t conversation, int64_t limit,
                          const struct str **names, size_t *count);

#endif
