/* model.c - see model.h. */
#include "model/model.h"

const char *const conversation_type_names[2] = {
    [TYPE_PRIVATE] = "private_chat",
    [TYPE_GROUP] = "group_chat",
};

const char *const role_names[ROLE_OWNER + 1] = {
    [ROLE_NONE] = "",
    [ROLE_MEMBER] = "member",
    [ROLE_ADMIN] = "admin",
    [ROLE_OWNER] = "owner",
};

const char *const change_event_names[EVENT_COUNT] = {
    [EVENT_MESSAGE_CREATED] = "message.created",
    [EVENT_MESSAGE_UPDATED] = "message.updated",
    [EVENT_MESSAGE_DELETED] = "message.deleted",
    [EVENT_CONVERSATION_CREATED] = "conversation.created",
    [EVENT_CONVERSATION_UPDATED] = "conversation.updated",
    [EVENT_MEMBER_JOINED] = "member.joined",
    [EVENT_MEMBER_LEFT] = "member.left",
    [EVENT_MEMBER_UPDATED] = "member.updated",
    [EVENT_READ] = "read",
    [EVENT_TYPING] = "typing",
};

enum role
role_named(struct str name)
{
    int role = ROLE_OWNER;

    while (role > ROLE_NONE && !str_is(name, role_names[role]))
        role--;
    return (enum role)role;
}
