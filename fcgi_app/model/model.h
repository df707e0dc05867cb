/*
 * model.h - the vocabulary of imd: messages, conversations, members, changes.
 *
 * Strings are borrowed: from the request's arena, or from a database row until the next step.
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
#define UNREAD_MAX          1000 /* the unread count stops here */
/*
 * In conversations of at most this many members, every member sees the others' read markers and
 * typing, and conversations list their members' names.
 */
#define MEMBERS_FEW 100
/* The most entries of one page of conversations, messages or changes. */
#define PAGE_LIMIT_MAX 1000
/* A page ends early once it exceeds this. */
#define PAGE_BYTES_MAX (1024 * 1024)

/* A message shows at most this many names for each emoji. */
#define REACTION_NAMES_MAX 100

/* All reactions to a message with one emoji. */
struct reaction {
    struct str emoji; /* as shown to clients: model/emoji.h */
    int64_t count;
    bool mine;               /* the viewer is among them */
    const struct str *names; /* in byte order, at most REACTION_NAMES_MAX */
    size_t name_count;       /* the number of names */
};

struct message {
    int64_t id;
    int32_t conversation;
    int64_t seq;       /* 1, 2, 3 … in the conversation */
    int64_t timestamp; /* UNIX ms */
    struct str sender;
    struct str content;
    struct str client_id;             /* the sender's idempotency key; absent: none */
    int64_t reply_to;                 /* id of the message that it replies to; 0: none */
    int64_t edited_at;                /* UNIX ms; 0: never */
    int64_t deleted_at;               /* UNIX ms; 0: not deleted */
    int64_t changed_version;          /* version of its last change; 0: never changed */
    bool withheld;                    /* the content is left out, by the rules of domain/visibility.h */
    int emoji_count;                  /* number of different emoji among the reactions */
    bool has_viewer;                  /* there is a viewer, so reactions[…].mine is set */
    const struct reaction *reactions; /* one for each emoji, in byte order */
    size_t reaction_count;
};

/* What identifies a message, without its content. */
struct message_key {
    int64_t id;
    int64_t timestamp; /* UNIX ms */
    int32_t conversation;
    int64_t seq;
};

enum conversation_type { TYPE_PRIVATE, TYPE_GROUP };

/* The roles of a group, in ascending order of rights. */
enum role { ROLE_NONE, ROLE_MEMBER, ROLE_ADMIN, ROLE_OWNER };

/* The user who acts, and with what authority. */
struct actor {
    struct str username;
    bool verified; /* they are authenticated, so they need not be known to the database yet */
    bool any; /* a site administrator acting as themselves: may do what an owner may, in every conversation */
};

struct conversation {
    int32_t id; /* model/ids.h says why 32 bits */
    enum conversation_type type;
    struct str title;   /* "": none */
    bool invite_only;   /* only a member can add users */
    int64_t created_at; /* UNIX ms */
    int64_t updated_at; /* UNIX ms */
    int64_t last_seq;
    int64_t version;
    int64_t member_count;
    int64_t engine_mark;       /* for the engine only: from the read of the row to conversations_bump() */
    const struct str *members; /* in byte order; NULL: not read */
    size_t members_read;       /* the number of names in members */
};

/* A conversation as one user sees it: an entry of their list. */
struct listing {
    struct conversation conversation; /* if left: as it was then, without title and members */
    bool left;                        /* they left it; the rest is not set */
    enum role role;
    int64_t read_seq;
    int64_t unread;               /* up to UNREAD_MAX */
    const struct message *newest; /* the newest message that they received; NULL: none */
};

/* A member, or a former member on a page of changes. */
struct standing {
    struct str username;
    enum role role; /* if left: the role that they had */
    bool left;
};

struct read_marker {
    struct str username;
    int64_t seq;
};

/* The event of a change: of an outbox row, and in a push frame. */
enum change_event {
    EVENT_MESSAGE_CREATED,
    EVENT_MESSAGE_UPDATED,
    EVENT_MESSAGE_DELETED,
    EVENT_CONVERSATION_CREATED,
    EVENT_CONVERSATION_UPDATED,
    EVENT_MEMBER_JOINED,
    EVENT_MEMBER_LEFT,
    EVENT_MEMBER_UPDATED, /* their role changed */
    EVENT_READ,
    EVENT_TYPING, /* never in the outbox */
    EVENT_COUNT,
};

struct change {
    int64_t id; /* in the outbox */
    enum change_event event;
    int32_t conversation;
    int64_t version; /* the version that the change made; of EVENT_READ: the current one */
    int64_t tick;    /* UNIX ms */
    int64_t seq;     /* of the message or the read marker; else the conversation's last_seq at that time */
    struct str username; /* the affected user: who joined, left, got a role, read, types or reacted */
    struct str emoji;    /* of EVENT_MESSAGE_UPDATED: the reaction that changed; absent: no reaction did */
    bool added;          /* true: the reaction was added; false: removed */
    enum role role;      /* of EVENT_MEMBER_UPDATED: the role when the event is rendered */
    uint64_t payer;      /* the limiter_key() charged for its fan-out; 0: none */
};

/* The names of these values in the database and in JSON; the index is the enum. */
extern const char *const conversation_type_names[2];
extern const char *const role_names[ROLE_OWNER + 1];
extern const char *const change_event_names[EVENT_COUNT];
/* Returns the role of that name; ROLE_NONE: there is none. */
enum role role_named(struct str name);

#endif
