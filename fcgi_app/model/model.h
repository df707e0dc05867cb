/*
 * model.h - the things that imd is about, as every room passes them on.
 *
 * Strings are borrowed: from the request's arena, or from a database row until its next step.
 */
#ifndef IMD_MODEL_MODEL_H
#define IMD_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

#define USERNAME_BYTES_MAX  20
#define CLIENT_ID_BYTES_MAX 64
#define EMOJI_BYTES_MAX     64
#define EMOJI_PER_MESSAGE   32
#define TITLE_CHARS_MAX     200
#define UNREAD_MAX          1000 /* unread messages are counted up to so many */
/* Up to so many members, what each does is of interest to all: read markers, typing, the names in a list. */
#define MEMBERS_FEW 100
/* A listing of a user's conversations, of messages, or of changes holds at most so many. */
#define PAGE_LIMIT_MAX 1000
/* A page with more content than this ends early. */
#define PAGE_BYTES_MAX (1024 * 1024)

/* Of those who reacted with one emoji a message shows the first so many names. */
#define REACTION_NAMES_MAX 100

/* All reactions to a message with one emoji. */
struct reaction {
    struct str emoji; /* as it is shown: model/emoji.h */
    int64_t count;
    bool mine;               /* the viewer is among them */
    const struct str *names; /* in byte order, at most REACTION_NAMES_MAX … */
    size_t name_count;       /* … so many */
};

struct message {
    int64_t id;
    int32_t conversation;
    int64_t seq;       /* 1, 2, 3 … in its conversation */
    int64_t timestamp; /* UNIX ms */
    struct str sender;
    struct str content;
    struct str client_id;             /* the sender's own key for it; absent: none */
    int64_t reply_to;                 /* id of a message; 0: none */
    int64_t edited_at;                /* UNIX ms; 0: never */
    int64_t deleted_at;               /* UNIX ms; 0: not deleted */
    int64_t changed_version;          /* conversation.version of its last change; 0: there was none */
    bool withheld;                    /* the content is left out: domain/visibility.h says when */
    int emoji_count;                  /* different ones among the reactions */
    bool has_viewer;                  /* reactions[…].mine tells about somebody */
    const struct reaction *reactions; /* by emoji, in byte order */
    size_t reaction_count;
};

/* Where a message stands, without its content. */
struct message_key {
    int64_t id;
    int64_t timestamp; /* UNIX ms */
    int32_t conversation;
    int64_t seq;
};

enum conversation_type { TYPE_PRIVATE, TYPE_GROUP };

/* What a member may do in a group: each may do what those before it may. */
enum role { ROLE_NONE, ROLE_MEMBER, ROLE_ADMIN, ROLE_OWNER };

/* Who does something. */
struct actor {
    struct str username;
    bool verified; /* they have proved it, so nobody else need have named them before */
    bool any; /* an administrator of the site, by their own authority: may do what an owner may, anywhere */
};

struct conversation {
    int32_t id; /* model/ids.h says why it is no wider */
    enum conversation_type type;
    struct str title;   /* "": none */
    bool invite_only;   /* nobody joins by themselves */
    int64_t created_at; /* UNIX ms */
    int64_t updated_at; /* UNIX ms */
    int64_t last_seq;
    int64_t version;
    int64_t member_count;
    int64_t listed_at;         /* UNIX ms: when its members' lists were last told that it is active */
    const struct str *members; /* in byte order; NULL: not read */
    size_t members_read;       /* how many of them stand in members */
};

/* What a conversation is to one user: an entry of their list. */
struct listing {
    struct conversation conversation; /* of one that they left: as it was then, without title and members */
    bool left;                        /* they left it: nothing of what follows is set */
    enum role role;
    int64_t read_seq;
    int64_t unread;               /* up to UNREAD_MAX */
    const struct message *newest; /* that they received; NULL: none */
};

/* A member as a page of changes shows them. */
struct standing {
    struct str username;
    enum role role; /* of who left: what they were */
    bool left;
};

struct read_marker {
    struct str username;
    int64_t seq;
};

/* What happened to a conversation: a row of the outbox, an event of a push frame. */
enum change_event {
    EVENT_MESSAGE_CREATED,
    EVENT_MESSAGE_UPDATED,
    EVENT_MESSAGE_DELETED,
    EVENT_CONVERSATION_CREATED,
    EVENT_CONVERSATION_UPDATED,
    EVENT_MEMBER_JOINED,
    EVENT_MEMBER_LEFT,
    EVENT_MEMBER_UPDATED, /* has another role */
    EVENT_READ,
    EVENT_TYPING, /* never in the outbox */
    EVENT_COUNT,
};

struct change {
    int64_t id; /* in the outbox */
    enum change_event event;
    int32_t conversation;
    int64_t version;     /* that the change made; of EVENT_READ: the one it met */
    int64_t tick;        /* UNIX ms */
    int64_t seq;         /* of the message; of the marker; else the conversation's last_seq at that time */
    struct str username; /* who joined, left, has another role, has read, types, or has reacted */
    struct str emoji; /* of EVENT_MESSAGE_UPDATED: the reaction that it is about; absent: it is about none */
    bool added;       /* that reaction was added, not removed */
    enum role role;   /* of EVENT_MEMBER_UPDATED: as it is when told */
    uint64_t payer;   /* whose rate pays for its fan-out (limiter_key); 0: nobody's */
};

/* The names by which the database and clients know these; the index is the enum. */
extern const char *const conversation_type_names[2];
extern const char *const role_names[ROLE_OWNER + 1];
extern const char *const change_event_names[EVENT_COUNT];
/* ROLE_NONE: no role has that name. */
enum role role_named(struct str name);

#endif
