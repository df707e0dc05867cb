/*
 * err.h - the errors of imd, by name: one flat list.
 *
 * A name says what is wrong, not where: the same error may come from a request, a file or a token.
 * api/problem.c maps each to a status, a code and a sentence; no other file knows those.
 */
#ifndef IMD_BASE_ERR_H
#define IMD_BASE_ERR_H

enum err {
    ERR_OK = 0,

    /* The machine, the database or nchan has failed. */
    ERR_STORAGE,  /* the database cannot be read or written: locked, disk full, damaged */
    ERR_RELAY,    /* no relay is publishing */
    ERR_PRESENCE, /* nchan does not answer questions about presence */
    ERR_MEMORY,   /* allocation failed */
    ERR_IO,       /* a socket or file failed */
    ERR_REFUSED,  /* a push cannot be accepted now; retry later */
    ERR_CONFIG,   /* a setting is missing, unknown or out of range */
    ERR_INTERNAL, /* a bug in imd */

    /* The request as a whole is wrong. */
    ERR_NOT_FOUND,
    ERR_METHOD, /* it exists, but not for this method */
    ERR_TOO_LARGE,
    ERR_TRUNCATED,
    ERR_SYNTAX,        /* not JSON */
    ERR_NOT_AN_OBJECT, /* JSON, but not an object */
    ERR_ENCODING,      /* a bad escape, a NUL, or not UTF-8 */
    ERR_GIVEN_TWICE,   /* an input that may be given once */
    ERR_PROTOCOL,      /* not a supported protocol */
    ERR_HANDSHAKE,     /* the protocol's first step is malformed */

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
    ERR_NUMBER, /* not a number, or out of its range */
    ERR_ID,
    ERR_TOO_MANY_IDS,
    ERR_CURSOR,      /* a page begins after a user name, and this is not one */
    ERR_CONFLICTING, /* two inputs that cannot be combined */
    ERR_SELECTOR,    /* no input selects whose data to return */
    ERR_TYPE,
    ERR_MEMBERS,
    ERR_MEMBER_NAME,
    ERR_MEMBER_COUNT,
    ERR_CONTENT,
    ERR_CONTENT_TOO_LONG,
    ERR_CLIENT_ID,
    ERR_REPLY_TO,
    ERR_EMOJI,
    ERR_ALL,  /* neither true nor absent */
    ERR_PING, /* likewise */
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
