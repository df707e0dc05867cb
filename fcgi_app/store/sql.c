/* sql.c - see sql.h. Parameters are bound, never pasted; what SQLite and PostgreSQL both speak. */
#include "store/sql.h"

const char *const sql_texts[SQL_COUNT] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_SAVEPOINT] = "SAVEPOINT command",
    [SQL_SAVEPOINT_RELEASE] = "RELEASE SAVEPOINT command",
    [SQL_SAVEPOINT_ROLLBACK] = "ROLLBACK TO SAVEPOINT command",

    [SQL_INSTANCE_GET] = "SELECT epoch, tick, last_message_id, last_change FROM instance",
    [SQL_INSTANCE_SET] = "UPDATE instance SET tick = $1, last_message_id = $2, last_change = $3",

    [SQL_ACCOUNT_EXISTS] = "SELECT 1 FROM account WHERE name = $1",
    [SQL_ACCOUNT_ADD] = "INSERT INTO account (name, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",

    [SQL_CONVERSATION_GET] = "SELECT type = 'group_chat', created_at, updated_at, last_seq, version"
                             " FROM conversation WHERE id = $1",
    [SQL_CONVERSATION_FOR_SENDER] =
        "SELECT last_seq, version, EXISTS (SELECT 1 FROM membership m WHERE m.conversation = c.id"
        " AND m.username = $2 AND m.left_seq IS NULL) FROM conversation c WHERE c.id = $1",
    [SQL_CONVERSATION_BY_PAIR] = "SELECT id FROM conversation WHERE pair_low = $1 AND pair_high = $2",
    [SQL_CONVERSATION_ADD] =
        "INSERT INTO conversation (type, pair_low, pair_high, created_at, updated_at, last_seq, version)"
        " VALUES ($1, $2, $3, $4, $4, 0, 1) RETURNING id",
    [SQL_CONVERSATION_BUMP] =
        "UPDATE conversation SET last_seq = $2, version = $3, updated_at = $4 WHERE id = $1",

    [SQL_MEMBERSHIP_STAY] = "SELECT joined_version FROM membership"
                            " WHERE conversation = $1 AND username = $2 AND left_seq IS NULL",
    [SQL_MEMBERSHIP_STAYS] = "SELECT joined_seq, left_seq FROM membership"
                             " WHERE username = $1 AND conversation = $2 ORDER BY joined_version",
    [SQL_MEMBERSHIP_ADD] =
        "INSERT INTO membership (conversation, username, joined_version, joined_seq) VALUES ($1, $2, $3, $4)",
    [SQL_MEMBERSHIP_END] = "UPDATE membership SET left_version = $4, left_seq = $5"
                           " WHERE conversation = $1 AND username = $2 AND joined_version = $3",
    [SQL_MEMBERSHIP_NAMES] =
        "SELECT username FROM membership WHERE conversation = $1 AND left_seq IS NULL ORDER BY username",
    [SQL_MEMBERSHIP_NAMES_AT] = "SELECT username FROM membership WHERE conversation = $1"
                                " AND joined_version <= $2 AND (left_version IS NULL OR left_version >= $2)",
    [SQL_MEMBERSHIP_COUNT_UP_TO] =
        "SELECT count(*) FROM (SELECT 1 FROM membership WHERE username = $1 LIMIT $2) AS some",
    [SQL_MEMBERSHIP_ACTIVE_STAYS] =
        "SELECT m.conversation, m.joined_seq, coalesce(m.left_seq, c.last_seq) FROM membership m"
        " JOIN conversation c ON c.id = m.conversation WHERE m.username = $1 AND c.updated_at > $2",

    /* message.place is conversation * 2^32 + seq. */
    [SQL_MESSAGE_ADD] = "INSERT INTO message (place, id, sender, timestamp, content)"
                        " VALUES (($1 << 32) | $2, $3, $4, $5, $6)",
    [SQL_MESSAGE_GET] = "SELECT id, sender, timestamp, content FROM message WHERE place = (($1 << 32) | $2)",
    [SQL_MESSAGE_TIMESTAMP] = "SELECT timestamp FROM message WHERE place = (($1 << 32) | $2)",
    [SQL_MESSAGE_RANGE] = "SELECT id, sender, timestamp, content, place & 4294967295 FROM message"
                          " WHERE place >= (($1 << 32) | $2) AND place < (($1 + 1) << 32) ORDER BY place",
    [SQL_MESSAGE_KEYS] = "SELECT id, timestamp, place & 4294967295 FROM message"
                         " WHERE place >= (($1 << 32) | $2) AND place <= (($1 << 32) | $3) ORDER BY place",
    [SQL_MESSAGE_NEWEST] = "SELECT id, timestamp, place >> 32, place & 4294967295 FROM message"
                           " ORDER BY id DESC LIMIT $1",

    [SQL_OUTBOX_ADD] = "INSERT INTO outbox (id, event, conversation, version, tick, seq, username)"
                       " VALUES ($1, $2, $3, $4, $5, $6, $7)",
    [SQL_OUTBOX_AFTER] = "SELECT id, event, conversation, version, tick, seq, username FROM outbox"
                         " WHERE id > $1 ORDER BY id LIMIT $2",
    [SQL_OUTBOX_OLDEST] = "SELECT min(id) FROM outbox",
    [SQL_OUTBOX_TRIM] = "DELETE FROM outbox WHERE id <= $1",
};
