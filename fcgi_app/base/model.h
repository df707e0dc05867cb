/*
 * model.h - the things that imd is about, as every room passes them on.
 *
 * Strings are borrowed: from the request's arena, or from a database row until its next step.
 */
#ifndef IMD_BASE_MODEL_H
#define IMD_BASE_MODEL_H

#include <stdint.h>
#include "base/str.h"

struct message {
    int64_t id;
    int64_t conversation;
    int64_t seq;       /* 1, 2, 3 … in its conversation */
    int64_t timestamp; /* UNIX ms */
    struct str sender;
    struct str content;
};

enum conversation_type { TYPE_PRIVATE, TYPE_GROUP };

struct conversation {
    int64_t id;
    enum conversation_type type;
    int64_t created_at; /* UNIX ms */
    int64_t updated_at; /* UNIX ms */
    int64_t last_seq;
    int64_t version;
    const struct str *members; /* in byte order */
    size_t member_count;
};

/* What happened to a conversation: a row of the outbox, an event of a push frame. */
enum change_event {
    EVENT_MESSAGE_CREATED,
    EVENT_CONVERSATION_CREATED,
    EVENT_MEMBER_JOINED,
    EVENT_MEMBER_LEFT,
    EVENT_COUNT,
};

struct change {
    int64_t id; /* in the outbox */
    enum change_event event;
    int64_t conversation;
    int64_t version;
    int64_t tick;        /* UNIX ms */
    int64_t seq;         /* of the message, where it is about one */
    struct str username; /* who joined or left */
};

#define USERNAME_BYTES_MAX 20

/* The names by which the database and clients know these; the index is the enum. */
extern const char *const conversation_type_names[2];
extern const char *const change_event_names[EVENT_COUNT];

#endif
