/*
 * sql.c - see sql.h. All values are bound as parameters. Each parameter is cast, so that its type
 * does not depend on its context. A user is given by name, and looked up once in each statement.
 */
#include "store/pg/sql.h"

/*
 * What the statements rely on:
 * - LIMIT makes the planner keep a subquery. So each row of the outer query costs one look-up by
 *   all columns that the subquery compares, whatever the statistics of the table.
 * - A plan is made once, and must fit tables of any size. So all plans are disabled except nested
 *   loops over indexes in their order.
 * - A writer waits at most two seconds for the lock of another, because its clients wait too.
 * - The server ends a session whose host is gone, and so releases its locks.
 *
 * And the lock that all sessions of imd hold: shared, or exclusive for work that needs imd stopped.
 * The class of imd's advisory locks is "imd".
 */
#define SETTINGS                                                                                             \
    "set_config(name, value, false) FROM (VALUES"                                                            \
    " ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'),"     \
    " ('enable_mergejoin', 'off'), ('enable_bitmapscan', 'off'), ('enable_material', 'off'),"                \
    " ('jit', 'off'), ('max_parallel_workers_per_gather', '0'), ('client_encoding', 'UTF8'),"                \
    " ('lock_timeout', '2000'),"                                                                             \
    " ('standard_conforming_strings', 'on'), ('lc_messages', 'C'), ('tcp_keepalives_idle', '1'),"            \
    " ('tcp_keepalives_interval', '1'), ('tcp_keepalives_count', '2'), ('tcp_user_timeout', '3000'))"        \
    " AS settings (name, value)"

const char *const pg_session[] = {
    [PG_SHARED] = "SELECT pg_try_advisory_lock_shared(6909284, 1), " SETTINGS,
    [PG_EXCLUSIVE] = "SELECT pg_try_advisory_lock(6909284, 1), " SETTINGS,
};

const char *const pg_session_lock[] = {
    [PG_SHARED] = "SELECT pg_advisory_lock_shared(6909284, 1)",
    [PG_EXCLUSIVE] = "SELECT pg_advisory_lock(6909284, 1)",
};

/* Parameters. */
#define INT(n)   "$" #n "::bigint"
#define TEXT(n)  "$" #n "::text"
#define BOOL(n)  "$" #n "::boolean"
#define INTS(n)  "$" #n "::bigint[]"
#define TEXTS(n) "$" #n "::text[]"
#define USER(n)  "(SELECT u.id FROM account u WHERE u.name = " TEXT(n) ")"

/* message.place of a conversation and a seq. The bound values have been checked (model/ids.h). */
#define PLACE(c, seq) "((" INT(c) " << 32) | " INT(seq) ")"
/* The place of a conversation's last possible message. */
#define LAST_PLACE(c) "((" INT(c) " << 32) | 4294967295)"
#define SEQ(place)    "(" place " & 4294967295)"

/* A conversation c and a stay m as conversations.c and memberships.c read them. */
#define CONVERSATION                                                                                         \
    "c.type = 'group_chat', c.created_at, c.updated_at, c.last_seq, c.version, c.member_count,"              \
    " c.listed_at, c.title, c.invite_only"
#define STAY                                                                                                 \
    "m.joined_version, m.joined_seq, m.left_version, m.left_seq, m.left_at, m.role, m.removed, m.since_at"
/* The last stay of a user in a conversation. */
#define LAST_STAY(conversation, account)                                                                     \
    "FROM membership m WHERE m.conversation = " conversation " AND m.account = " account                     \
    " ORDER BY m.joined_version DESC LIMIT 1"
/* A message m of the sender a as messages.c reads it. */
#define MESSAGE_BUT_CONTENT(content)                                                                         \
    "m.place, m.id, a.name, m.timestamp, " content ", m.client_id, m.reply_to, m.edited_at, m.deleted_at,"   \
    " m.emoji_count, m.changed_version"
#define MESSAGE MESSAGE_BUT_CONTENT("m.content")
#define SENDER  " JOIN account a ON a.id = m.sender"

/*
 * The first INT(3) messages that meet the condition, in this order, but none after the one whose
 * bytes exceed MESSAGES_BATCH_BYTES together with those before it: rows that a batch cannot
 * hold are not read. The running sums are computed only if the total exceeds it.
 */
#define BYTES_OF(condition, order)                                                                           \
    "(SELECT octet_length(content) AS bytes, " order " FROM message WHERE " condition " ORDER BY " order     \
    " LIMIT " INT(3) ") b"
#define BOUNDED(condition, order)                                                                            \
    " FROM (SELECT * FROM message WHERE " condition " ORDER BY " order " LIMIT CASE"                         \
    " WHEN (SELECT sum(bytes) FROM " BYTES_OF(                                                               \
        condition, order) ") > 262144 THEN (SELECT count(*) FROM"                                            \
                          " (SELECT sum(bytes) OVER (ORDER BY " order                                        \
                          " ROWS UNBOUNDED PRECEDING) - bytes AS before FROM " BYTES_OF(                     \
                              condition,                                                                     \
                              order) ") c WHERE before <= 262144) ELSE " INT(3) " END) m" SENDER             \
                                                                                " ORDER BY m." order
#define FROM_SEQ "place >= " PLACE(1, 2) " AND place <= " LAST_PLACE(1)

/*
 * The first of the numbers INT(1) + 1 … INT(2) whose value is > INT(3), or INT(2) + 1. The values
 * never fall from one number to the next. Most readers lack only the newest rows, so the search
 * goes back from the end in steps that double, and then halves. value(at) reads the value at a
 * number.
 */
#define FIRST_BEYOND(value)                                                                                  \
    "WITH RECURSIVE search (low, high, step) AS (SELECT " INT(1) ", " INT(                                   \
        2) " + 1, 1::bigint"                                                                                 \
           " UNION ALL SELECT CASE WHEN v.value <= " INT(                                                    \
               3) " THEN p.at ELSE p.low END,"                                                               \
                  " CASE WHEN v.value <= " INT(                                                              \
                      3) " THEN p.high ELSE p.at END, least(p.step * 2, 4294967296)"                         \
                         " FROM (SELECT s.*, greatest(s.high - s.step, s.low + "                             \
                         "(s.high - s.low) / 2) AS at FROM search s"                                         \
                         " WHERE s.high - s.low > 1) p CROSS JOIN LATERAL (" value ") v)"                    \
                         " SELECT high FROM search WHERE high - low <= 1"

/* membership.active_at of a conversation that is always read: INT64_MAX. */
#define ALWAYS "9223372036854775807"
/* All times in the database, in UNIX ms, as `at`. */
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
/* Replaces a time by its repaired value. */
#define MOVED(column) column " = coalesce((SELECT new FROM moment WHERE old = " column "), " column ")"

const char *const pg_sql_texts[PG_SQL_COUNT] = {
    /* A snapshot shows the state at its first statement after this one. */
    [PG_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    /*
     * Each statement sees what is committed when it begins. So those after the lock see all earlier
     * ticks.
     */
    [PG_BEGIN_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    [PG_COMMIT] = "COMMIT",
    [PG_ROLLBACK] = "ROLLBACK",

    /* The search path selects the schema. */
    [PG_SCHEMA_EXISTS] = "SELECT to_regclass('instance') IS NOT NULL",
    [PG_SCHEMA_GET] = "SELECT schema_version, needs FROM instance",
    [PG_SCHEMA_SET] = "UPDATE instance SET schema_version = " INT(1),
    [PG_SCHEMA_LOCK] = "SELECT set_config('lock_timeout', '60000', true), pg_advisory_xact_lock(6909284, 2)",

    [PG_SYNCHRONOUS_COMMIT] = "SELECT current_setting('synchronous_commit')",

    [PG_INSTANCE_GET] = "SELECT epoch, tick, last_message_id, last_change FROM instance",
    [PG_INSTANCE_LOCK] = "SELECT tick, last_message_id, last_change, last_account_id, last_conversation_id,"
                         " last_set_id FROM instance WHERE only_row = 1 FOR UPDATE",
    [PG_INSTANCE_SET] =
        "UPDATE instance SET tick = " INT(1) ", last_message_id = " INT(2) ", last_change = " INT(
            3) ", last_account_id = " INT(4) ", last_conversation_id = " INT(5) ", last_set_id = " INT(6) " W"
                                                                                                          "HE"
                                                                                                          "RE"
                                                                                                          " o"
                                                                                                          "nl"
                                                                                                          "y_"
                                                                                                          "ro"
                                                                                                          "w "
                                                                                                          "= "
                                                                                                          "1",
    [PG_INSTANCE_RENEW_EPOCH] = "UPDATE instance SET epoch = replace(gen_random_uuid()::text, '-', '')",
    /*
     * Of each conversation and user: the conversation's row, by its id or by a message in it; the
     * user's account, last stay and read marker there; and the sender of the newest message.
     */
    [PG_AHEAD_STANDINGS] =
        "SELECT w.name, w.id, c.id IS NOT NULL, " CONVERSATION ", a.id, " STAY ", r.seq, l.sender, l.run"
        " FROM (SELECT v.name, CASE WHEN v.conversation <> 0 THEN v.conversation"
        " ELSE (SELECT place >> 32 FROM message WHERE id = v.message) END AS id FROM unnest(" INTS(
            1) ", " INTS(2) ", " TEXTS(3) ") AS v (conversation, message, name) OFFSET 0) w"
                                          " LEFT JOIN LATERAL (SELECT * FROM conversation WHERE id = w.id "
                                          "LIMIT 1) c ON true"
                                          " LEFT JOIN LATERAL (SELECT id FROM account WHERE name = w.name "
                                          "LIMIT 1) a ON true"
                                          " LEFT JOIN LATERAL (SELECT * " LAST_STAY(
                                              "c.id",
                                              "a.id") ") m ON true"
                                                      " LEFT JOIN LATERAL (SELECT seq FROM read_marker WHERE "
                                                      "conversation = c.id AND account = a.id"
                                                      " LIMIT 1) r ON true LEFT JOIN LATERAL (SELECT sender, "
                                                      "run FROM message"
                                                      " WHERE place = (c.id << 32) | c.last_seq LIMIT 1) l "
                                                      "ON true",
    [PG_AHEAD_HEADS] = "SELECT w.id, " MESSAGE_BUT_CONTENT("''::text") " FROM unnest(" INTS(
        1) ") AS w (id) LEFT JOIN message m ON m.id = w.id"
           " LEFT JOIN account a ON a.id = m.sender",
    [PG_AHEAD_KEYS] = "SELECT w.name, w.client_id FROM unnest(" TEXTS(1) ", " TEXTS(
        2) ") AS w (name, client_id)"
           " CROSS JOIN LATERAL (SELECT id FROM account WHERE name = w.name LIMIT 1) a CROSS JOIN LATERAL"
           " (SELECT 1 FROM message WHERE sender = a.id AND client_id = w.client_id LIMIT 1) m",
    /* The rows that were held back. 0 stands for NULL. */
    [PG_BEHIND_BUMPS] =
        "UPDATE conversation c SET last_seq = w.last_seq, version = w.version, updated_at = w.updated_at,"
        " member_count = w.member_count, listed_at = w.listed_at FROM unnest(" INTS(1) ", " INTS(2) ", " INTS(
            3) ", " INTS(4) ", " INTS(5) ", " INTS(6) ") AS w (id, last_seq, version, updated_at, "
                                                      "member_count, listed_at)"
                                                      " WHERE c.id = w.id",
    [PG_BEHIND_MARKERS] = "INSERT INTO read_marker (conversation, account, seq, moved_at) SELECT * FROM "
                          "unnest(" INTS(1) ", " INTS(2) ", " INTS(3) ", " INTS(
                              4) ") ON CONFLICT (conversation, account) DO UPDATE SET seq = excluded.seq,"
                                 " moved_at = excluded.moved_at",
    [PG_BEHIND_MESSAGES] =
        "INSERT INTO message (place, id, sender, timestamp, created_version, reply_to, run, client_id, "
        "content)"
        " SELECT place, id, sender, timestamp, version, nullif(reply_to, 0), nullif(run, 0), client_id, "
        "content"
        " FROM unnest(" INTS(1) ", " INTS(2) ", " INTS(3) ", " INTS(4) ", " INTS(5) ", " INTS(6) ", " INTS(
            7) ", " TEXTS(8) ", " TEXTS(9) ") AS w (place, id, sender, timestamp, version, reply_to, run, "
                                           "client_id, content)",
    [PG_BEHIND_CHANGES] =
        "INSERT INTO outbox (id, conversation, version, tick, seq, account, added, payer, event, emoji)"
        " SELECT id, conversation, version, tick, seq, nullif(account, 0), added <> 0, payer, event, emoji"
        " FROM unnest(" INTS(1) ", " INTS(2) ", " INTS(3) ", " INTS(4) ", " INTS(5) ", " INTS(6) ", " INTS(
            7) ", " INTS(8) ", " TEXTS(9) ", " TEXTS(10) ")"
                                                         " AS w (id, conversation, version, tick, seq, "
                                                         "account, added, payer, event, emoji)",

    [PG_PROBE_SET] = "UPDATE probe SET filler = repeat('x', " INT(1) "::integer)"
                                                                     " WHERE only_row = 1 AND (" INT(
                                                                         1) " > 0 OR filler <> '')",

    [PG_ACCOUNT_EXISTS] = "SELECT 1 FROM account WHERE name = " TEXT(1),
    [PG_ACCOUNT_ADD] =
        "INSERT INTO account (id, name, created_at) VALUES (" INT(1) ", " TEXT(2) ", " INT(3) ")",

    [PG_CONVERSATION_GET] = "SELECT " CONVERSATION " FROM conversation c WHERE c.id = " INT(1),
    [PG_CONVERSATION_FOR_SENDER] = "SELECT c.last_seq, c.version, c.member_count, c.listed_at,"
                                   " coalesce((SELECT m.left_version IS NULL " LAST_STAY(
                                       "c.id", USER(2)) "), false)"
                                                        " FROM conversation c WHERE c.id = " INT(1),
    [PG_CONVERSATION_BY_PAIR] = "SELECT id FROM conversation WHERE pair_low = least(" USER(1) ", " USER(
        2) ")"
           " AND pair_high = greatest(" USER(1) ", " USER(2) ")",
    /* A group has no pair: both columns are NULL. */
    [PG_CONVERSATION_ADD] =
        "INSERT INTO conversation (id, type, pair_low, pair_high, created_at, updated_at, last_seq, version,"
        " member_count, listed_at, invite_only, title) VALUES (" INT(1) ", " TEXT(
            2) ","
               " least(" USER(3) ", " USER(4) "), greatest(" USER(3) ", " USER(4) "), " INT(5) ", " INT(
                   5) ", 0, 1, " INT(6) ", " INT(5) ", " BOOL(7) ", " TEXT(8) ")",
    [PG_CONVERSATION_BUMP] = "UPDATE conversation SET last_seq = " INT(2) ", version = " INT(
        3) ", updated_at = " INT(4) ", member_count = " INT(5) ", listed_at = " INT(6) " WHERE id = " INT(1),
    [PG_CONVERSATION_SET_SETTINGS] =
        "UPDATE conversation SET title = " TEXT(2) ", invite_only = " BOOL(3) " WHERE id = " INT(1),

    /*
     * A user's key is stored by the user's number. A caller may have become a user since it was
     * stored.
     */
    [PG_CREATION_KEY_GET] =
        "SELECT conversation, print FROM ("
        "SELECT 1 AS rank, conversation, print FROM creation_key WHERE creator = " USER(
            1) " AND caller = '' AND client_id = " TEXT(2) " UNION ALL SELECT 2, conversation, print FROM "
                                                           "creation_key WHERE creator = 0"
                                                           " AND caller = " TEXT(1) " AND client_id = " TEXT(
                                                               2) ") k ORDER BY rank LIMIT 1",
    [PG_CREATION_KEY_ADD] =
        "INSERT INTO creation_key (creator, caller, client_id, conversation, print)"
        " SELECT coalesce(u.id, 0), CASE WHEN u.id IS NULL THEN " TEXT(1) " ELSE '' END, " TEXT(2) ", " INT(
            3) ", " INT(4) " FROM (SELECT " USER(1) " AS id) u",

    [PG_MEMBERSHIP_LAST] = "SELECT " STAY " " LAST_STAY(INT(1), USER(2)),
    [PG_MEMBERSHIP_FIRST] = "SELECT joined_version FROM membership WHERE conversation = " INT(
        1) " AND account = " USER(2) " ORDER BY joined_version LIMIT 1",
    /* The same condition as that of the index on past stays. */
    [PG_MEMBERSHIP_PAST_BEFORE] =
        "SELECT joined_seq, left_seq FROM membership WHERE conversation = " INT(1) " AND account = " USER(
            2) " AND joined_seq < " INT(3) " AND left_seq > joined_seq ORDER BY joined_seq DESC LIMIT 1",
    /* The last stay, the past one that began before a seq, and where the next one began. */
    [PG_MEMBERSHIP_SPAN] =
        "SELECT m.joined_seq, m.left_seq, p.joined_seq, p.left_seq, n.joined_seq"
        " FROM (SELECT m.joined_seq, m.left_seq " LAST_STAY(
            INT(1),
            USER(2)) ") m"
                     " LEFT JOIN LATERAL (SELECT joined_seq, left_seq FROM membership WHERE conversation "
                     "= " INT(1) " AND account = " USER(2) " AND joined_seq < " INT(
                         3) " AND left_seq > joined_seq"
                            " ORDER BY joined_seq DESC LIMIT 1) p ON " INT(
                                3) " <= m.joined_seq"
                                   " LEFT JOIN LATERAL (SELECT joined_seq FROM membership WHERE conversation "
                                   "= " INT(1) " AND account = " USER(2) " AND joined_seq >= " INT(
                                       3) " AND left_seq > joined_seq"
                                          " ORDER BY joined_seq LIMIT 1) n ON " INT(3) " <= m.joined_seq",
    [PG_MEMBERSHIP_SUPERSEDE] =
        "UPDATE membership SET version = NULL, username = NULL WHERE conversation "
        "= " INT(1) " AND account = " USER(2) " AND joined_version = (SELECT "
                                              "m.joined_version " LAST_STAY(INT(1), USER(2)) ")",
    /* since_at continues from an earlier stay. */
    [PG_MEMBERSHIP_ADD] =
        "INSERT INTO membership (conversation, account, joined_version, joined_seq, version, active_at, role,"
        " since_at, username) SELECT " INT(1) ", u.id, " INT(3) ", " INT(4) ", " INT(3) ", " INT(5) ", " TEXT(
            6) ", coalesce((SELECT since_at FROM membership f WHERE f.conversation "
               "= " INT(1) " AND f.account = u.id ORDER BY f.joined_version DESC "
                           "LIMIT 1), " INT(7) "), " TEXT(2) " FROM (SELECT " USER(2) " AS id) u",
    [PG_MEMBERSHIP_END] =
        "UPDATE membership SET left_version = " INT(4) ", left_seq = " INT(5) ", left_at = " INT(
            6) ", version = " INT(4) ", active_at = " INT(6) ", removed = " BOOL(7) " WHERE conversation "
                                                                                    "= " INT(
                                                                                        1) " AND "
                                                                                           "account "
                                                                                           "= " USER(
                                                                                               2) " AND "
                                                                                                  "joined_"
                                                                                                  "version "
                                                                                                  "= " INT(3),
    [PG_MEMBERSHIP_SET_ROLE] =
        "UPDATE membership SET role = " TEXT(3) ", version = " INT(4) " WHERE conversation = " INT(
            1) " AND account = " USER(2) " AND left_version IS NULL"
                                         " AND joined_version = (SELECT m.joined_version " LAST_STAY(
                                             INT(1), USER(2)) ")",
    /* At most MEMBERS_FEW rows, because conversations.c runs this only for small conversations. */
    [PG_MEMBERSHIP_TOUCH] = "UPDATE membership SET active_at = " INT(2) " WHERE conversation = " INT(
        1) " AND left_version IS NULL",
    [PG_MEMBERSHIP_NAMES] = "SELECT username FROM membership WHERE conversation = " INT(
        1) " AND left_version IS NULL ORDER BY username LIMIT " INT(2),
    [PG_MEMBERSHIP_PAGE] = "SELECT username, role FROM membership WHERE conversation = " INT(
        1) " AND left_version IS NULL AND username > " TEXT(2) " ORDER BY username LIMIT " INT(3),
    /* Also reads and counts members who joined later. */
    [PG_MEMBERSHIP_NAMES_AT] =
        "(SELECT username, 0, joined_version <= $2::bigint FROM membership WHERE conversation = $1::bigint"
        " AND left_version IS NULL AND username > $3::text ORDER BY username LIMIT $5::bigint)"
        " UNION ALL (SELECT a.name, m.left_version, m.joined_version <= $2::bigint FROM membership m"
        " JOIN account a ON a.id = m.account WHERE m.conversation = $1::bigint"
        " AND m.left_version > $4::bigint ORDER BY m.left_version LIMIT $5::bigint)",
    /* Also reads and counts conversations whose active_at lags. */
    [PG_MEMBERSHIP_ACTIVE] = "SELECT m.conversation, c.last_seq, m.joined_seq, c.updated_at > " INT(
        3) " FROM membership m"
           " JOIN conversation c ON c.id = m.conversation"
           " WHERE m.account = " USER(1) " AND m.left_version IS NULL AND m.active_at > " INT(
               2) " UNION ALL SELECT conversation, left_seq, NULL, true FROM membership"
                  " WHERE account = " USER(1) " AND version IS NOT NULL AND left_at > " INT(3) " LIMIT " INT(
                      4),
    [PG_MEMBERSHIP_SINCE] =
        "SELECT m.conversation, m.since_at, coalesce(m.left_seq, c.last_seq), m.left_at,"
        " CASE WHEN m.left_seq IS NULL THEN m.joined_seq END FROM membership m"
        " JOIN conversation c ON c.id = m.conversation"
        " WHERE m.account = " USER(1) " AND m.version IS NOT NULL ORDER BY m.since_at LIMIT " INT(2),
    [PG_MEMBERSHIP_PRESENT] =
        "SELECT m.conversation, m.active_at, c.updated_at FROM membership m"
        " JOIN conversation c ON c.id = m.conversation WHERE m.account = " USER(
            1) " AND m.left_version IS NULL"
               " AND m.active_at > " INT(2) " AND (m.active_at, m.conversation) < (" INT(3) ", " INT(
                   4) ")"
                      " ORDER BY m.active_at DESC, m.conversation DESC LIMIT " INT(5),
    [PG_MEMBERSHIP_LEFT] =
        "SELECT m.conversation, m.left_at, m.left_version, m.left_seq, c.type = 'group_chat'"
        " FROM membership m JOIN conversation c ON c.id = m.conversation WHERE m.account = " USER(
            1) " AND m.version IS NOT NULL AND m.left_at > " INT(2) " AND (m.left_at, m.conversation) < "
                                                                    "(" INT(3) ", " INT(4) ")"
                                                                                           " ORDER BY "
                                                                                           "m.left_at DESC, "
                                                                                           "m.conversation "
                                                                                           "DESC LIMIT " INT(
                                                                                               5),
    /* Of one role, the longest-standing member. */
    [PG_MEMBERSHIP_OLDEST] = "SELECT username FROM membership WHERE conversation = " INT(
        1) " AND role = " TEXT(2) " AND left_version IS NULL ORDER BY joined_version, username LIMIT 1",
    [PG_MEMBERSHIP_CHANGED] =
        "SELECT version, username, role, gone FROM (SELECT version, username, role, left_version IS NOT NULL "
        "AS gone"
        " FROM membership WHERE conversation = " INT(1) " AND version > " INT(
            2) " ORDER BY version FETCH FIRST (" INT(3) ") ROWS WITH TIES) s ORDER BY version, username",

    [PG_LISTING_STANDING] =
        "SELECT " STAY ", (SELECT r.seq FROM read_marker r WHERE r.conversation = w.id AND r.account = " USER(
            2) " LIMIT 1), " CONVERSATION
               ", p.left_seq, w.n FROM unnest(" INTS(
                   1) ") WITH ORDINALITY AS w (id, n)"
                      " JOIN conversation c ON c.id = w.id CROSS JOIN LATERAL (SELECT * " LAST_STAY(
                          "w.id", USER(2)) ") m"
                                           " LEFT JOIN LATERAL (SELECT left_seq FROM membership WHERE "
                                           "conversation = w.id AND account = " USER(
                                               2) " AND joined_seq < m.joined_seq AND left_seq > joined_seq"
                                                  " AND least(m.left_seq, c.last_seq) <= m.joined_seq ORDER "
                                                  "BY joined_seq DESC LIMIT 1) p ON true",
    /* Of each pair of a conversation and a seq, the last past stay that began before the seq. */
    [PG_LISTING_PAST] = "SELECT w.n, p.joined_seq, p.left_seq FROM unnest(" INTS(1) ", " INTS(
        2) ") WITH ORDINALITY"
           " AS w (id, seq, n) CROSS JOIN LATERAL (SELECT joined_seq, left_seq FROM membership"
           " WHERE conversation = w.id AND account = " USER(
               3) " AND joined_seq < w.seq AND left_seq > joined_seq"
                  " ORDER BY joined_seq DESC LIMIT 1) p",
    [PG_LISTING_NAMES] = "SELECT w.n, ARRAY(SELECT username FROM membership WHERE conversation = w.id"
                         " AND left_version IS NULL ORDER BY username LIMIT " INT(
                             2) ")"
                                " FROM unnest(" INTS(1) ") WITH ORDINALITY AS w (id, n)",
    /*
     * Of the newest rows of each range: how many the user did not send and nobody deleted; how many
     * looks they cost, where a run of the user's own messages costs one; and the place to continue
     * from, before the run that the last row belongs to.
     */
    [PG_LISTING_OTHERS] = "SELECT w.n, k.others, k.looks, k.next FROM unnest(" INTS(1) ", " INTS(2) ", " INTS(
        3) ")"
           " WITH ORDINALITY AS w (low, high, rows, n) CROSS JOIN LATERAL ("
           "SELECT count(*) FILTER (WHERE run IS NULL AND deleted_at IS NULL) AS others,"
           " count(*) FILTER (WHERE run IS NULL) + count(DISTINCT place - run) AS looks,"
           " min(place - coalesce(run, 1)) AS next FROM (SELECT m.place, m.deleted_at,"
           " CASE WHEN m.sender = " USER(
               4) " THEN coalesce(m.run, 1) END AS run FROM message m"
                  " WHERE m.place > w.low AND m.place <= w.high ORDER BY m.place DESC LIMIT w.rows) r) k",

    [PG_READ_MARKER_GET] =
        "SELECT seq FROM read_marker WHERE conversation = " INT(1) " AND account = " USER(2),
    [PG_READ_MARKER_SET] = "INSERT INTO read_marker (conversation, account, seq, moved_at) VALUES (" INT(
        1) ", " USER(2) ", " INT(3) ", " INT(4) ") ON CONFLICT (conversation, account) DO UPDATE SET seq = "
                                                "excluded.seq,"
                                                " moved_at = excluded.moved_at",
    [PG_READ_MARKER_OF_CONVERSATION] =
        "SELECT m.username, r.seq FROM membership m CROSS JOIN LATERAL (SELECT seq FROM read_marker"
        " WHERE conversation = m.conversation AND account = m.account LIMIT 1) r WHERE m.conversation = " INT(
            1) " AND m.left_version IS NULL ORDER BY m.username LIMIT " INT(2),
    [PG_READ_MARKER_MOVED] =
        "SELECT r.conversation, c.updated_at, r.moved_at FROM read_marker r"
        " JOIN conversation c ON c.id = r.conversation"
        " WHERE r.account = " USER(1) " AND (r.moved_at, r.conversation) > (" INT(2) ", " INT(
            3) ")"
               " AND (SELECT m.left_version IS NULL " LAST_STAY(
                   "r.conversation", "r.account") ")"
                                                  " ORDER BY r.moved_at, r.conversation LIMIT " INT(4),

    [PG_MESSAGE_ADD] =
        "INSERT INTO message (place, id, sender, timestamp, created_version, client_id, reply_to, content, "
        "run)"
        " SELECT " PLACE(1, 2) ", " INT(3) ", u.id, " INT(5) ", " INT(6) ", " TEXT(7) ", " INT(8) ", " TEXT(
            9) ", (SELECT CASE WHEN p.sender = u.id THEN coalesce(p.run, 1) + 1 END FROM message p"
               " WHERE p.place = " PLACE(1, 2) " - 1) FROM (SELECT " USER(4) " AS id) u",
    [PG_MESSAGE_GET] = "SELECT " MESSAGE " FROM message m" SENDER " WHERE m.place = " PLACE(1, 2),
    /* The same as BOUNDED, for a list of places. */
    [PG_MESSAGE_AT] =
        "SELECT " MESSAGE ", m.n FROM (SELECT b.*, sum(b.bytes) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING)"
        " - b.bytes AS before FROM (SELECT m.*, w.n, octet_length(m.content) AS bytes FROM unnest(" INTS(
            1) ")"
               " WITH ORDINALITY AS w (at, n) JOIN message m ON m.place = w.at) b) m" SENDER
               " WHERE m.before <= 262144 ORDER BY m.n",
    [PG_MESSAGE_BY_ID] = "SELECT " MESSAGE " FROM message m" SENDER " WHERE m.id = " INT(1),
    [PG_MESSAGE_KEY] = "SELECT timestamp, place >> 32, " SEQ("place") " FROM message WHERE id = " INT(1),
    [PG_MESSAGE_HEAD] =
        "SELECT " MESSAGE_BUT_CONTENT("''::text") " FROM message m" SENDER " WHERE m.id = " INT(1),
    [PG_MESSAGE_CONTENT] = "SELECT content FROM message WHERE place = " PLACE(1, 2),
    [PG_MESSAGE_BY_CLIENT_ID] = "SELECT " MESSAGE ", m.sent_print FROM message m" SENDER
                                " WHERE m.sender = " USER(1) " AND m.client_id = " TEXT(2),
    [PG_MESSAGE_FIRST_AFTER] =
        FIRST_BEYOND("SELECT timestamp AS value FROM message WHERE place = (" INT(4) " << 32) | p.at"),
    [PG_MESSAGE_FIRST_CREATED_AFTER] =
        FIRST_BEYOND("SELECT created_version AS value FROM message WHERE place = (" INT(4) " << 32) | p.at"),
    [PG_MESSAGE_FIRST_BY_ID] =
        FIRST_BEYOND("SELECT timestamp AS value FROM message WHERE id >= p.at ORDER BY id LIMIT 1"),
    [PG_MESSAGE_RANGE] = "SELECT " MESSAGE BOUNDED(FROM_SEQ, "place"),
    [PG_MESSAGE_CREATED_FROM] =
        "SELECT " MESSAGE ", m.created_version, m.changed_version IS NOT NULL" BOUNDED(FROM_SEQ, "place"),
    [PG_MESSAGE_CHANGED] = "SELECT " MESSAGE ", m.changed_version" BOUNDED(
        "place >> 32 = " INT(1) " AND changed_version > " INT(2), "changed_version"),
    /* At most REACTION_NAMES_MAX names of each reaction are shown. */
    [PG_MESSAGE_BACK] =
        "WITH rows AS (SELECT place, octet_length(content) + CASE emoji_count WHEN 0 THEN 0"
        " ELSE emoji_count * " INT(
            5) " + (SELECT sum(least(s.count, 100))::bigint FROM reaction_set s"
               " WHERE s.place = m.place) * " INT(6) " END AS bytes FROM message m WHERE place > (" INT(
                   1) " << 32)"
                      " AND place < " PLACE(1, 2) " ORDER BY place DESC LIMIT " INT(
                          3) ")"
                             " SELECT CASE WHEN sum(bytes) <= " INT(4) " THEN min(" SEQ(
                                 "place") ")"
                                          " ELSE (SELECT min(" SEQ(
                                              "place") ") FROM (SELECT place, sum(bytes) OVER (ORDER BY "
                                                       "place DESC"
                                                       " ROWS UNBOUNDED PRECEDING) - bytes AS before FROM "
                                                       "rows) c WHERE before <= " INT(4) ") END FROM rows",
    [PG_MESSAGE_KEYS] = "SELECT id, timestamp, " SEQ("place") " FROM message WHERE place > " PLACE(
        1, 2) " AND place <= " PLACE(1, 3) " ORDER BY place LIMIT " INT(4),
    [PG_MESSAGE_LAST_ID] = "SELECT id FROM message ORDER BY id DESC LIMIT 1",
    [PG_MESSAGE_FROM] = "SELECT id, timestamp, place >> 32, " SEQ(
        "place") " FROM message"
                 " WHERE id >= " INT(1) " ORDER BY id LIMIT " INT(2),
    /* The same, with the enum receipt of user TEXT(3); NULL: the user was never a member. */
    [PG_MESSAGE_FROM_FOR] = "SELECT k.id, k.timestamp, k.place >> 32, k.place & 4294967295, (SELECT CASE"
                            " WHEN k.place & 4294967295 <= m.joined_seq THEN 2"
                            " WHEN m.left_seq IS NULL OR k.place & 4294967295 <= m.left_seq THEN 1 ELSE 0 END"
                            " " LAST_STAY("k.place >> 32", USER(3)) ")"
                                                                    " FROM message k WHERE k.id >= " INT(
                                                                        1) " ORDER BY k.id LIMIT " INT(2),
    [PG_MESSAGE_EDIT] =
        "UPDATE message SET content = " TEXT(3) ", edited_at = " INT(4) ", changed_version = " INT(
            5) ", sent_print = coalesce(sent_print, " INT(6) ") WHERE place = " PLACE(1, 2),
    [PG_MESSAGE_DELETE] =
        "UPDATE message SET content = '', edited_at = NULL, deleted_at = " INT(3) ", changed_version = " INT(
            4) ", emoji_count = 0, sent_print = coalesce(sent_print, " INT(5) ") WHERE place = " PLACE(1, 2),
    [PG_MESSAGE_SET_REACTED] = "UPDATE message SET emoji_count = " INT(3) ", changed_version = " INT(
        4) " WHERE place = " PLACE(1, 2),

    /*
     * Each set of these messages, with the first names: by the index if its rows hold names, else
     * sorted from at most REACTION_ROWS_FEW rows.
     */
    [PG_REACTION_SETS] =
        "SELECT w.n, s.emoji, s.count, (SELECT true FROM reaction r WHERE r.set_id = s.id"
        " AND r.account = " USER(
            2) " LIMIT 1) IS NOT NULL, CASE WHEN s.named THEN ARRAY(SELECT username FROM reaction"
               " WHERE set_id = s.id AND username IS NOT NULL ORDER BY username LIMIT " INT(
                   3) ")"
                      " ELSE ARRAY(SELECT a.name FROM reaction r JOIN account a ON a.id = r.account WHERE "
                      "r.set_id = s.id"
                      " ORDER BY a.name LIMIT " INT(3) ") END"
                                                       " FROM unnest(" INTS(
                                                           1) ") WITH ORDINALITY AS w (place, n) JOIN "
                                                              "reaction_set s ON s.place = w.place"
                                                              " ORDER BY w.n, s.emoji",
    [PG_REACTION_PAGE] =
        "SELECT s.count, CASE WHEN s.named THEN ARRAY(SELECT username FROM reaction WHERE set_id = s.id"
        " AND username > " TEXT(4) " ORDER BY username LIMIT " INT(
            5) ")"
               " ELSE ARRAY(SELECT a.name FROM reaction r JOIN account a ON a.id = r.account WHERE r.set_id "
               "= s.id"
               " AND a.name > " TEXT(4) " ORDER BY a.name LIMIT " INT(
                   5) ") END"
                      " FROM reaction_set s WHERE s.place = " PLACE(1, 2) " AND s.emoji = " TEXT(3),
    [PG_REACTION_SET_GET] =
        "SELECT s.id, s.count, s.named, (SELECT true FROM reaction r WHERE r.set_id = s.id"
        " AND r.account = " USER(4) " LIMIT 1) IS NOT NULL FROM reaction_set s WHERE s.place = " PLACE(
            1, 2) " AND s.emoji = " TEXT(3),
    [PG_REACTION_SET_ADD] = "INSERT INTO reaction_set (id, place, emoji, count, named) VALUES (" INT(
        1) ", " PLACE(2, 3) ", " TEXT(4) ", 0, false)",
    [PG_REACTION_SET_COUNT] =
        "UPDATE reaction_set SET count = " INT(2) ", named = " BOOL(3) " WHERE id = " INT(1),
    [PG_REACTION_SET_REMOVE] = "DELETE FROM reaction_set WHERE id = " INT(1),
    [PG_REACTION_SETS_CLEAR] = "UPDATE reaction_set SET place = NULL, emoji = '' WHERE place = " PLACE(1, 2),
    [PG_REACTION_SET_CLEAR] = "UPDATE reaction_set SET place = NULL, emoji = '' WHERE id = " INT(1),
    /* At most REACTION_ROWS_FEW + 1 rows: a set gets names as soon as it is no longer small. */
    [PG_REACTION_NAME_ALL] = "UPDATE reaction SET username = (SELECT a.name FROM account a"
                             " WHERE a.id = reaction.account) WHERE set_id = " INT(1),
    [PG_REACTION_ADD] = "INSERT INTO reaction (set_id, account, username) VALUES (" INT(1) ", " USER(
        2) ", CASE WHEN " BOOL(3) " THEN " TEXT(2) " END)",
    [PG_REACTION_REMOVE] = "DELETE FROM reaction WHERE set_id = " INT(1) " AND account = " USER(2),
    [PG_REACTION_CLEARED] = "SELECT id FROM reaction_set WHERE place IS NULL ORDER BY id LIMIT 1",
    /* Deletes the set as well, once fewer rows are left than one sweep may delete. */
    [PG_REACTION_SWEEP] = "WITH batch AS (SELECT account FROM reaction WHERE set_id = " INT(
        1) " ORDER BY account"
           " LIMIT " INT(2) "), gone AS (DELETE FROM reaction r USING batch"
                            " WHERE r.set_id = " INT(1) " AND r.account = batch.account)"
                                                        " DELETE FROM reaction_set WHERE id = " INT(
                                                            1) " AND (SELECT count(*) FROM batch) < " INT(2),

    [PG_OUTBOX_ADD] = "INSERT INTO outbox (id, event, conversation, version, tick, seq, account, emoji, "
                      "added, payer) VALUES (" INT(1) ", " TEXT(2) ", " INT(3) ", " INT(4) ", " INT(
                          5) ", " INT(6) ", " USER(7) ", " TEXT(8) ", " BOOL(9) ", " INT(10) ")",
    [PG_OUTBOX_AFTER] = "SELECT o.id, event, conversation, version, tick, seq, a.name, emoji, added, payer"
                        " FROM outbox o LEFT JOIN account a ON a.id = o.account WHERE o.id > " INT(
                            1) " ORDER BY o.id LIMIT " INT(2),
    [PG_OUTBOX_OLDEST] = "SELECT id FROM outbox ORDER BY id LIMIT 1",
    [PG_OUTBOX_TRIM] = "DELETE FROM outbox WHERE id <= " INT(1),

    /* Selects the relay that publishes. The lock ends with the session. */
    [PG_LEAD_TRY] = "SELECT pg_try_advisory_lock(6909284, 3)",
    [PG_LEAD_LISTEN] = "LISTEN imd_change",
    [PG_LEAD_NOTIFY] = "SELECT pg_notify('imd_change', " INT(1) "::text)",

    [PG_SIZE] = "SELECT (SELECT schema_version FROM instance), pg_database_size(current_database())",

    [PG_REPAIR_TABLE] = "CREATE TEMP TABLE moment (old bigint PRIMARY KEY, new bigint) ON COMMIT DROP",
    [PG_REPAIR_COLLECT] = "INSERT INTO moment (old) SELECT DISTINCT at FROM (" EVERY_TIME ") t"
                          " WHERE at > " INT(1) " AND at < " ALWAYS,
    [PG_REPAIR_LOOK] = "SELECT count(*), coalesce(max(old), 0),"
                       " (SELECT count(*) FROM message WHERE timestamp > " INT(
                           1) "),"
                              " (SELECT coalesce(max(id), 0) FROM message) FROM moment",
    [PG_REPAIR_MAP] =
        "UPDATE moment SET new = greatest(ranked.right + ranked.rank, moment.old - ranked.last + " INT(
            1) ")"
               " FROM (SELECT old, row_number() OVER (ORDER BY old) AS rank, max(old) OVER () AS last,"
               " (SELECT coalesce(max(at), 0) FROM (" EVERY_TIME
               ") t WHERE at <= " INT(1) ") AS \"right\""
                                         " FROM moment) AS ranked WHERE ranked.old = moment.old",
    /* Rows without a time to repair are not touched. */
    [PG_REPAIR_MESSAGES] = "UPDATE message SET " MOVED("timestamp") ", " MOVED("edited_at") ", " MOVED(
        "deleted_at") " WHERE id > " INT(2) " AND id <= " INT(3) " AND (timestamp > " INT(1) " OR edited_at "
                                                                                             "> " INT(
                                                                                                 1) " OR"
                                                                                                    " de"
                                                                                                    "let"
                                                                                                    "ed_"
                                                                                                    "at "
                                                                                                    ">"
                                                                                                    " " INT(
                                                                                                        1) ")",
    [PG_REPAIR_ACCOUNTS] = "UPDATE account SET " MOVED("created_at") " WHERE created_at > " INT(1),
    [PG_REPAIR_CONVERSATIONS] =
        "UPDATE conversation SET " MOVED("created_at") ", " MOVED("updated_at") ", " MOVED(
            "listed_at") " WHERE created_at > " INT(1) " OR updated_at > " INT(1) " OR listed_at > " INT(1),
    [PG_REPAIR_MEMBERSHIPS] = "UPDATE membership SET " MOVED("since_at") ", " MOVED("left_at") ", " MOVED(
        "active_at") " WHERE since_at > " INT(1) " OR left_at > " INT(1) " OR (active_at > " INT(1) " AND "
                                                                                                    "active_"
                                                                                                    "at "
                                                                                                    "<"
                                                                                                    " " ALWAYS
                                                                                                    ")",
    [PG_REPAIR_MARKERS] = "UPDATE read_marker SET " MOVED("moved_at") " WHERE moved_at > " INT(1),
    [PG_REPAIR_INSTANCE] = "UPDATE instance SET " MOVED("tick") " WHERE tick > " INT(1),
};
