/*
 * err.h - the errors of imd, by name: one flat list.
 *
 * An error is either the client's fault or the machine's. api/problem.c maps each to a status, a
 * code and a sentence; no other file knows those.
 */
#ifndef IMD_BASE_ERR_H
#define IMD_BASE_ERR_H

enum err {
    ERR_OK = 0,

    /* The machine is at fault. */
    ERR_STORAGE,  /* SQLite cannot read or write: locked, disk full, damaged */
    ERR_RELAY,    /* no relay is publishing */
    ERR_PRESENCE, /* nchan does not answer who is subscribed */
    ERR_MEMORY,   /* allocation failed */
    ERR_IO,       /* a socket or file failed */
    ERR_REFUSED,  /* nchan cannot accept a push now; retry later */
    ERR_CONFIG,   /* a setting is missing, unknown or out of range */
    ERR_INTERNAL, /* a bug in imd */

    /* The request as a whole is wrong. */
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

    /* The caller is not authenticated, not authorised, or rate limited. */
    ERR_LOOPBACK_ONLY,
    ERR_ORIGIN,
    ERR_CREDENTIALS_MISSING,
    ERR_TOKEN,
    ERR_TOKEN_EXPIRED,
    ERR_CALLER_NAME,
    ERR_NOT_AN_ADMIN,
    ERR_NOT_YOURSELF,
    ERR_TOO_MANY_REQUESTS,

    /* One input is wrong. */
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

    /* The domain refuses: something is unknown, not permitted, in conflict, or at a limit. */
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
    ERR_COUNT, /* the number of errors */
};

#endif
