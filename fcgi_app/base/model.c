/* model.c - see model.h. */
#include "base/model.h"

const char *const conversation_type_names[2] = {"private_chat", "group_chat"};

const char *const change_event_names[EVENT_COUNT] = {
    "message.created",
    "conversation.created",
    "member.joined",
    "member.left",
};
