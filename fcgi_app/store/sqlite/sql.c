/*
 * sql.c - see sql.h. Values are bound, never pasted into the text. Uses only SQL that SQLite and
 * PostgreSQL share.
 */
#include "store/sqlite/sql.h"

/* The columns of a conversation c and a stay m, as conversations.c and memberships.c read them. */
#define CONVERSATION                                                                                         \
    "c.type = 'group_chat', c.created_at, c.updated_at, c.last_seq, c.version, c.member_count,"              \
    " c.listed_at, c.title, c.invite_only"
#define STAY                                                                                                 \
    "m.joined_version, m.joined_seq, m.left_version, m.left_seq, m.left_at, m.role, m.removed, m.since_at"
/* The columns of a message m, as messages.c reads it. */
#define MESSAGE                                                                                              \
    "m.place, m.id, m.sender, m.timestamp, m.content, m.client_id, m.reply_to, m.edited_at, m.deleted_at,"   \
    " m.emoji_count, m.changed_version"
/* The same columns without the content. */
#define HEAD                                                                                                 \
    "m.place, m.id, m.sender, m.timestamp, '', m.client_id, m.reply_to, m.edited_at, m.deleted_at,"          \
    " m.emoji_count, m.changed_version"

/*
 * ACTIVE_ALWAYS, INT64_MAX: membership.active_at in a large conversation, which every list checks.
 */
#define ALWAYS "9223372036854775807"
/* Every time that the database holds, in UNIX ms, as `at`. */
#define EVERY_TIME                                                                                           \
    "SELECT tick AS at FROM instance"                                                                        \
    " UNION ALL SELECT created_at FROM account"                                                              \
    " UNION ALL SELECT created_at FROM conversation"                                                         \
    " UNION ALL SELECT updated_at FROM conversation"                                                         \
    " UNION ALL SELECT listed_at FROM conversation"                                                          \
    " UNION ALL SELECT since_at FROM membership"                                                             \
    " UNION ALL SELECT left_at FROM membership"                                                              \
    " UNION ALL SELECT active_at FROM membership"                                                            \
    " UNION ALL SELECT moved_at FROM read_marker"                                                            \
    " UNION ALL SELECT timestamp FROM message"                                                               \
    " UNION ALL SELECT edited_at FROM message"                                                               \
    " UNION ALL SELECT deleted_at FROM message"
/* The new value of a time in a repair of the clock. */
#define MOVED(column) "coalesce((SELECT new FROM temp.moment WHERE old = " column "), " column ")"

const char *const sql_texts[SQL_COUNT] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",

    [SQL_INSTANCE_GET] = "SELECT epoch, tick, last_message_id, last_change FROM instance",
    [SQL_INSTANCE_SET] = "UPDATE instance SET tick = $1, last_message_id = $2, last_change = $3",
    [SQL_INSTANCE_SET_EPOCH] = "UPDATE instance SET epoch = $1",
    [SQL_INSTANCE_NEEDS] = "SELECT needs FROM instance",

    [SQL_PROBE_SET] = "UPDATE probe SET filler = CASE WHEN $1 > 0 THEN randomblob($1) ELSE '' END"
                      " WHERE only_row = 1 AND ($1 > 0 OR length(filler) > 0)",

    [SQL_ACCOUNT_NUMBER] = "SELECT id FROM account WHERE name = $1",
    [SQL_ACCOUNT_NAME] = "SELECT name FROM account WHERE id = $1",
    [SQL_ACCOUNT_ADD] = "INSERT INTO account (name, created_at) VALUES ($1, $2)",

    [SQL_CONVERSATION_GET] = "SELECT " CONVERSATION " FROM conversation c WHERE c.id = $1",
    [SQL_CONVERSATION_FOR_SENDER] =
        "SELECT last_seq, version, member_count, listed_at, (SELECT m.left_version IS NULL FROM membership m"
        " WHERE m.conversation = c.id AND m.account = $2 ORDER BY m.joined_version DESC LIMIT 1)"
        " FROM conversation c WHERE c.id = $1",
    [SQL_CONVERSATION_BY_PAIR] = "SELECT id FROM conversation WHERE pair_low = $1 AND pair_high = $2",
    [SQL_CONVERSATION_ADD] =
        "INSERT INTO conversation (type, pair_low, pair_high, created_at, updated_at, last_seq,"
        " version, member_count, listed_at, invite_only, title)"
        " VALUES ($1, $2, $3, $4, $4, 0, 1, $5, $4, $6, $7) RETURNING id",
    [SQL_CONVERSATION_BUMP] = "UPDATE conversation SET last_seq = $2, version = $3, updated_at = $4,"
                              " member_count = $5, listed_at = $6 WHERE id = $1",
    [SQL_CONVERSATION_SET_SETTINGS] = "UPDATE conversation SET title = $2, invite_only = $3 WHERE id = $1",

    [SQL_CREATION_KEY_GET] =
        "SELECT conversation, print FROM creation_key WHERE creator = $1 AND caller = $2 AND client_id = $3",
    [SQL_CREATION_KEY_ADD] = "INSERT INTO creation_key (creator, caller, client_id, conversation, print) "
                             "VALUES ($1, $2, $3, $4, $5)",

    /*
     * The user's last stay in a conversation tells their standing. Both of these are found at the
     * ends of the primary key.
     */
    [SQL_MEMBERSHIP_LAST] = "SELECT " STAY " FROM membership m WHERE m.conversation = $1 AND m.account = $2"
                            " ORDER BY m.joined_version DESC LIMIT 1",
    [SQL_MEMBERSHIP_FIRST] = "SELECT joined_version FROM membership"
                             " WHERE conversation = $1 AND account = $2 ORDER BY joined_version LIMIT 1",
    /* In the words of the index on past stays, so that it is used. */
    [SQL_MEMBERSHIP_PAST_BEFORE] =
        "SELECT joined_seq, left_seq FROM membership WHERE conversation = $1 AND account = $2"
        " AND joined_seq < $3 AND left_seq > joined_seq ORDER BY joined_seq DESC LIMIT 1",
    [SQL_MEMBERSHIP_PAST_FROM] =
        "SELECT joined_seq FROM membership WHERE conversation = $1 AND account = $2"
        " AND joined_seq >= $3 AND left_seq > joined_seq ORDER BY joined_seq LIMIT 1",
    [SQL_MEMBERSHIP_ADD] =
        "INSERT INTO membership (conversation, account, joined_version, joined_seq, version,"
        " active_at, role, since_at, username) VALUES ($1, $2, $3, $4, $3, $5, $6, $7, $8)",
    [SQL_MEMBERSHIP_SUPERSEDE] = "UPDATE membership SET version = NULL, username = NULL"
                                 " WHERE conversation = $1 AND account = $2 AND joined_version = $3",
    [SQL_MEMBERSHIP_END] =
        "UPDATE membership SET left_version = $4, left_seq = $5, left_at = $6, version = $4, active_at = $6,"
        " removed = $7"
        " WHERE conversation = $1 AND account = $2 AND joined_version = $3",
    [SQL_MEMBERSHIP_SET_ROLE] =
        "UPDATE membership SET role = $3, version = $4 WHERE conversation = $1 AND account = $2"
        " AND left_version IS NULL AND joined_version = (SELECT max(l.joined_version) FROM membership l"
        " WHERE l.conversation = $1 AND l.account = $2)",
    /* At most MEMBERS_FEW rows, because conversations.c calls it only for small conversations. */
    [SQL_MEMBERSHIP_TOUCH] = "UPDATE membership SET active_at = $2"
                             " WHERE conversation = $1 AND left_version IS NULL",
    [SQL_MEMBERSHIP_NAMES] = "SELECT username FROM membership WHERE conversation = $1"
                             " AND left_version IS NULL ORDER BY username LIMIT $2",
    [SQL_MEMBERSHIP_PAGE] = "SELECT username, role FROM membership WHERE conversation = $1"
                            " AND left_version IS NULL AND username > $2 ORDER BY username LIMIT $3",
    /* Members who joined later are read too, and count. */
    [SQL_MEMBERSHIP_NAMES_AT] =
        "SELECT * FROM (SELECT username, 0, joined_version <= $2 FROM membership"
        " WHERE conversation = $1 AND left_version IS NULL AND username > $3 ORDER BY username LIMIT $5)"
        " UNION ALL SELECT * FROM (SELECT a.name, m.left_version, m.joined_version <= $2 FROM membership m"
        " CROSS JOIN account a ON a.id = m.account"
        " WHERE m.conversation = $1 AND m.left_version > $4 ORDER BY m.left_version LIMIT $5)",
    /* Whether there are more than $4 rows of those that the next statement reads. */
    [SQL_MEMBERSHIP_MORE_ACTIVE] =
        "SELECT 1 FROM membership WHERE account = $1 AND left_version IS NULL AND active_at > $2"
        " UNION ALL SELECT 1 FROM membership"
        " WHERE account = $1 AND version IS NOT NULL AND left_at > $3 LIMIT 1 OFFSET $4",
    /* Rows whose active_at lags are read too, and count. */
    [SQL_MEMBERSHIP_ACTIVE] =
        "SELECT m.conversation, c.last_seq, m.joined_seq, c.updated_at > $3 FROM membership m"
        " JOIN conversation c ON c.id = m.conversation"
        " WHERE m.account = $1 AND m.left_version IS NULL AND m.active_at > $2"
        " UNION ALL SELECT conversation, left_seq, NULL, 1 FROM membership"
        " WHERE account = $1 AND version IS NOT NULL AND left_at > $3 LIMIT $4 + 1",
    [SQL_MEMBERSHIP_SINCE] = "SELECT m.conversation, m.since_at, coalesce(m.left_seq, c.last_seq), m.left_at,"
                             " CASE WHEN m.left_seq IS NULL THEN m.joined_seq END FROM membership m"
                             " JOIN conversation c ON c.id = m.conversation"
                             " WHERE m.account = $1 AND m.version IS NOT NULL ORDER BY m.since_at LIMIT $2",
    [SQL_MEMBERSHIP_PRESENT] =
        "SELECT m.conversation, m.active_at, c.updated_at FROM membership m"
        " JOIN conversation c ON c.id = m.conversation WHERE m.account = $1 AND m.left_version IS NULL"
        " AND m.active_at > $2 AND (m.active_at, m.conversation) < ($3, $4)"
        " ORDER BY m.active_at DESC, m.conversation DESC LIMIT $5",
    [SQL_MEMBERSHIP_LEFT] =
        "SELECT m.conversation, m.left_at, m.left_version, m.left_seq, c.type = 'group_chat'"
        " FROM membership m JOIN conversation c ON c.id = m.conversation WHERE m.account = $1"
        " AND m.version IS NOT NULL AND m.left_at > $2 AND (m.left_at, m.conversation) < ($3, $4)"
        " ORDER BY m.left_at DESC, m.conversation DESC LIMIT $5",
    /* The longest-standing member with the role. */
    [SQL_MEMBERSHIP_OLDEST] =
        "SELECT username FROM membership WHERE conversation = $1 AND role = $2 AND left_version IS NULL"
        " ORDER BY joined_version, username LIMIT 1",
    [SQL_MEMBERSHIP_CHANGED] = "SELECT version, username, role, left_version IS NOT NULL FROM membership"
                               " WHERE conversation = $1 AND version > $2 ORDER BY version, username",

    /* One statement instead of three: 80 us instead of 92 for 50 entries. */
    [SQL_LISTING_STANDING] =
        "SELECT " STAY
        ", (SELECT r.seq FROM read_marker r WHERE r.conversation = $1 AND r.account = $2), " CONVERSATION
        " FROM conversation c CROSS JOIN membership m WHERE c.id = $1"
        " AND m.conversation = $1 AND m.account = $2 ORDER BY m.joined_version DESC LIMIT 1",

    [SQL_READ_MARKER_GET] = "SELECT seq FROM read_marker WHERE conversation = $1 AND account = $2",
    [SQL_READ_MARKER_SET] =
        "INSERT INTO read_marker (conversation, account, seq, moved_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (conversation, account) DO UPDATE SET seq = $3, moved_at = $4",
    /*
     * CROSS JOIN, so that only rows of present members are read, however many former ones left
     * markers.
     */
    [SQL_READ_MARKER_OF_CONVERSATION] =
        "SELECT m.username, r.seq FROM membership m CROSS JOIN read_marker r WHERE m.conversation = $1"
        " AND m.left_version IS NULL AND r.conversation = m.conversation AND r.account = m.account"
        " ORDER BY m.username LIMIT $2",
    [SQL_READ_MARKER_MOVED] =
        "SELECT r.conversation, c.updated_at, r.moved_at FROM read_marker r"
        " JOIN conversation c ON c.id = r.conversation"
        " WHERE r.account = $1 AND (r.moved_at, r.conversation) > ($2, $3) AND"
        " (SELECT m.left_version IS NULL FROM membership m WHERE m.conversation = r.conversation"
        " AND m.account = r.account ORDER BY m.joined_version DESC LIMIT 1) ORDER BY r.moved_at, "
        "r.conversation LIMIT $4",

    /*
     * message.place is conversation * 2^32 + seq. What is bound as a conversation is an int32_t and
     * as a seq at most 2^32-1 (model/ids.h), so no place wraps into another conversation; the last
     * place of a conversation is computed with | because (id + 1) << 32 wraps for the last id.
     */
    [SQL_MESSAGE_ADD] =
        "INSERT INTO message (place, id, sender, timestamp, created_version, client_id, reply_to,"
        " content, run) VALUES (($1 << 32) | $2, $3, $4, $5, $6, $7, $8, $9, (SELECT CASE"
        " WHEN p.sender = $4 THEN coalesce(p.run, 1) + 1 END FROM message p"
        " WHERE p.place = (($1 << 32) | $2) - 1))",
    [SQL_MESSAGE_GET] = "SELECT " MESSAGE " FROM message m WHERE m.place = (($1 << 32) | $2)",
    [SQL_MESSAGE_BY_ID] = "SELECT " MESSAGE " FROM message m WHERE m.id = $1",
    [SQL_MESSAGE_KEY] = "SELECT timestamp, place >> 32, place & 4294967295 FROM message WHERE id = $1",
    [SQL_MESSAGE_HEAD] = "SELECT " HEAD " FROM message m WHERE m.id = $1",
    [SQL_MESSAGE_CONTENT] = "SELECT content FROM message WHERE place = (($1 << 32) | $2)",
    [SQL_MESSAGE_BY_CLIENT_ID] =
        "SELECT " MESSAGE ", m.sent_print FROM message m WHERE m.sender = $1 AND m.client_id = $2",
    [SQL_MESSAGE_TIMESTAMP] = "SELECT timestamp FROM message WHERE place = (($1 << 32) | $2)",
    [SQL_MESSAGE_VERSION] = "SELECT created_version FROM message WHERE place = (($1 << 32) | $2)",
    [SQL_MESSAGE_RANGE] =
        "SELECT " MESSAGE " FROM message m"
        " WHERE m.place >= (($1 << 32) | $2) AND m.place <= (($1 << 32) | 4294967295) ORDER BY m.place",
    /* At most REACTION_NAMES_MAX names of each reaction are shown. */
    [SQL_MESSAGE_BACK] = "SELECT place & 4294967295, content, emoji_count, CASE emoji_count WHEN 0 THEN 0"
                         " ELSE (SELECT sum(CASE WHEN s.count > 100 THEN 100 ELSE s.count END)"
                         " FROM reaction_set s WHERE s.place = message.place) END FROM message"
                         " WHERE place > ($1 << 32) AND place < (($1 << 32) | $2) ORDER BY place DESC",
    [SQL_MESSAGE_KEYS] = "SELECT id, timestamp, place & 4294967295 FROM message"
                         " WHERE place > (($1 << 32) | $2) AND place <= (($1 << 32) | $3) ORDER BY place",
    [SQL_MESSAGE_LAST_ID] = "SELECT id FROM message ORDER BY id DESC LIMIT 1",
    /* Ids have no gaps, except some that a restart may leave. */
    [SQL_MESSAGE_TIMESTAMP_BY_ID] =
        "SELECT timestamp FROM message WHERE id <= $1 + $2 ORDER BY id DESC LIMIT 1",
    [SQL_MESSAGE_FROM] = "SELECT id, timestamp, place >> 32, place & 4294967295 FROM message"
                         " WHERE id >= $1 ORDER BY id LIMIT $2",
    /* The same, with the enum receipt of $3; NULL: $3 was never there. */
    [SQL_MESSAGE_FROM_FOR] =
        "SELECT m.id, m.timestamp, m.place >> 32, m.place & 4294967295, (SELECT CASE"
        " WHEN m.place & 4294967295 <= s.joined_seq THEN 2"
        " WHEN s.left_seq IS NULL OR m.place & 4294967295 <= s.left_seq THEN 1 ELSE 0 END"
        " FROM membership s WHERE s.conversation = m.place >> 32 AND s.account = $3"
        " ORDER BY s.joined_version DESC LIMIT 1) FROM message m WHERE m.id >= $1 ORDER BY m.id LIMIT $2",
    [SQL_MESSAGE_CREATED_FROM] =
        "SELECT " MESSAGE ", m.created_version, m.changed_version IS NOT NULL FROM message m"
        " WHERE m.place >= (($1 << 32) | $2) AND m.place <= (($1 << 32) | 4294967295) ORDER BY m.place",
    [SQL_MESSAGE_CHANGED] =
        "SELECT " MESSAGE ", m.changed_version FROM message m"
        " WHERE m.conversation = $1 AND m.changed_version > $2 ORDER BY m.changed_version",
    [SQL_MESSAGE_OTHERS] =
        "SELECT place & 4294967295, deleted_at IS NULL, sender = $4, CASE WHEN sender = $4 THEN run END"
        " FROM message WHERE place > (($1 << 32) | $2) AND place <= (($1 << 32) | $3) ORDER BY place DESC",
    [SQL_MESSAGE_EDIT] = "UPDATE message SET content = $3, edited_at = $4, changed_version = $5,"
                         " sent_print = coalesce(sent_print, $6) WHERE place = (($1 << 32) | $2)",
    [SQL_MESSAGE_DELETE] = "UPDATE message SET content = '', edited_at = NULL, deleted_at = $3, "
                           "changed_version = $4, emoji_count = 0,"
                           " sent_print = coalesce(sent_print, $5) WHERE place = (($1 << 32) | $2)",
    [SQL_MESSAGE_SET_REACTED] = "UPDATE message SET emoji_count = $3, changed_version = $4"
                                " WHERE place = (($1 << 32) | $2)",

    /* A message has at most EMOJI_PER_MESSAGE sets. */
    [SQL_REACTION_SETS] =
        "SELECT id, emoji, count, named, EXISTS (SELECT 1 FROM reaction r WHERE r.set_id = s.id"
        " AND r.account = $3) FROM reaction_set s WHERE place = (($1 << 32) | $2) ORDER BY emoji",
    [SQL_REACTION_SET_GET] =
        "SELECT id, count, named FROM reaction_set WHERE place = (($1 << 32) | $2) AND emoji = $3",
    [SQL_REACTION_SET_ADD] =
        "INSERT INTO reaction_set (place, emoji, count) VALUES (($1 << 32) | $2, $3, 0) RETURNING id",
    [SQL_REACTION_SET_COUNT] = "UPDATE reaction_set SET count = $2, named = $3 WHERE id = $1",
    [SQL_REACTION_SET_REMOVE] = "DELETE FROM reaction_set WHERE id = $1",
    [SQL_REACTION_SETS_CLEAR] =
        "UPDATE reaction_set SET place = NULL, emoji = '' WHERE place = (($1 << 32) | $2)",
    [SQL_REACTION_SET_CLEAR] = "UPDATE reaction_set SET place = NULL, emoji = '' WHERE id = $1",
    [SQL_REACTION_NAMES] =
        "SELECT username FROM reaction WHERE set_id = $1 AND username > $2 ORDER BY username LIMIT $3",
    /* At most REACTION_ROWS_FEW rows: reactions.c asks only for those of sets without names. */
    [SQL_REACTION_NAMES_FEW] =
        "SELECT a.name FROM reaction r CROSS JOIN account a ON a.id = r.account WHERE r.set_id = $1",
    /* At most REACTION_ROWS_FEW + 1 rows: a set gets names as soon as it is no longer small. */
    [SQL_REACTION_NAME_ALL] = "UPDATE reaction SET username = (SELECT a.name FROM account a"
                              " WHERE a.id = reaction.account) WHERE set_id = $1",
    [SQL_REACTION_ADD] =
        "INSERT INTO reaction (set_id, account, username) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    [SQL_REACTION_REMOVE] = "DELETE FROM reaction WHERE set_id = $1 AND account = $2",
    [SQL_REACTION_CLEARED] = "SELECT id FROM reaction_set WHERE place IS NULL LIMIT 1",
    [SQL_REACTION_SWEEP] = "DELETE FROM reaction WHERE set_id = $1 AND account IN"
                           " (SELECT account FROM reaction WHERE set_id = $1 LIMIT $2)",

    [SQL_OUTBOX_ADD] =
        "INSERT INTO outbox (id, event, conversation, version, tick, seq, account, emoji, added, payer)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    [SQL_OUTBOX_AFTER] =
        "SELECT o.id, event, conversation, version, tick, seq, a.name, emoji, added, payer"
        " FROM outbox o LEFT JOIN account a ON a.id = o.account WHERE o.id > $1 ORDER BY o.id LIMIT $2",
    [SQL_OUTBOX_OLDEST] = "SELECT min(id) FROM outbox",
    [SQL_OUTBOX_TRIM] = "DELETE FROM outbox WHERE id <= $1",

    [SQL_REPAIR_TABLE] =
        "CREATE TEMP TABLE IF NOT EXISTS moment (old INTEGER PRIMARY KEY, new INTEGER)", /* UNIX ms */
    [SQL_REPAIR_FORGET] = "DELETE FROM temp.moment",
    [SQL_REPAIR_COLLECT] = "INSERT OR IGNORE INTO temp.moment (old)"
                           " SELECT at FROM (" EVERY_TIME ") WHERE at > $1 AND at < " ALWAYS,
    [SQL_REPAIR_LOOK] = "SELECT count(*), coalesce(max(old), 0),"
                        " (SELECT count(*) FROM message WHERE timestamp > $1),"
                        " (SELECT coalesce(max(id), 0) FROM message) FROM temp.moment",
    [SQL_REPAIR_MAP] =
        "UPDATE temp.moment SET new = max(ranked.right + ranked.rank, moment.old - ranked.last + $1)"
        " FROM (SELECT old, row_number() OVER (ORDER BY old) AS rank, max(old) OVER () AS last,"
        " (SELECT coalesce(max(at), 0) FROM (" EVERY_TIME ") WHERE at <= $1) AS right"
        " FROM temp.moment) AS ranked WHERE ranked.old = moment.old",
    /* Rows without a time that moves are not touched. */
    [SQL_REPAIR_MESSAGES] = "UPDATE message SET timestamp = " MOVED("timestamp") ", edited_at = " MOVED(
        "edited_at") ", deleted_at = " MOVED("deleted_at") " WHERE id > $2 AND id <= $3"
                                                           " AND (timestamp > $1 OR edited_at > $1 OR "
                                                           "deleted_at > $1)",
    [SQL_REPAIR_ACCOUNTS] = "UPDATE account SET created_at = " MOVED("created_at") " WHERE created_at > $1",
    [SQL_REPAIR_CONVERSATIONS] =
        "UPDATE conversation SET created_at = " MOVED("created_at") ", updated_at = " MOVED(
            "updated_at") ", listed_at = " MOVED("listed_at") " WHERE created_at > $1 OR updated_at > $1 OR "
                                                              "listed_at > $1",
    [SQL_REPAIR_MEMBERSHIPS] = "UPDATE membership SET since_at = " MOVED("since_at") ", left_at = " MOVED(
        "left_at") ", active_at = " MOVED("active_at") " WHERE since_at > $1 OR left_at > $1 OR (active_at > "
                                                       "$1 AND active_at < " ALWAYS ")",
    [SQL_REPAIR_MARKERS] = "UPDATE read_marker SET moved_at = " MOVED("moved_at") " WHERE moved_at > $1",
    [SQL_REPAIR_INSTANCE] = "UPDATE instance SET tick = " MOVED("tick") " WHERE tick > $1",
};
