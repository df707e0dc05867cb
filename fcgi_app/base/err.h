/*
 * err.h - everything that can go wrong, by name.
 *
 * One flat list: what a client did (mapped to an HTTP answer in api/problem.c,
 * the only such place), and what the machine did. Knows no text, no status.
 */
#ifndef IMD_BASE_ERR_H
#define IMD_BASE_ERR_H

enum err {
    ERR_OK = 0,

    /* The machine's doing. */
    ERR_STORAGE,  /* SQLite could not read or write: locked, full, broken */
    ERR_RELAY,    /* no relay is publishing */
    ERR_PRESENCE, /* nchan does not say who listens */
    ERR_MEMORY,   /* allocation failed */
    ERR_IO,       /* a socket or file failed */
    ERR_REFUSED,  /* nchan cannot take a push just now */
    ERR_CONFIG,   /* a setting is missing, unknown or out of range */
    ERR_INTERNAL, /* a bug; a test that sees it has found one */

    /* The client's doing, about the request as such. */
    ERR_NOT_FOUND,
    ERR_METHOD,
    ERR_BODY_TOO_LARGE,
    ERR_BODY_TRUNCATED,
    ERR_JSON,
    ERR_BODY_NOT_OBJECT,
    ERR_QUERY,
    ERR_DUPLICATE_PARAMETER,
    ERR_SUBSCRIPTION_PROTOCOL,
    ERR_WEBSOCKET_HANDSHAKE,

    /* Who asks. */
    ERR_LOOPBACK_ONLY,
    ERR_ORIGIN,
    ERR_CREDENTIALS_MISSING,
    ERR_TOKEN,
    ERR_TOKEN_EXPIRED,
    ERR_CALLER_NAME,
    ERR_NOT_AN_ADMIN,
    ERR_NOT_YOURSELF,
    ERR_TOO_MANY_REQUESTS,

    /* The client's doing, about one input. */
    ERR_LIMIT,
    ERR_AFTER,
    ERR_ID,
    ERR_TOO_MANY_IDS,
    ERR_AFTER_NAME,
    ERR_UPDATED_AFTER,
    ERR_UPDATED_BEFORE,
    ERR_AFTER_SEQ,
    ERR_BEFORE_SEQ,
    ERR_AROUND_SEQ,
    ERR_CONFLICTING_PARAMETERS,
    ERR_SELECTOR,
    ERR_TYPE,
    ERR_MEMBERS,
    ERR_MEMBER_NAME,
    ERR_MEMBER_COUNT,
    ERR_CONTENT,
    ERR_CONTENT_TOO_LONG,
    ERR_CLIENT_ID,
    ERR_REPLY_TO,
    ERR_EMOJI,
    ERR_ALL,
    ERR_TITLE,
    ERR_JOIN_POLICY,
    ERR_GIVEN_ROLE,
    ERR_SEQ,
    ERR_USERNAME,
    ERR_CONVERSATION,

    /* Refusals by a rule. */
    ERR_CONVERSATION_UNKNOWN,
    ERR_MESSAGE_UNKNOWN,
    ERR_USERNAME_UNKNOWN,
    ERR_SENDER_NOT_MEMBER,
    ERR_NOT_A_MEMBER,
    ERR_NOT_THE_SENDER,
    ERR_MESSAGE_DELETED,
    ERR_IDEMPOTENCY_MISMATCH,
    ERR_CREATION_MISMATCH,
    ERR_TOO_MANY_REACTIONS,
    ERR_TOO_MANY_MEMBERS,
    ERR_JOIN_PRIVATE,
    ERR_LEAVE_PRIVATE,
    ERR_INVITE_ONLY,
    ERR_REMOVED,
    ERR_ROLE,
    ERR_OWNER,
    ERR_COUNT, /* how many there are */
};

#endif
