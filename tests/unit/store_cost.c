/*
 * Checks: the cost of a statement does not grow with past or unrelated rows. The database has a
 * user with 200,000 stays in one conversation, a group of 100,000, thousands of conversations of
 * one user, long runs of messages and a message with 10,000 reactions. Every statement and every
 * command must stay below a number of steps that depends on none of them, with the statistics of
 * ANALYZE and without.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include "domain/access.h"
#include "domain/amend.h"
#include "domain/belong.h"
#include "domain/changes.h"
#include "domain/converse.h"
#include "domain/history.h"
#include "domain/inbox.h"
#include "domain/reading.h"
#include "store/memberships.h"
#include "store/sqlite/db.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* The steps allowed for a statement, and for each row that the caller takes. */
#define STEPS_STATEMENT 400
#define STEPS_ROW       60
/* A command or a read takes some statements, and some more for each object on a page. */
#define STEPS_COMMAND 4000
#define STEPS_OBJECT  600

/* The numbers of the users, in the order in which load() adds them; c000001 and on follow. */
enum { ANN = 1, BOB, EVE, LATE, ZED };

#define USER(i) (ZED + (i))

/* The conversations of the database that is tested. */
enum {
    CHURN = 1,  /* eve is in it after 200,000 stays; ann owns it */
    LEFT = 2,   /* eve has left it after 20,000 stays */
    CROWD = 3,  /* 100,000 members beside ann, who owns it, and bob, an admin */
    FORMER = 4, /* 50,000 have left it, each with a read marker; ann, bob and eve are there */
    RUN = 5,    /* eve sent the last 20,000 messages */
    EDITED = 6, /* 50,000 messages, each edited since */
    HUNDRED = 7,
    LIKED = 8,    /* its only message has 10,000 reactions */
    QUIET = 100,  /* from here on 5,000 that eve and late are in: since lately, with a message each */
    GONE = 10000, /* from here on 5,000 that eve has left */
    QUIET_END = QUIET + 5000,
    GONE_END = GONE + 5000,
};

#define CHURN_STAYS    200000
#define CHURN_MESSAGES (CHURN_STAYS / 2)
#define LEFT_STAYS     20000
#define CROWD_MEMBERS  100000
#define FORMER_MEMBERS 50000
#define RUN_MESSAGES   20000
#define EDITED_COUNT   50000
#define LIKES          10000

/* --- the database */

/* i = 1 … count, for an INSERT. */
#define ROWS "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "

static void
add_conversation(const struct place *place, int id, int last_seq, int version, int members)
{
    support_tell(
        place,
        "INSERT INTO conversation (id, type, created_at, updated_at, last_seq, version, title,"
        " member_count, listed_at) VALUES (%d, 'group_chat', 1, 3000000000 + %d, %d, %d, 'x', %d, 1)",
        id, id, last_seq, version, members);
}

static void
add_members(const struct place *place, int conversation, const char *names, int version)
{
    support_tell(
        place,
        "INSERT INTO membership (conversation, account, username, joined_version, joined_seq, version,"
        " active_at, role, since_at) SELECT %d, id, name, %d, 0, %d, (SELECT updated_at FROM conversation"
        " WHERE id = %d), CASE name WHEN 'ann' THEN 'owner' WHEN 'bob' THEN 'admin' ELSE 'member' END, 1"
        " FROM account WHERE name IN (%s)",
        conversation, version, version, conversation, names);
}

/* Of each four stays, one received a message, and a message was sent after it. */
static void
add_stays(const struct place *place, int conversation, int count)
{
    support_tell(
        place,
        "INSERT INTO membership (conversation, account, joined_version, joined_seq, left_version,"
        " left_seq, left_at, active_at, since_at) " ROWS
        "SELECT %d, %d, 2 * i, (i + (i %% 4 <> 1)) / 2, 2 * i + 1, (i + 1) / 2, 100 + i, 100 + i, 100"
        " FROM n",
        count, conversation, EVE);
}

static void
add_messages(const struct place *place, int conversation, int first, int count, int sender)
{
    support_tell(place,
                 "INSERT INTO message (place, id, sender, timestamp, created_version, content, run) " ROWS
                 "SELECT (%d << 32) + %d + i - 1, last_message_id + i, %d, 1000 + last_message_id + i, 1 + i,"
                 " 'x', nullif(i, 1) FROM n, instance; UPDATE instance SET last_message_id ="
                 " last_message_id + %d, tick = 1000 + last_message_id + %d",
                 count, conversation, first, sender, count, count);
}

static void
load_dead_rows(const struct place *place)
{
    add_conversation(place, CHURN, CHURN_MESSAGES, 2 * CHURN_STAYS + 10, 2);
    add_stays(place, CHURN, CHURN_STAYS);
    add_members(place, CHURN, "'ann'", 1);
    support_tell(
        place,
        "INSERT INTO membership (conversation, account, username, joined_version, joined_seq, version,"
        " active_at, since_at) VALUES (%d, %d, 'eve', %d, %d, %d, 3000000001, 100)",
        CHURN, EVE, 2 * CHURN_STAYS + 2, CHURN_MESSAGES, 2 * CHURN_STAYS + 2);
    add_messages(place, CHURN, 1, CHURN_MESSAGES, BOB);
    add_conversation(place, LEFT, LEFT_STAYS / 2, 2 * LEFT_STAYS + 10, 1);
    add_stays(place, LEFT, LEFT_STAYS);
    add_members(place, LEFT, "'ann'", 1);
    support_tell(place,
                 "UPDATE membership SET version = left_version, username = 'eve' WHERE conversation = %d AND "
                 "joined_version = %d",
                 LEFT, 2 * LEFT_STAYS);
    add_messages(place, LEFT, 1, LEFT_STAYS / 2, BOB);
    add_conversation(place, FORMER, 0, 2 * FORMER_MEMBERS + 2, 3);
    add_members(place, FORMER, "'ann', 'bob', 'eve'", 1);
    support_tell(place,
                 "INSERT INTO membership (conversation, account, username, joined_version, joined_seq,"
                 " left_version, left_seq, left_at, version, active_at, since_at) " ROWS
                 "SELECT %d, %d + i, printf('c%%06d', i), 2 * i, 0, 2 * i + 1, 0, i, 2 * i + 1, i, 1 FROM n",
                 FORMER_MEMBERS, FORMER, USER(0));
    support_tell(place,
                 "INSERT INTO read_marker (conversation, account, seq, moved_at) " ROWS
                 "SELECT %d, %d + i, 1, i FROM n",
                 FORMER_MEMBERS, FORMER, USER(0));
}

static void
load_large(const struct place *place)
{
    add_conversation(place, CROWD, 10, 20, CROWD_MEMBERS + 2);
    add_members(place, CROWD, "'ann', 'bob'", 1);
    support_tell(
        place,
        "INSERT INTO membership (conversation, account, username, joined_version, joined_seq, version,"
        " active_at, since_at) SELECT %d, id, name, 1, 0, 1, 0, 1 FROM account WHERE name LIKE 'c______'",
        CROWD);
    support_tell(place, "UPDATE membership SET active_at = 9223372036854775807 WHERE conversation = %d",
                 CROWD);
    add_messages(place, CROWD, 1, 10, BOB);
    add_conversation(place, RUN, RUN_MESSAGES + 5, RUN_MESSAGES + 6, 2);
    add_members(place, RUN, "'bob', 'eve'", 1);
    add_messages(place, RUN, 1, 5, BOB);
    add_messages(place, RUN, 6, RUN_MESSAGES, EVE);
    add_conversation(place, EDITED, EDITED_COUNT, 2 * EDITED_COUNT + 1, 2);
    add_members(place, EDITED, "'bob', 'eve'", 1);
    add_messages(place, EDITED, 1, EDITED_COUNT, BOB);
    support_tell(
        place, "UPDATE message SET edited_at = timestamp, changed_version = %d + seq WHERE conversation = %d",
        EDITED_COUNT + 1, EDITED);
    add_conversation(place, HUNDRED, 0, 1, 100);
    support_tell(
        place,
        "INSERT INTO membership (conversation, account, username, joined_version, joined_seq, version,"
        " active_at, since_at) SELECT %d, id, name, 1, 0, 1, 1, 1 FROM account WHERE name LIKE 'c0000__' OR"
        " name = 'c000100'",
        HUNDRED);
    add_conversation(place, LIKED, 1, 2, 3);
    add_members(place, LIKED, "'ann', 'bob', 'eve'", 1);
    add_messages(place, LIKED, 1, 1, EVE);
}

/* The quiet conversations of eve and late. All others of theirs are older. */
static void
load_quiet(const struct place *place)
{
    support_tell(place,
                 "INSERT INTO conversation (id, type, created_at, updated_at, last_seq, version, title,"
                 " member_count, listed_at) " ROWS "SELECT %d + i - 1, 'group_chat', 1, 2000000000 + i * "
                 "1000, 1, 4, '', 3, 2000000000 + i * 1000 FROM n",
                 QUIET_END - QUIET, QUIET);
    support_tell(
        place,
        "INSERT INTO membership (conversation, account, username, joined_version, joined_seq, version,"
        " active_at, since_at) SELECT c.id, a.id, name, 2, 0, 2, updated_at, 1000000000 + c.id"
        " FROM conversation c, account a WHERE c.id >= %d AND name IN ('eve', 'late')",
        QUIET);
    support_tell(place,
                 "INSERT INTO message (place, id, sender, timestamp, created_version, content)"
                 " SELECT (id << 32) + 1, last_message_id + id, %d, updated_at, 4, 'x'"
                 " FROM conversation, instance WHERE id >= %d",
                 BOB, QUIET);
}

/* The conversations that eve has left. */
static void
load_left(const struct place *place)
{
    support_tell(place,
                 "INSERT INTO conversation (id, type, created_at, updated_at, last_seq, version, title,"
                 " member_count, listed_at) " ROWS "SELECT %d + i - 1, 'group_chat', 1, 1000000000 + i * "
                 "1000, 0, 3, '', 0, 1000000000 + i * 1000 FROM n",
                 GONE_END - GONE, GONE);
    support_tell(
        place,
        "INSERT INTO membership (conversation, account, username, joined_version, joined_seq, left_version,"
        " left_seq, left_at, version, active_at, since_at) SELECT id, %d, 'eve', 2, 0, 3, 0, updated_at, 3,"
        " updated_at, updated_at - 1 FROM conversation WHERE id >= %d",
        EVE, GONE);
}

/* Read markers of eve, idempotency keys of ann, and a long outbox. */
static void
load_many(const struct place *place)
{
    support_tell(place,
                 "INSERT INTO read_marker (conversation, account, seq, moved_at)"
                 " SELECT id, %d, 1, created_at FROM conversation WHERE id >= %d AND id < %d",
                 EVE, QUIET, GONE_END);
    /* Of thousands of messages, a few are unread. */
    for (int c = CHURN; c <= EDITED; c++)
        if (c == CHURN || c == EDITED)
            support_tell(place,
                         "INSERT INTO read_marker (conversation, account, seq, moved_at)"
                         " SELECT id, %d, last_seq - 9, 1 FROM conversation WHERE id = %d",
                         EVE, c);
    support_tell(place,
                 "INSERT INTO creation_key " ROWS "SELECT %d, '', 'k' || i, %d, 7 FROM n;"
                 " UPDATE instance SET last_message_id = last_message_id + %d, last_change = 10000,"
                 " tick = 3000100000;",
                 10000, ANN, CROWD, GONE_END);
    support_tell(place,
                 "INSERT INTO outbox (id, event, conversation, version, tick) " ROWS
                 "SELECT i, 'message.created', %d, 1, i FROM n",
                 10000, CHURN);
}

/*
 * The first set's message shows it; the second one is cleared, and its rows wait to be swept. The
 * third one is small, on the same message.
 */
static void
load_reactions(const struct place *place)
{
    support_tell(place,
                 "INSERT INTO reaction_set (id, place, emoji, count, named) VALUES"
                 " (1, %d << 32 | 1, 'a', %d, 1), (2, NULL, 'b', %d, 1), (3, %d << 32 | 1, 'b', 3, 0)",
                 LIKED, LIKES, LIKES, LIKED);
    for (int set = 1; set <= 2; set++)
        support_tell(place, "INSERT INTO reaction " ROWS "SELECT %d, %d + i, printf('c%%06d', i) FROM n",
                     LIKES, set, USER(0));
    support_tell(place, "INSERT INTO reaction (set_id, account) VALUES (3, %d), (3, %d), (3, %d)", ZED, BOB,
                 ANN);
    support_tell(place, "UPDATE message SET emoji_count = 2, changed_version = 2 WHERE conversation = %d",
                 LIKED);
}

static void
load(const struct place *place)
{
    support_tell(
        place,
        "INSERT INTO account (id, name, created_at) VALUES (%d, 'ann', 1), (%d, 'bob', 1), (%d, 'eve', 1),"
        " (%d, 'late', 1), (%d, 'zed', 1)",
        ANN, BOB, EVE, LATE, ZED);
    support_tell(place,
                 "INSERT INTO account (id, name, created_at) " ROWS
                 "SELECT %d + i, printf('c%%06d', i), 1 FROM n",
                 CROWD_MEMBERS, USER(0));
    load_dead_rows(place);
    load_large(place);
    load_quiet(place);
    load_left(place);
    load_many(place);
    load_reactions(place);
}

/* --- statements */

struct value {
    int64_t number;
    const char *text; /* NULL: the number is meant */
};

#define N(number)                                                                                            \
    {                                                                                                        \
        number, NULL                                                                                         \
    }
#define T(text)                                                                                              \
    {                                                                                                        \
        0, text                                                                                              \
    }

/* NULL. */
#define NONE N(INT64_MIN)

/* A statement with its arguments, and how many rows its caller takes, or it changes. */
struct asked {
    enum sql sql;
    int rows;
    struct value values[11];
};

#define LATELY   3000000000 /* after the quiet conversations */
#define ALL_SEQS INT64_C(4294967295)

static const struct asked asked[] = {
    {SQL_INSTANCE_GET, 1, {{0}}},
    {SQL_INSTANCE_NEEDS, 1, {{0}}},
    {SQL_INSTANCE_SET, 1, {N(1), N(1), N(1)}},
    {SQL_INSTANCE_SET_EPOCH, 1, {T("x")}},
    {SQL_PROBE_SET, 1, {N(10)}},
    {SQL_ACCOUNT_NUMBER, 1, {T("eve")}},
    {SQL_ACCOUNT_NAME, 1, {N(EVE)}},
    {SQL_ACCOUNT_ADD, 1, {T("new"), N(1)}},
    {SQL_CONVERSATION_GET, 1, {N(CROWD)}},
    {SQL_CONVERSATION_FOR_SENDER, 1, {N(CHURN), N(EVE)}},
    {SQL_CONVERSATION_FOR_SENDER, 1, {N(LEFT), N(EVE)}},
    {SQL_CONVERSATION_FOR_SENDER, 1, {N(CROWD), N(USER(50000))}},
    {SQL_CONVERSATION_BY_PAIR, 1, {N(ANN), N(BOB)}},
    {SQL_CONVERSATION_ADD, 1, {T("group_chat"), NONE, NONE, N(1), N(1), N(0), T("")}},
    {SQL_CONVERSATION_BUMP, 1, {N(CROWD), N(11), N(21), N(1), N(1), N(1)}},
    {SQL_CONVERSATION_SET_SETTINGS, 1, {N(CROWD), T("y"), N(0)}},
    {SQL_CREATION_KEY_GET, 1, {N(ANN), T(""), T("k77")}},
    {SQL_CREATION_KEY_ADD, 1, {N(ANN), T(""), T("new"), N(CROWD), N(1)}},
    {SQL_MEMBERSHIP_LAST, 1, {N(CHURN), N(EVE)}},
    {SQL_MEMBERSHIP_LAST, 1, {N(LEFT), N(EVE)}},
    {SQL_MEMBERSHIP_LAST, 1, {N(CROWD), N(ZED)}},
    {SQL_MEMBERSHIP_FIRST, 1, {N(CHURN), N(EVE)}},
    {SQL_MEMBERSHIP_PAST_BEFORE, 1, {N(CHURN), N(EVE), N(CHURN_MESSAGES / 2)}},
    {SQL_MEMBERSHIP_PAST_BEFORE, 1, {N(CHURN), N(EVE), N(0)}},
    {SQL_MEMBERSHIP_PAST_FROM, 1, {N(CHURN), N(EVE), N(CHURN_MESSAGES / 2)}},
    {SQL_MEMBERSHIP_PAST_FROM, 1, {N(CHURN), N(EVE), N(CHURN_MESSAGES)}},
    {SQL_MEMBERSHIP_ADD, 1, {N(CROWD), N(ZED), N(21), N(1), N(1), T("member"), N(1), T("zed")}},
    {SQL_MEMBERSHIP_SUPERSEDE, 1, {N(LEFT), N(EVE), N(2 * LEFT_STAYS)}},
    {SQL_MEMBERSHIP_END, 1, {N(CHURN), N(EVE), N(2 * CHURN_STAYS + 2), N(9), N(9), N(9), N(0)}},
    {SQL_MEMBERSHIP_SET_ROLE, 1, {N(CHURN), N(EVE), T("admin"), N(9)}},
    {SQL_MEMBERSHIP_SET_ROLE, 1, {N(CROWD), N(USER(50000)), T("admin"), N(9)}},
    {SQL_MEMBERSHIP_TOUCH, 100, {N(HUNDRED), N(9)}},
    {SQL_MEMBERSHIP_TOUCH, 3, {N(FORMER), N(9)}},
    {SQL_MEMBERSHIP_NAMES, 3, {N(FORMER), N(100)}},
    {SQL_MEMBERSHIP_NAMES, 100, {N(CROWD), N(100)}},
    {SQL_MEMBERSHIP_PAGE, 11, {N(CROWD), T("c070000"), N(11)}},
    {SQL_MEMBERSHIP_PAGE, 3, {N(FORMER), T(""), N(11)}},
    {SQL_MEMBERSHIP_NAMES_AT,
     3,
     {N(FORMER), N(2 * FORMER_MEMBERS + 2), T(""), N(2 * FORMER_MEMBERS + 1), N(9)}},
    {SQL_MEMBERSHIP_NAMES_AT, 2, {N(CHURN), N(2 * CHURN_STAYS + 9), T(""), N(2 * CHURN_STAYS + 8), N(9)}},
    {SQL_MEMBERSHIP_NAMES_AT, 20, {N(CROWD), N(1), T("c050000"), N(0), N(20)}},
    {SQL_MEMBERSHIP_NAMES_AT, 20, {N(FORMER), N(1), T(""), N(FORMER_MEMBERS), N(17)}},
    {SQL_MEMBERSHIP_MORE_ACTIVE, 10, {N(EVE), N(0), N(0), N(64)}},
    {SQL_MEMBERSHIP_MORE_ACTIVE, 10, {N(EVE), N(LATELY), N(LATELY), N(1000)}},
    {SQL_MEMBERSHIP_ACTIVE, 20, {N(EVE), N(0), N(0), N(10)}},
    {SQL_MEMBERSHIP_ACTIVE, 10, {N(EVE), N(LATELY), N(LATELY), N(1000)}},
    {SQL_MEMBERSHIP_SINCE, 9, {N(EVE), N(9)}},
    {SQL_MEMBERSHIP_PRESENT, 50, {N(EVE), N(-1), N(INT64_MAX - 1), N(INT64_MAX), N(50)}},
    {SQL_MEMBERSHIP_LEFT, 50, {N(EVE), N(0), N(INT64_MAX - 1), N(INT64_MAX), N(50)}},
    {SQL_MEMBERSHIP_OLDEST, 1, {N(CROWD), T("owner")}},
    {SQL_MEMBERSHIP_OLDEST, 1, {N(EDITED), T("owner")}},
    {SQL_MEMBERSHIP_OLDEST, 1, {N(CROWD), T("admin")}},
    {SQL_MEMBERSHIP_OLDEST, 1, {N(CHURN), T("admin")}},
    {SQL_MEMBERSHIP_OLDEST, 1, {N(CROWD), T("member")}},
    {SQL_MEMBERSHIP_OLDEST, 1, {N(FORMER), T("member")}},
    {SQL_MEMBERSHIP_CHANGED, 10, {N(FORMER), N(FORMER_MEMBERS)}},
    {SQL_MEMBERSHIP_CHANGED, 10, {N(CROWD), N(1)}},
    {SQL_LISTING_STANDING, 1, {N(CHURN), N(EVE)}},
    {SQL_LISTING_STANDING, 1, {N(LEFT), N(EVE)}},
    {SQL_LISTING_STANDING, 1, {N(CROWD), N(USER(50000))}},
    {SQL_LISTING_STANDING, 1, {N(FORMER), N(EVE)}},
    {SQL_READ_MARKER_GET, 1, {N(FORMER), N(EVE)}},
    {SQL_READ_MARKER_SET, 1, {N(FORMER), N(EVE), N(1), N(1)}},
    {SQL_READ_MARKER_OF_CONVERSATION, 3, {N(FORMER), N(100)}},
    {SQL_READ_MARKER_MOVED, 10, {N(EVE), N(LATELY + 1), N(0), N(10)}},
    {SQL_MESSAGE_ADD, 1, {N(RUN), N(RUN_MESSAGES + 6), N(99999999), N(EVE), N(1), N(1), NONE, NONE, T("x")}},
    {SQL_MESSAGE_GET, 1, {N(CHURN), N(50000)}},
    {SQL_MESSAGE_BY_ID, 1, {N(50000)}},
    {SQL_MESSAGE_KEY, 1, {N(50000)}},
    {SQL_MESSAGE_HEAD, 1, {N(50000)}},
    {SQL_MESSAGE_CONTENT, 1, {N(CHURN), N(50000)}},
    {SQL_MESSAGE_BY_CLIENT_ID, 1, {N(BOB), T("k")}},
    {SQL_MESSAGE_TIMESTAMP, 1, {N(CHURN), N(50000)}},
    {SQL_MESSAGE_VERSION, 1, {N(CHURN), N(50000)}},
    {SQL_MESSAGE_RANGE, 10, {N(CHURN), N(50000)}},
    {SQL_MESSAGE_BACK, 10, {N(CHURN), N(50000)}},
    {SQL_MESSAGE_KEYS, 10, {N(CHURN), N(50000), N(ALL_SEQS)}},
    {SQL_MESSAGE_LAST_ID, 1, {{0}}},
    {SQL_MESSAGE_TIMESTAMP_BY_ID, 1, {N(50000), N(1)}},
    {SQL_MESSAGE_FROM, 10, {N(50000), N(10)}},
    {SQL_MESSAGE_FROM_FOR, 10, {N(50000), N(10), N(EVE)}},
    {SQL_MESSAGE_CREATED_FROM, 10, {N(EDITED), N(20000)}},
    {SQL_MESSAGE_CHANGED, 10, {N(EDITED), N(EDITED_COUNT + 20000)}},
    {SQL_MESSAGE_OTHERS, 10, {N(RUN), N(0), N(RUN_MESSAGES), N(EVE)}},
    {SQL_MESSAGE_EDIT, 1, {N(CHURN), N(50000), T("y"), N(1), N(9), NONE}},
    {SQL_MESSAGE_DELETE, 1, {N(CHURN), N(50000), N(1), N(9), NONE}},
    {SQL_MESSAGE_SET_REACTED, 1, {N(CHURN), N(50000), N(1), N(9)}},
    {SQL_REACTION_SETS, 1, {N(LIKED), N(1), N(USER(5000))}},
    {SQL_REACTION_SET_GET, 1, {N(LIKED), N(1), T("a")}},
    {SQL_REACTION_SET_ADD, 1, {N(LIKED), N(1), T("c")}},
    {SQL_REACTION_SET_COUNT, 1, {N(1), N(7), N(1)}},
    {SQL_REACTION_SET_REMOVE, 1, {N(1)}},
    {SQL_REACTION_SETS_CLEAR, 1, {N(LIKED), N(1)}},
    {SQL_REACTION_SET_CLEAR, 1, {N(1)}},
    {SQL_REACTION_NAMES, 10, {N(1), T("c005000"), N(10)}},
    {SQL_REACTION_NAMES_FEW, 3, {N(3)}},
    {SQL_REACTION_NAME_ALL, 3, {N(3)}},
    {SQL_REACTION_ADD, 1, {N(1), N(EVE), T("eve")}},
    {SQL_REACTION_REMOVE, 1, {N(1), N(USER(5000))}},
    {SQL_REACTION_CLEARED, 1, {{0}}},
    {SQL_REACTION_SWEEP, 10, {N(2), N(10)}},
    {SQL_OUTBOX_ADD, 1, {N(20000), T("read"), N(1), N(1), N(1), N(1), N(EVE)}},
    {SQL_OUTBOX_AFTER, 10, {N(5000), N(10)}},
    {SQL_OUTBOX_OLDEST, 1, {{0}}},
    {SQL_OUTBOX_TRIM, 10, {N(10)}},
};

static void
bind(struct stmt *s, const struct asked *a)
{
    for (int i = 0; i < (int)COUNT(a->values) - 1; i++) {
        char name[8];

        snprintf(name, sizeof(name), "$%d", i + 1);
        if (strstr(sql_texts[a->sql], name) == NULL)
            continue;
        if (a->values[i].text != NULL)
            db_bind_text(s, i + 1, str_c(a->values[i].text));
        else if (a->values[i].number == INT64_MIN)
            db_bind_text(s, i + 1, (struct str){0});
        else
            db_bind_int(s, i + 1, a->values[i].number);
    }
}

/* A statement that writes runs to its end. Of another one the caller takes its number of rows. */
static int64_t
steps_of(struct db *db, const struct asked *a)
{
    bool reads = strncmp(sql_texts[a->sql], "SELECT ", 7) == 0;
    struct stmt *s = db_use(db, a->sql);
    bool row = true;

    db_steps(db);
    bind(s, a);
    for (int n = 0; row && (!reads || n < a->rows); n++)
        assert_int_equal(db_step(s, &row), ERR_OK);
    db_done(s);
    return db_steps(db);
}

static void
measure_statements(struct place *place)
{
    struct db *db;
    int failed = 0;

    assert_int_equal(db_open(&db, place->path, DB_WRITE), ERR_OK);
    for (size_t i = 0; i < COUNT(asked); i++) {
        const struct asked *a = &asked[i];
        int64_t allowed = STEPS_STATEMENT + (int64_t)a->rows * STEPS_ROW;
        int64_t steps;

        assert_int_equal(db_do(db, SQL_BEGIN_WRITE), ERR_OK);
        steps = steps_of(db, a);
        assert_int_equal(db_do(db, SQL_ROLLBACK), ERR_OK);
        if (steps > allowed) {
            print_error("%lld steps, more than %lld: %s\n", (long long)steps, (long long)allowed,
                        sql_texts[a->sql]);
            failed++;
        }
    }
    db_close(db);
    assert_int_equal(failed, 0);
}

/* True for BEGIN and similar statements, which read nothing. */
static bool
begins_or_ends(enum sql sql)
{
    return sql <= SQL_ROLLBACK;
}

static void
every_statement_has_a_row_here(void **state)
{
    (void)state;
    for (int sql = 0; sql < SQL_OFFLINE; sql++) {
        bool found = begins_or_ends((enum sql)sql);

        for (size_t i = 0; i < COUNT(asked); i++)
            found = found || asked[i].sql == (enum sql)sql;
        if (!found)
            fail_msg("no row asks this statement: %s", sql_texts[sql]);
    }
}

static void
no_statement_reads_past_or_unrelated_rows(void **state)
{
    measure_statements(*state);
}

/* --- commands */

static enum err
read_steps(struct tx *tx, void *arg)
{
    *(int64_t *)arg = db_steps(tx->db);
    return ERR_OK;
}

static int64_t
steps_written(struct place *place)
{
    int64_t steps;

    assert_int_equal(support_run(&place->store, read_steps, &steps), ERR_OK);
    return steps;
}

static int failures;

/* Asserts the cost since the last call. */
static void
assert_few_steps(struct place *place, const char *what)
{
    int64_t steps = steps_written(place);

    if (steps > STEPS_COMMAND) {
        print_error("%lld steps, more than %d: %s\n", (long long)steps, STEPS_COMMAND, what);
        failures++;
    }
}

static void
belong(struct place *place, enum err (*command)(struct store *store, struct belonging *b),
       const struct belonging *b, enum err expected, const char *what)
{
    struct belonging own = *b;

    own.arena = &place->arena;
    assert_int_equal(command(&place->store, &own), expected);
    assert_few_steps(place, what);
}

#define ACTOR(name)                                                                                          \
    {                                                                                                        \
        {name, sizeof(name) - 1}, true, false                                                                \
    }
#define NAME(name)                                                                                           \
    {                                                                                                        \
        name, sizeof(name) - 1                                                                               \
    }

static void
come_and_go(struct place *place)
{
    static const struct {
        enum err (*command)(struct store *store, struct belonging *b);
        struct belonging b;
        enum err expected;
        const char *what;
    } steps[] = {
        {belong_join, {NULL, CHURN, ACTOR("zed"), NAME("zed"), ROLE_NONE}, ERR_OK, "join"},
        {belong_leave, {NULL, CHURN, ACTOR("zed"), NAME("zed"), ROLE_NONE}, ERR_OK, "leave"},
        {belong_leave, {NULL, CHURN, ACTOR("eve"), NAME("eve"), ROLE_NONE}, ERR_OK, "leave once more"},
        {belong_join, {NULL, CHURN, ACTOR("eve"), NAME("eve"), ROLE_NONE}, ERR_OK, "join once more"},
        {belong_remove, {NULL, CHURN, ACTOR("ann"), NAME("eve"), ROLE_NONE}, ERR_OK, "remove"},
        {belong_join, {NULL, CHURN, ACTOR("eve"), NAME("eve"), ROLE_NONE}, ERR_REMOVED, "refused join"},
        {belong_set, {NULL, CHURN, ACTOR("ann"), NAME("eve"), ROLE_ADMIN}, ERR_OK, "bring back"},
        {belong_set, {NULL, CROWD, ACTOR("ann"), NAME("c050000"), ROLE_ADMIN}, ERR_OK, "give a role"},
        {belong_set,
         {NULL, CROWD, ACTOR("zed"), NAME("c050000"), ROLE_ADMIN},
         ERR_NOT_A_MEMBER,
         "refused role"},
        {belong_remove, {NULL, CROWD, ACTOR("ann"), NAME("c000007"), ROLE_NONE}, ERR_OK, "remove of many"},
        {belong_join, {NULL, CROWD, ACTOR("zed"), NAME("zed"), ROLE_NONE}, ERR_OK, "join many"},
        {belong_leave, {NULL, CROWD, ACTOR("ann"), NAME("ann"), ROLE_NONE}, ERR_OK, "an admin inherits"},
        {belong_set, {NULL, CROWD, ACTOR("bob"), NAME("c050000"), ROLE_MEMBER}, ERR_OK, "take a role"},
        {belong_leave, {NULL, CROWD, ACTOR("bob"), NAME("bob"), ROLE_NONE}, ERR_OK, "a member inherits"},
        {belong_join, {NULL, LEFT, ACTOR("eve"), NAME("eve"), ROLE_NONE}, ERR_OK, "come back"},
        {belong_leave, {NULL, LEFT, ACTOR("eve"), NAME("eve"), ROLE_NONE}, ERR_OK, "go again"},
    };

    for (size_t i = 0; i < COUNT(steps); i++)
        belong(place, steps[i].command, &steps[i].b, steps[i].expected, steps[i].what);
}

static void
name(struct place *place, int conversation, const char *actor, const char *title, enum err expected)
{
    struct settings_change settings = {.arena = &place->arena,
                                       .id = conversation,
                                       .actor = {str_c(actor), true, false},
                                       .title = str_c(title)};

    assert_int_equal(converse_set_settings(&place->store, &settings), expected);
    assert_few_steps(place, title);
}

static void
change_messages(struct place *place)
{
    struct message sent = support_send(place, CHURN, "eve", "x");
    struct amendment a = {.arena = &place->arena,
                          .id = sent.id,
                          .actor = {str_c("eve"), true, false},
                          .content = str_c("y"),
                          .emoji = str_c("a")};

    assert_few_steps(place, "send");
    assert_int_equal(amend_edit(&place->store, &a), ERR_OK);
    assert_few_steps(place, "edit");
    assert_int_equal(amend_react(&place->store, &a), ERR_OK);
    assert_few_steps(place, "react");
    assert_int_equal(amend_unreact(&place->store, &a), ERR_OK);
    assert_few_steps(place, "take a reaction back");
    assert_int_equal(amend_delete(&place->store, &a), ERR_OK);
    assert_few_steps(place, "delete");
    support_send(place, CROWD, "c000500", "x");
    assert_few_steps(place, "send to many");
}

/* The message with 10,000 reactions. */
static void
change_what_is_liked(struct place *place)
{
    struct amendment a = {.arena = &place->arena,
                          .id = support_ask(place, "SELECT id FROM message WHERE conversation = %d", LIKED),
                          .actor = {str_c("eve"), true, false},
                          .content = str_c("y"),
                          .emoji = str_c("a")};
    static const struct {
        enum err (*command)(struct store *store, struct amendment *a);
        const char *what;
    } steps[] = {{amend_react, "react to what is liked"},
                 {amend_unreact, "take that back"},
                 {amend_edit, "edit what is liked"},
                 {amend_clear, "clear an emoji"},
                 {amend_react, "react anew"},
                 {amend_delete, "delete what is liked"}};

    steps_written(place);
    for (size_t i = 0; i < COUNT(steps); i++) {
        assert_int_equal(steps[i].command(&place->store, &a), ERR_OK);
        assert_few_steps(place, steps[i].what);
    }
}

static void
mark(struct place *place, int conversation, const char *username, int64_t seq)
{
    struct reading r = {
        .arena = &place->arena, .conversation = conversation, .username = str_c(username), .seq = seq};

    assert_int_equal(reading_mark(&place->store, &r), ERR_OK);
    assert_few_steps(place, "mark read");
}

static void
no_command_reads_past_or_unrelated_rows(void **state)
{
    struct place *place = *state;

    failures = 0;
    steps_written(place);
    /* Before the owner leaves. */
    name(place, CROWD, "ann", "a title", ERR_OK);
    name(place, CROWD, "ann", "a title", ERR_OK);
    name(place, CROWD, "zed", "an outsider's title", ERR_NOT_A_MEMBER);
    name(place, CROWD, "c000009", "a member's title", ERR_ROLE);
    name(place, CHURN, "eve", "a member's title", ERR_ROLE);
    come_and_go(place);
    change_messages(place);
    change_what_is_liked(place);
    mark(place, CHURN, "eve", CHURN_MESSAGES - 5);
    mark(place, RUN, "eve", 3);
    mark(place, CROWD, "c000400", 5);
    support_create(place, TYPE_GROUP, "ann bob eve zed new");
    assert_few_steps(place, "create");
    support_create(place, TYPE_PRIVATE, "ann eve");
    assert_few_steps(place, "create a private chat");
    assert_int_equal(failures, 0);
}

/* --- reads */

static struct snapshot *
begin_question(struct place *place)
{
    struct snapshot *snapshot = support_begin(place);

    db_steps(snapshot->db);
    return snapshot;
}

static void
end_question(struct snapshot *snapshot, int objects, const char *what)
{
    int64_t steps = db_steps(snapshot->db);
    int64_t allowed = STEPS_COMMAND + (int64_t)objects * STEPS_OBJECT;

    if (steps > allowed) {
        print_error("%lld steps, more than %lld: %s\n", (long long)steps, (long long)allowed, what);
        failures++;
    }
    snapshot_end(snapshot);
}

static bool
skip_entry(void *arg, const struct listing *l)
{
    (void)l;
    *(int *)arg += 1;
    return true;
}

static void
skip_message(void *arg, const struct message *m)
{
    (void)m;
    *(int *)arg += 1;
}

static void
skip_conversation(void *arg, const struct conversation *c)
{
    (void)c;
    *(int *)arg += 1;
}

static void
skip_tick(void *arg)
{
    (void)arg;
}

#define PAGE 50
/*
 * A page of changes reads up to this many rows that are not on it, each for less than a tenth of an
 * object.
 */
#define SKIPPED 2000

static void
list(struct place *place, const char *username, int64_t after, int expected)
{
    struct snapshot *snapshot = begin_question(place);
    struct inbox inbox = {
        .username = str_c(username), .updated_after = after, .updated_before = INT64_MAX, .limit = PAGE};
    int count = 0;

    assert_int_equal(inbox_list(snapshot, &place->arena, &inbox, skip_entry, &count), ERR_OK);
    assert_int_equal(count, expected);
    end_question(snapshot, PAGE, "a user's list");
}

static void
receive(struct place *place, const char *username, int64_t after)
{
    struct snapshot *snapshot = begin_question(place);
    int count = 0;
    const struct history_sink sink = {&count, skip_message, skip_tick, skip_tick};
    const struct view view = {snapshot, &place->arena, str_c(username), true};
    struct time_page page = {.after = after, .limit = PAGE};

    assert_int_equal(history_of_user(&view, &page, &sink), ERR_OK);
    assert_true(count >= PAGE);
    end_question(snapshot, PAGE, "what a user received");
}

static void
change(struct place *place, int conversation, const char *username, int64_t after)
{
    struct snapshot *snapshot = begin_question(place);
    struct changes_page page = {.conversation = support_find(place, snapshot, conversation),
                                .username = str_c(username),
                                .after = after,
                                .limit = PAGE};
    int count = 0;

    assert_int_equal(changes_page(snapshot, &place->arena, &page, skip_message, &count), ERR_OK);
    assert_true(count + (int)page.member_count <= PAGE);
    end_question(snapshot, PAGE + SKIPPED / 10, "changes");
}

static void
look_up(struct place *place)
{
    static int32_t ids[] = {CHURN, LEFT, CROWD, FORMER, RUN};
    struct snapshot *snapshot = begin_question(place);
    const struct access a = {.snapshot = snapshot, .arena = &place->arena, .reader = str_c("ann")};
    struct access_list found;
    int count = 0;

    assert_int_equal(access_conversations(&a, ids, COUNT(ids), &found), ERR_OK);
    assert_int_equal(converse_show(snapshot, &found, skip_conversation, &count), ERR_OK);
    assert_int_equal(count, 4);
    end_question(snapshot, (int)COUNT(ids), "conversations by id");
}

static void
list_members(struct place *place, int conversation, const char *after)
{
    struct snapshot *snapshot = begin_question(place);
    struct membership_page page = {.conversation = conversation, .after = str_c(after), .limit = PAGE};

    assert_int_equal(converse_list_members(snapshot, &place->arena, &page), ERR_OK);
    end_question(snapshot, PAGE, "members");
}

static void
no_query_reads_past_or_unrelated_rows(void **state)
{
    struct place *place = *state;

    failures = 0;
    look_up(place);
    list(place, "eve", -1, PAGE);
    list(place, "eve", 0, PAGE);
    list(place, "late", -1, PAGE);
    receive(place, "eve", 0);
    receive(place, "eve", 2000000000);
    receive(place, "late", 0);
    for (int c = CHURN; c <= EDITED; c++)
        if (c != LEFT && c != CROWD)
            for (int64_t after = 0; after <= 2 * CHURN_STAYS; after += CHURN_STAYS / 2 - 1)
                change(place, c, "eve", after);
    change(place, CROWD, "c000300", 0);
    list_members(place, CROWD, "");
    list_members(place, CROWD, "c050000");
    list_members(place, FORMER, "");
    assert_int_equal(failures, 0);
}

/* Returns the steps of the first page of changes. */
static int64_t
steps_of_changes(struct place *place, int conversation)
{
    struct snapshot *snapshot = begin_question(place);
    struct changes_page page = {.conversation = support_find(place, snapshot, conversation), .limit = PAGE};
    int count = 0;
    int64_t steps;

    db_steps(snapshot->db);
    assert_int_equal(changes_page(snapshot, &place->arena, &page, skip_message, &count), ERR_OK);
    assert_int_equal(count + (int)page.member_count, PAGE);
    steps = db_steps(snapshot->db);
    snapshot_end(snapshot);
    return steps;
}

static void
edits_beyond_a_page_of_changes_are_not_read(void **state)
{
    struct place *place = *state;
    int64_t steps = steps_of_changes(place, RUN);

    support_tell(place,
                 "UPDATE message SET edited_at = timestamp, changed_version = %d + seq"
                 " WHERE conversation = %d AND seq > %d; UPDATE conversation SET version = %d WHERE id = %d",
                 RUN_MESSAGES + 6, RUN, RUN_MESSAGES - PAGE, 2 * RUN_MESSAGES + 11, RUN);
    assert_in_range(steps_of_changes(place, RUN), 1, steps + STEPS_ROW);
}

/* --- with the statistics of ANALYZE and without */

static int
open_loaded(void **state)
{
    support_open(state);
    load(*state);
    return 0;
}

static int
open_analyzed(void **state)
{
    struct place *place;

    support_open_empty(state);
    place = *state;
    support_migrate(place);
    load(place);
    support_tell(place, "ANALYZE");
    assert_int_equal(store_open(&place->store, place->uri, 4, place->shared), ERR_OK);
    return 0;
}

int
main(void)
{
    /* The commands come last, because they change the data of the other tests. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_has_a_row_here),
        cmocka_unit_test(no_statement_reads_past_or_unrelated_rows),
        cmocka_unit_test(no_query_reads_past_or_unrelated_rows),
        cmocka_unit_test(edits_beyond_a_page_of_changes_are_not_read),
        cmocka_unit_test(no_command_reads_past_or_unrelated_rows),
    };
    int failed;

    support_group(NULL);
    failed = cmocka_run_group_tests_name("without statistics", tests, open_loaded, support_close);
    return failed + cmocka_run_group_tests_name("with statistics", tests, open_analyzed, support_close);
}
