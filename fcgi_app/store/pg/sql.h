/*
 * sql.h - every statement that imd ever runs on PostgreSQL, by name. The texts are in sql.c, the
 * only place of this engine with SQL besides schema/. Each connection prepares a statement at its
 * first use and keeps it.
 */
#ifndef IMD_STORE_PG_SQL_H
#define IMD_STORE_PG_SQL_H

enum pg_sql {
    PG_BEGIN_READ,
    PG_BEGIN_WRITE,
    PG_COMMIT,
    PG_ROLLBACK,

    PG_SCHEMA_EXISTS,
    PG_SCHEMA_GET,
    PG_SCHEMA_SET,
    PG_SCHEMA_LOCK,

    PG_SYNCHRONOUS_COMMIT,

    PG_INSTANCE_GET,
    PG_INSTANCE_LOCK,
    PG_INSTANCE_SET,
    PG_INSTANCE_RENEW_EPOCH,
    PG_AHEAD_STANDINGS,
    PG_AHEAD_HEADS,
    PG_AHEAD_KEYS,
    PG_BEHIND_BUMPS,
    PG_BEHIND_MARKERS,
    PG_BEHIND_MESSAGES,
    PG_BEHIND_CHANGES,

    PG_PROBE_SET,

    PG_ACCOUNT_EXISTS,
    PG_ACCOUNT_ADD,

    PG_CONVERSATION_GET,
    PG_CONVERSATION_FOR_SENDER,
    PG_CONVERSATION_BY_PAIR,
    PG_CONVERSATION_ADD,
    PG_CONVERSATION_BUMP,
    PG_CONVERSATION_SET_SETTINGS,

    PG_CREATION_KEY_GET,
    PG_CREATION_KEY_ADD,

    PG_MEMBERSHIP_LAST,
    PG_MEMBERSHIP_FIRST,
    PG_MEMBERSHIP_PAST_BEFORE,
    PG_MEMBERSHIP_SPAN,
    PG_MEMBERSHIP_SUPERSEDE,
    PG_MEMBERSHIP_ADD,
    PG_MEMBERSHIP_END,
    PG_MEMBERSHIP_SET_ROLE,
    PG_MEMBERSHIP_TOUCH,
    PG_MEMBERSHIP_NAMES,
    PG_MEMBERSHIP_PAGE,
    PG_MEMBERSHIP_NAMES_AT,
    PG_MEMBERSHIP_ACTIVE,
    PG_MEMBERSHIP_SINCE,
    PG_MEMBERSHIP_PRESENT,
    PG_MEMBERSHIP_LEFT,
    PG_MEMBERSHIP_OLDEST,
    PG_MEMBERSHIP_CHANGED,

    PG_LISTING_STANDING,
    PG_LISTING_PAST,
    PG_LISTING_NAMES,
    PG_LISTING_OTHERS,

    PG_READ_MARKER_GET,
    PG_READ_MARKER_SET,
    PG_READ_MARKER_OF_CONVERSATION,
    PG_READ_MARKER_MOVED,

    PG_MESSAGE_ADD,
    PG_MESSAGE_GET,
    PG_MESSAGE_AT,
    PG_MESSAGE_BY_ID,
    PG_MESSAGE_KEY,
    PG_MESSAGE_HEAD,
    PG_MESSAGE_CONTENT,
    PG_MESSAGE_BY_CLIENT_ID,
    PG_MESSAGE_FIRST_AFTER,
    PG_MESSAGE_FIRST_CREATED_AFTER,
    PG_MESSAGE_FIRST_BY_ID,
    PG_MESSAGE_RANGE,
    PG_MESSAGE_CREATED_FROM,
    PG_MESSAGE_CHANGED,
    PG_MESSAGE_BACK,
    PG_MESSAGE_KEYS,
    PG_MESSAGE_LAST_ID,
    PG_MESSAGE_FROM,
    PG_MESSAGE_FROM_FOR,
    PG_MESSAGE_EDIT,
    PG_MESSAGE_DELETE,
    PG_MESSAGE_SET_REACTED,

    PG_REACTION_SETS,
    PG_REACTION_PAGE,
    PG_REACTION_SET_GET,
    PG_REACTION_SET_ADD,
    PG_REACTION_SET_COUNT,
    PG_REACTION_SET_REMOVE,
    PG_REACTION_SETS_CLEAR,
    PG_REACTION_SET_CLEAR,
    PG_REACTION_NAME_ALL,
    PG_REACTION_ADD,
    PG_REACTION_REMOVE,
    PG_REACTION_CLEARED,
    PG_REACTION_SWEEP,

    PG_OUTBOX_ADD,
    PG_OUTBOX_AFTER,
    PG_OUTBOX_OLDEST,
    PG_OUTBOX_TRIM,

    PG_LEAD_TRY,
    PG_LEAD_LISTEN,
    PG_LEAD_NOTIFY,

    PG_SIZE,

    /*
     * From here on those that need imd stopped, and may look at every row: repair.c describes them.
     */
    PG_OFFLINE,
    PG_REPAIR_TABLE = PG_OFFLINE,
    PG_REPAIR_COLLECT,
    PG_REPAIR_LOOK,
    PG_REPAIR_MAP,
    PG_REPAIR_MESSAGES,
    PG_REPAIR_ACCOUNTS,
    PG_REPAIR_CONVERSATIONS,
    PG_REPAIR_MEMBERSHIPS,
    PG_REPAIR_MARKERS,
    PG_REPAIR_INSTANCE,

    PG_SQL_COUNT, /* how many there are */
};

extern const char *const pg_sql_texts[PG_SQL_COUNT];
/* How a session uses the database. */
enum pg_use_of {
    PG_SHARED,    /* together with other sessions */
    PG_EXCLUSIVE, /* alone: all of imd must be stopped */
};

/*
 * Each connection first runs one of these, which sets what the statements rely on. The first column
 * of the first row: whether the database can be used in this way.
 */
extern const char *const pg_session[];
/* If it cannot yet, this waits until it can, for as long as a write waits for a lock. */
extern const char *const pg_session_lock[];

#endif
