/* converse.h - the commands and questions about conversations: create, find, name, who is there. */
#ifndef IMD_DOMAIN_CONVERSE_H
#define IMD_DOMAIN_CONVERSE_H

#include "base/arena.h"
#include "model/model.h"
#include "domain/access.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/store.h"

/* What to create, and what came of it. */
struct creation {
    struct arena *arena;         /* in: for the members of the answer */
    enum conversation_type type; /* in */
    struct str *names;           /* in: the first members, and room for one; sorted, made unique in place */
    size_t name_count;           /* in */
    struct str creator;          /* in: a member as well, and a group's owner; absent: nobody is */
    bool verified;               /* in: the creator has proved who they are */
    bool invite_only;            /* in: of a group */
    struct str title;            /* in: at most TITLE_CHARS_MAX characters; absent: none */
    struct creation_key key; /* in: of the caller; without a client_id: none. The fingerprint is set here. */
    struct conversation conversation; /* out */
    bool replayed;                    /* out: it was created before under this key, and is as it is now */
    struct str wrong_name;            /* out: on ERR_MEMBER_NAME */
};

/*
 * Creates the conversation and whichever of its members do not exist, in one transaction. A private chat that
 * the pair already has is returned instead, and keeps its title. A key that was used before creates nothing:
 * the first conversation is given back. ERR_MEMBER_NAME, ERR_MEMBER_COUNT; for a key used before,
 * ERR_CREATION_MISMATCH if something else was asked for, and ERR_NOT_A_MEMBER if a verified creator is no
 * member any more. Opens transactions.
 */
enum err converse_create(struct store *store, struct creation *creation);

/* May anybody join a group? */
enum join_policy { JOIN_STAYS, JOIN_OPEN, JOIN_INVITE };

/* What a conversation is to be called, who may join it, and what it is then. */
struct settings_change {
    struct arena *arena;              /* in */
    int32_t id;                       /* in */
    struct actor actor;               /* in: who says so */
    struct str title;                 /* in: at most TITLE_CHARS_MAX characters; absent: as it is */
    enum join_policy join;            /* in */
    struct conversation conversation; /* out, with its members */
};

/*
 * The same again changes nothing. ERR_CONVERSATION_UNKNOWN, ERR_JOIN_POLICY (of a private chat),
 * ERR_NOT_A_MEMBER, ERR_ROLE. Opens a transaction.
 */
enum err converse_set_settings(struct store *store, struct settings_change *settings);
/* At most TITLE_CHARS_MAX characters; `title` is valid UTF-8. */
bool converse_title_valid(struct str title);

/*
 * Calls back with each of the conversations, with its members where there are at most MEMBERS_FEW. *c lives
 * for the call.
 */
enum err converse_show(const struct snapshot *snapshot, const struct access_list *list,
                       void (*each)(void *arg, const struct conversation *c), void *arg);

/*
 * The conversation without its members, provided that the user is a member now. ERR_CONVERSATION_UNKNOWN,
 * ERR_NOT_A_MEMBER. Needs a transaction.
 */
enum err converse_find_as_member(struct db *db, struct arena *arena, int32_t id, struct str username,
                                 struct conversation *c);
/*
 * Is the user a member? ERR_CONVERSATION_UNKNOWN, ERR_NOT_A_MEMBER. *few: the conversation has so few members
 * that all of them are told what each does.
 */
enum err converse_check_member(const struct snapshot *snapshot, struct arena *arena, int32_t conversation,
                               struct str username, bool *few);
/*
 * All present members, in byte order, of the conversation that the gate found in this snapshot.
 * ERR_TOO_MANY_MEMBERS above `limit`.
 */
enum err converse_members(const struct snapshot *snapshot, struct arena *arena, struct conversation *c,
                          int64_t limit);

/* Fills the outputs of a page of the members of the conversation that the gate found in this snapshot. */
enum err converse_list_members(const struct snapshot *snapshot, struct arena *arena,
                               struct membership_page *page);

#endif
