/*
 * problem.c - see problem.h. Clients of the ancestor (tests/README.md) show some of these sentences
 * to their users, so those must not change.
 */
#include "api/problem.h"

#include <string.h>
#include "base/log.h"
#include "wire/render.h"

struct problem {
    int status;
    const char *code;
    const char *sentence;
    const char *field; /* the input at fault, unless the handler sets x->field; NULL: none */
};

static const struct problem problems[ERR_COUNT] = {
    [ERR_STORAGE] = {503, "storage_unavailable", "The message store is unavailable right now", NULL},
    [ERR_RELAY] = {503, "relay_unavailable", "Push is unavailable right now", NULL},
    [ERR_PRESENCE] = {503, "presence_unavailable", "Presence is unavailable right now", NULL},
    [ERR_MEMORY] = {503, "out_of_memory", "The server is out of memory right now", NULL},
    [ERR_INTERNAL] = {500, "internal_error", "Internal server error", NULL},

    [ERR_NOT_FOUND] = {404, "not_found", "Not found", NULL},
    [ERR_METHOD] = {405, "method_not_allowed", "Method not allowed", NULL},
    [ERR_TOO_LARGE] = {413, "payload_too_large", "The request body is too large", NULL},
    [ERR_TRUNCATED] = {400, "body_truncated", "The request body ended early", NULL},
    [ERR_SYNTAX] = {400, "invalid_json", "The request body is not valid JSON", NULL},
    [ERR_NOT_AN_OBJECT] = {400, "invalid_body", "The request body must be a JSON object", NULL},
    [ERR_ENCODING] = {400, "invalid_query", "The query string is not valid", NULL},
    [ERR_GIVEN_TWICE] = {400, "duplicate_parameter", "A query parameter is given twice", NULL},
    [ERR_PROTOCOL] = {400, "websocket_or_eventsource_required",
                      "Connect with WebSocket, or send Accept: text/event-stream", NULL},
    [ERR_HANDSHAKE] = {400, "invalid_handshake", "The request is not a WebSocket handshake of version 13",
                       NULL},

    [ERR_LOOPBACK_ONLY] = {403, "loopback_only", "Without authentication, only loopback addresses are served",
                           NULL},
    [ERR_ORIGIN] = {403, "origin_not_allowed", "Pages of this origin may not use this server", NULL},
    [ERR_CREDENTIALS_MISSING] = {401, "missing_credentials", "Authentication required", NULL},
    [ERR_TOKEN] = {401, "invalid_token", "The token is not valid", NULL},
    [ERR_TOKEN_EXPIRED] = {401, "expired_token", "The token has expired", NULL},
    [ERR_CALLER_NAME] = {403, "invalid_caller",
                         "The caller's name must be 1 to 20 letters, digits or underscores", NULL},
    [ERR_NOT_AN_ADMIN] = {403, "not_an_admin", "Only administrators may do this", NULL},
    [ERR_NOT_YOURSELF] = {403, "not_yourself", "username must be the authenticated user", "username"},
    [ERR_TOO_MANY_REQUESTS] = {429, "too_many_requests", "Too many requests", NULL},

    [ERR_ID] = {400, "invalid_id", "Invalid conversation ID", "id"},
    [ERR_TOO_MANY_IDS] = {422, "too_many_ids", "At most 1000 conversations can be requested at once", "id"},
    [ERR_CURSOR] = {400, "invalid_after", "after must be a user name", "after"},
    [ERR_CONFLICTING] = {400, "conflicting_parameters", "These parameters cannot be combined", NULL},
    [ERR_SELECTOR] = {400, "missing_selector", "Either username or conversation ID must be specified", NULL},
    [ERR_TYPE] = {400, "invalid_type", "Invalid conversation type", "type"},
    [ERR_MEMBERS] = {400, "invalid_members", "members must be a list of user names", "members"},
    [ERR_MEMBER_NAME] = {400, "invalid_username", "Invalid username: ", "members"},
    [ERR_MEMBER_COUNT] = {400, "invalid_member_count", "Invalid member count", "members"},
    [ERR_CONTENT] = {400, "invalid_content", "content must be a string", "content"},
    [ERR_CONTENT_TOO_LONG] = {413, "content_too_long", "The content is too long", "content"},
    [ERR_CLIENT_ID] =
        {400, "invalid_client_id",
         "The idempotency key must be 1 to 64 printable ASCII characters, and the same in body and header",
         "client_id"},
    [ERR_REPLY_TO] = {400, "invalid_reply_to", "reply_to must be the id of a message in this conversation",
                      "reply_to"},
    [ERR_EMOJI] = {400, "invalid_emoji",
                   "The emoji must be 1 to 64 bytes without blanks and control characters", "emoji"},
    [ERR_ALL] = {400, "invalid_all", "all must be true or absent", "all"},
    [ERR_PING] = {400, "invalid_ping", "ping must be true or absent", "ping"},
    [ERR_TITLE] = {400, "invalid_title", "title must be a string of at most 200 characters", "title"},
    [ERR_JOIN_POLICY] = {400, "invalid_join", "join must be open or invite, and only groups have it", "join"},
    [ERR_GIVEN_ROLE] = {400, "invalid_role", "role must be owner, admin or member", "role"},
    [ERR_SEQ] = {400, "invalid_seq", "seq must be an integer of 0 or more", "seq"},
    [ERR_USERNAME] = {400, "invalid_username", "Invalid username", "username"},
    [ERR_CONVERSATION] = {400, "invalid_conversation_id", "Invalid conversation ID", "conversation_id"},

    [ERR_CONVERSATION_UNKNOWN] = {404, "invalid_conversation_id", "Invalid conversation ID", NULL},
    [ERR_MESSAGE_UNKNOWN] = {404, "invalid_message_id", "Invalid message ID", NULL},
    [ERR_USERNAME_UNKNOWN] = {404, "invalid_username", "Invalid username", "username"},
    [ERR_SENDER_NOT_MEMBER] = {403, "not_a_member", "Sender is not a member of the conversation", NULL},
    [ERR_NOT_A_MEMBER] = {403, "not_a_member", "Not a member of the conversation", NULL},
    [ERR_NOT_THE_SENDER] = {403, "not_the_sender", "Only the sender of a message may change it", NULL},
    [ERR_MESSAGE_DELETED] = {409, "message_deleted", "The message is deleted", NULL},
    [ERR_IDEMPOTENCY_MISMATCH] = {422, "idempotency_mismatch",
                                  "This idempotency key was used for another message", "client_id"},
    [ERR_CREATION_MISMATCH] = {422, "idempotency_mismatch",
                               "This idempotency key was used for another conversation", "client_id"},
    [ERR_TOO_MANY_REACTIONS] = {422, "too_many_reactions", "The message has too many different reactions",
                                NULL},
    [ERR_TOO_MANY_MEMBERS] = {422, "too_many_members", "The conversation has too many members", NULL},
    [ERR_JOIN_PRIVATE] = {403, "private_chat", "Unable to join private chat", NULL},
    [ERR_LEAVE_PRIVATE] = {403, "private_chat", "Unable to leave private chat", NULL},
    [ERR_INVITE_ONLY] = {403, "invite_only", "This group is invite-only; a member must add you", NULL},
    [ERR_REMOVED] = {403, "removed", "You were removed; only an admin of the group can add you again", NULL},
    [ERR_ROLE] = {403, "role_required", "Your role in the group does not allow this", NULL},
    [ERR_OWNER] = {409, "owner_stays", "The owner must first make another member the owner", "role"},
};

/* ERR_NUMBER, by the input at fault: each has a code of its own. */
static const struct problem number_problems[] = {
    {400, "invalid_limit", "limit must be an integer of 1 or more", "limit"},
    {400, "invalid_after", "after must be an integer of 0 or more", "after"},
    {400, "invalid_updated_after", "updated_after must be an integer of 0 or more", "updated_after"},
    {400, "invalid_updated_before", "updated_before must be an integer of 0 or more", "updated_before"},
    {400, "invalid_after_seq", "after_seq must be an integer of 0 or more", "after_seq"},
    {400, "invalid_before_seq", "before_seq must be an integer of 0 or more", "before_seq"},
    {400, "invalid_around_seq", "around_seq must be an integer of 1 or more", "around_seq"},
};

static const struct problem *
find_problem(const struct context *x, enum err err)
{
    const size_t count = err == ERR_NUMBER ? sizeof(number_problems) / sizeof(number_problems[0]) : 0;

    for (size_t i = 0; i < count; i++)
        if (strcmp(number_problems[i].field, x->field) == 0)
            return &number_problems[i];
    return problems[err].status != 0 ? &problems[err] : &problems[ERR_INTERNAL];
}

/* Retry-After of a 503. */
#define RETRY_AFTER_S 1

static void
write_problem(struct context *x, const struct problem *p)
{
    struct refusal refusal = {
        .status = p->status,
        .code = str_c(p->code),
        .field = x->field != NULL ? x->field : p->field,
        .request_id = x->request->request_id,
    };
    struct buf sentence;

    buf_init(&sentence);
    buf_c(&sentence, p->sentence);
    buf_str(&sentence, x->wrong);
    refusal.sentence = (struct str){sentence.p, sentence.n};
    render_problem(&x->response->body, &refusal);
    buf_clear(&sentence);
}

void
problem_answer(struct context *x, enum err err)
{
    const struct problem *p = find_problem(x, err);
    struct response *response = x->response;

    buf_reset(&response->body);
    write_problem(x, p);
    response->status = p->status;
    response->content_type = "application/problem+json";
    response->accel_redirect = (struct str){0};
    if (p->status == 503)
        response->retry_after_s = RETRY_AFTER_S;
    if (p->status >= 500)
        log_event(LOG_WARNING, "request_failed", "status=%d code=%s", p->status, p->code);
}
