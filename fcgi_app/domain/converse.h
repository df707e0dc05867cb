/*
 * converse.h - the commands and questions about conversations: create, rename, show, list members.
 */
#ifndef IMD_DOMAIN_CONVERSE_H
#define IMD_DOMAIN_CONVERSE_H

#include "base/arena.h"
#include "model/model.h"
#include "domain/access.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/store.h"

/* A conversation to create, and the outcome. */
struct creation {
    struct arena *arena;         /* in: for the members of the answer */
    enum conversation_type type; /* in */
    struct str *names;           /* in: the first members, and room for one; sorted, made unique in place */
    size_t name_count;           /* in */
    struct str creator;          /* in: becomes a member, and the owner of a group; absent: none */
    bool verified;               /* in: the creator is authenticated */
    bool invite_only;            /* in: of a group */
    struct str title;            /* in: at most TITLE_CHARS_MAX characters; absent: none */
    struct creation_key key;     /* in; without a client_id: none. The fingerprint is set here. */
    struct conversation conversation; /* out */
    bool replayed; /* out: it was created before under this key; the conversation is in its present state */
    struct str wrong_name; /* out: on ERR_MEMBER_NAME */
};

/*
 * Creates the conversation and the missing accounts of its members, in one transaction. If the pair
 * already has a private chat, returns that chat, which keeps its title. A key that was used before
 * creates nothing and returns the first conversation. ERR_MEMBER_NAME, ERR_MEMBER_COUNT; for a key
 * used before, ERR_CREATION_MISMATCH if the request differs, and ERR_NOT_A_MEMBER if a verified
 * creator is not a member any more. Opens transactions.
 */
enum err converse_create(struct store *store, struct creation *creation);

/* The join policy of a group: unchanged, everybody, or users whom a member adds. */
enum join_policy { JOIN_STAYS, JOIN_OPEN, JOIN_INVITE };

/* A change of a conversation's title or join policy, and the outcome. */
struct settings_change {
    struct arena *arena;              /* in */
    int32_t id;                       /* in */
    struct actor actor;               /* in: who changes them */
    struct str title;                 /* in: at most TITLE_CHARS_MAX characters; absent: as it is */
    enum join_policy join;            /* in */
    struct conversation conversation; /* out, with its members */
};

/*
 * Changes the settings. Idempotent. ERR_CONVERSATION_UNKNOWN, ERR_JOIN_POLICY (of a private chat),
 * ERR_NOT_A_MEMBER, ERR_ROLE. Opens a transaction.
 */
enum err converse_set_settings(struct store *store, struct settings_change *settings);
/* True if the title has at most TITLE_CHARS_MAX characters. It must be valid UTF-8. */
bool converse_title_valid(struct str title);

/*
 * Calls back with each of the conversations, with its members if there are at most MEMBERS_FEW. *c
 * lives for the call.
 */
enum err converse_show(const struct snapshot *snapshot, const struct access_list *list,
                       void (*each)(void *arg, const struct conversation *c), void *arg);

/*
 * Finds the conversation, without its members, for a present member. ERR_CONVERSATION_UNKNOWN,
 * ERR_NOT_A_MEMBER. Needs a transaction.
 */
enum err converse_find_as_member(struct db *db, struct arena *arena, int32_t id, struct str username,
                                 struct conversation *c);
/*
 * Checks that the user is a member. ERR_CONVERSATION_UNKNOWN, ERR_NOT_A_MEMBER. *few: there are at
 * most MEMBERS_FEW members, so all of them see each other's typing and markers.
 */
enum err converse_check_member(const struct snapshot *snapshot, struct arena *arena, int32_t conversation,
                               struct str username, bool *few);
/*
 * Reads all present members, in byte order, of the conversation that the gate found in this
 * snapshot. ERR_TOO_MANY_MEMBERS if there are more than `limit`.
 */
enum err converse_members(const struct snapshot *snapshot, struct arena *arena, struct conversation *c,
                          int64_t limit);

/*
 * Fills the outputs of a page of the members of the conversation that the gate found in this
 * snapshot.
 */
enum err converse_list_members(const struct snapshot *snapshot, struct arena *arena,
                               struct membership_page *page);

#endif
