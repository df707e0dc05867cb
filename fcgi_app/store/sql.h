/*
 * sql.h - every statement that imd ever runs, by name. The texts are in sql.c, the only place with SQL
 * besides schema/. Each connection prepares a statement at its first use and keeps it.
 */
#ifndef IMD_STORE_SQL_H
#define IMD_STORE_SQL_H

enum sql {
    SQL_BEGIN_READ,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SAVEPOINT,
    SQL_SAVEPOINT_RELEASE,
    SQL_SAVEPOINT_ROLLBACK,

    SQL_INSTANCE_GET,
    SQL_INSTANCE_SET,

    SQL_ACCOUNT_EXISTS,
    SQL_ACCOUNT_ADD,

    SQL_CONVERSATION_GET,
    SQL_CONVERSATION_FOR_SENDER,
    SQL_CONVERSATION_BY_PAIR,
    SQL_CONVERSATION_ADD,
    SQL_CONVERSATION_BUMP,

    SQL_MEMBERSHIP_STAY,
    SQL_MEMBERSHIP_STAYS,
    SQL_MEMBERSHIP_ADD,
    SQL_MEMBERSHIP_END,
    SQL_MEMBERSHIP_NAMES,
    SQL_MEMBERSHIP_NAMES_AT,
    SQL_MEMBERSHIP_COUNT_UP_TO,
    SQL_MEMBERSHIP_ACTIVE_STAYS,

    SQL_MESSAGE_ADD,
    SQL_MESSAGE_GET,
    SQL_MESSAGE_TIMESTAMP,
    SQL_MESSAGE_RANGE,
    SQL_MESSAGE_KEYS,
    SQL_MESSAGE_NEWEST,

    SQL_OUTBOX_ADD,
    SQL_OUTBOX_AFTER,
    SQL_OUTBOX_OLDEST,
    SQL_OUTBOX_TRIM,

    SQL_COUNT, /* how many there are */
};

extern const char *const sql_texts[SQL_COUNT];

#endif
