/*
 * Checks: an empty file gets all migrations. A second run changes nothing. Two concurrent masters
 * apply each migration once. A script that fails leaves nothing. A newer database is refused and
 * left unchanged. A database of the core, whatever its history, keeps its content, gets the
 * versions that its changes had, and then equals a new one. A database of any later version keeps
 * the content of each column. After a rename, every read shows the new name.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/db.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct db *
open_to_migrate(const struct place *place)
{
    struct db *db;

    assert_int_equal(db_open(&db, place->path, DB_MIGRATE), ERR_OK);
    return db;
}

static void
an_empty_file_gets_all_migrations(void **state)
{
    struct place *place = *state;

    support_migrate(place);
    assert_int_equal(support_ask(place, "PRAGMA user_version"), migration_count);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM instance WHERE length(epoch) = 32"), 1);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN"
                                        " ('account', 'conversation', 'membership', 'message', 'outbox')"),
                     5);
    assert_int_equal(support_ask(place, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    assert_int_equal(support_ask(place, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

/* Returns the bytes of the database file. No connection may be open, so that all data is in it. */
static char *
file_bytes(const struct place *place, size_t *n)
{
    FILE *f = fopen(place->path, "rb");
    char *bytes = malloc(1 << 20);

    assert_non_null(f);
    assert_non_null(bytes);
    *n = fread(bytes, 1, 1 << 20, f);
    assert_in_range(*n, 1, (1 << 20) - 1);
    fclose(f);
    return bytes;
}

static void
assert_file_is(const struct place *place, const char *bytes, size_t n)
{
    size_t n_now;
    char *now = file_bytes(place, &n_now);

    assert_int_equal(n_now, n);
    assert_memory_equal(now, bytes, n);
    free(now);
}

static void
a_second_run_changes_nothing(void **state)
{
    struct place *place = *state;
    char *before;
    size_t n;

    support_migrate(place);
    support_tell(place, "UPDATE instance SET epoch = 'mine', tick = 7");
    before = file_bytes(place, &n);
    support_migrate(place);
    assert_file_is(place, before, n);
    free(before);
}

struct masters {
    struct db *dbs[4];
    enum err errs[4];
};

static void
migrate_one(void *arg, int n)
{
    struct masters *masters = arg;

    masters->errs[n] = migrate(masters->dbs[n]);
}

static void
masters_that_start_at_once_apply_each_script_once(void **state)
{
    struct place *place = *state;
    struct masters masters;

    for (int i = 0; i < 4; i++)
        masters.dbs[i] = open_to_migrate(place);
    support_threads(4, migrate_one, &masters);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(masters.errs[i], ERR_OK);
        db_close(masters.dbs[i]);
    }
    assert_int_equal(support_ask(place, "PRAGMA user_version"), migration_count);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM instance"), 1);
}

static void
a_script_that_fails_leaves_nothing(void **state)
{
    struct place *place = *state;
    struct db *db = open_to_migrate(place);

    /* The last table of the first script exists already. */
    assert_int_equal(db_script(db, "CREATE TABLE outbox (stranger)"), ERR_OK);
    assert_int_equal(migrate(db), ERR_STORAGE);
    assert_false(db_in_transaction(db));
    assert_int_equal(support_ask(place, "SELECT count(*) FROM sqlite_master"), 1);
    assert_int_equal(support_ask(place, "PRAGMA user_version"), 0);
    assert_int_equal(db_script(db, "DROP TABLE outbox"), ERR_OK);
    assert_int_equal(migrate(db), ERR_OK);
    db_close(db);
    assert_int_equal(support_ask(place, "PRAGMA user_version"), migration_count);
}

static void
a_newer_database_is_refused_and_unchanged(void **state)
{
    struct place *place = *state;
    char *before;
    size_t n;
    struct db *db;

    support_migrate(place);
    support_tell(place, "PRAGMA user_version = %d", migration_count + 1);
    support_tell(place, "UPDATE instance SET needs = %d", migration_count + 1);
    before = file_bytes(place, &n);
    db = open_to_migrate(place);
    assert_int_equal(migrate(db), ERR_STORAGE);
    assert_false(db_in_transaction(db));
    db_close(db);
    assert_file_is(place, before, n);
    free(before);
}

static void
a_newer_database_that_permits_this_binary_is_unchanged(void **state)
{
    struct place *place = *state;
    struct db *db;

    support_migrate(place);
    support_tell(place, "PRAGMA user_version = %d", migration_count + 1);
    db = open_to_migrate(place);
    assert_int_equal(migrate(db), ERR_OK);
    db_close(db);
    assert_int_equal(support_ask(place, "PRAGMA user_version"), migration_count + 1);
}

/* --- from the core's first schema */

#define USERS     20
#define STAYS_MAX 2000
#define CROWD     130 /* users: all of them are in the large conversations */

/* A stay as the core stores it, and the expected result. */
struct stay_row {
    int user;
    int64_t joined_version;
    int64_t joined_seq;
    int64_t left_version; /* 0: still a member */
    int64_t left_seq;
    int64_t left_at; /* the time of the next message, which is the closest that the core recorded */
    bool last;       /* of this user */
};

/* One conversation, as the core stores it, made event by event. */
struct history {
    int64_t id;
    const char *type;
    int64_t version;
    int64_t last_seq;
    int64_t tick;
    int members;
    int64_t present[CROWD]; /* the stay's number; -1: no member */
    struct stay_row stays[STAYS_MAX];
    int stay_count;
    struct buf *script;
    struct chance *chance;
};

static void
come(struct history *h, int user)
{
    assert_true(h->stay_count < STAYS_MAX);
    for (int i = 0; i < h->stay_count; i++)
        if (h->stays[i].user == user)
            h->stays[i].last = false;
    h->stays[h->stay_count] = (struct stay_row){
        .user = user, .joined_version = h->version, .joined_seq = h->last_seq, .last = true};
    h->present[user] = h->stay_count++;
    h->members++;
}

static void
go(struct history *h, int user)
{
    struct stay_row *s = &h->stays[h->present[user]];

    s->left_version = h->version;
    s->left_seq = h->last_seq;
    h->present[user] = -1;
    h->members--;
}

/* Writes a text with all problematic characters, as SQL. */
static void
add_content(struct history *h)
{
    static const char *const pieces[] = {"27",       "22", "5c", "0a", "c3a9",
                                         "f09f918d", "25", "61", "7f", "e2808b"};
    int64_t n = support_draw(h->chance, support_draw(h->chance, 40) == 0 ? 60000 : 12);

    buf_c(h->script, "CAST(x'");
    for (int64_t i = 0; i < n; i++)
        buf_c(h->script, pieces[support_draw(h->chance, sizeof(pieces) / sizeof(pieces[0]))]);
    buf_c(h->script, "' AS TEXT)");
}

static void
say(struct history *h, int user)
{
    h->last_seq++;
    for (int i = 0; i < h->stay_count; i++)
        if (h->stays[i].left_version != 0 && h->stays[i].left_at == 0)
            h->stays[i].left_at = h->tick;
    buf_printf(h->script,
               "INSERT INTO message (place, id, sender, timestamp, content) SELECT (%" PRId64
               " << 32) | %" PRId64 ", last_message_id + 1, 'm%03d', %" PRId64 ",",
               h->id, h->last_seq, user, h->tick);
    add_content(h);
    buf_printf(h->script,
               " FROM instance; UPDATE instance SET last_message_id = last_message_id + 1;"
               " INSERT INTO wanted_message VALUES ((%" PRId64 " << 32) | %" PRId64 ", %" PRId64 ");\n",
               h->id, h->last_seq, h->version);
}

/* Makes messages, joins and leaves, often several between the same two messages. */
static void
live(struct history *h, int events, int among, int leave_one_in)
{
    for (int i = 0; i < events; i++) {
        int user = (int)support_draw(h->chance, among);

        h->tick += support_draw(h->chance, 3);
        h->version++;
        if (h->present[user] < 0)
            come(h, user);
        else if (leave_one_in > 0 && support_draw(h->chance, leave_one_in) == 0)
            go(h, user);
        else
            say(h, user);
    }
}

/* The rows of the conversation and of its stays, and the expected ones. */
static void
write_down(struct history *h)
{
    bool private = strcmp(h->type, "private_chat") == 0;

    buf_printf(h->script,
               "INSERT INTO conversation VALUES (%" PRId64 ", '%s', %s, %s, 5, %" PRId64 ", %" PRId64
               ", %" PRId64 "); INSERT INTO wanted_conversation VALUES (%" PRId64 ", %d, %" PRId64 ");\n",
               h->id, h->type, private ? "'m000'" : "NULL", private ? "'m001'" : "NULL", h->tick, h->last_seq,
               h->version, h->id, h->members, h->tick);
    for (int i = 0; i < h->stay_count; i++) {
        const struct stay_row *s = &h->stays[i];
        bool left = s->left_version != 0;
        int64_t left_at = s->left_at != 0 ? s->left_at : h->tick;

        buf_printf(h->script,
                   "INSERT INTO membership VALUES (%" PRId64 ", 'm%03d', %" PRId64 ", %" PRId64
                   ", nullif(%" PRId64 ", 0), iif(%d, %" PRId64 ", NULL));",
                   h->id, s->user, s->joined_version, s->joined_seq, s->left_version, left, s->left_seq);
        buf_printf(h->script,
                   "INSERT INTO wanted_membership VALUES (%" PRId64 ", 'm%03d', %" PRId64 ", nullif(%" PRId64
                   ", 0), iif(%d, %" PRId64 ", NULL), %" PRId64 ");\n",
                   h->id, s->user, s->joined_version,
                   !s->last ? 0
                   : left   ? s->left_version
                            : s->joined_version,
                   left, left_at,
                   left               ? left_at
                   : h->members > 100 ? INT64_MAX
                                      : h->tick);
    }
}

/* The shape of one conversation. */
struct plan {
    const char *type;
    int founders; /* users 0 … founders - 1 */
    int events;
    int among; /* users 0 … among - 1 */
    int leave_one_in;
};

static void
make(struct history *h, int64_t id, const struct plan *plan)
{
    struct buf *script = h->script;
    struct chance *chance = h->chance;

    *h = (struct history){
        .id = id, .type = plan->type, .version = 1, .tick = id * 1000, .script = script, .chance = chance};
    for (int u = 0; u < CROWD; u++)
        h->present[u] = -1;
    for (int u = 0; u < plan->founders; u++)
        come(h, u);
    live(h, plan->events, plan->among, plan->leave_one_in);
    write_down(h);
}

/* Applies only the first script, as the core did. */
static void
found_core(const struct place *place)
{
    struct db *db = open_to_migrate(place);

    assert_int_equal(db_script(db, migrations[0].script), ERR_OK);
    assert_int_equal(db_script(db, "PRAGMA user_version = 1"), ERR_OK);
    db_close(db);
}

static void
live_in_core(const struct place *place, struct chance *chance)
{
    static const struct plan plans[] = {
        {"group_chat", 0, 0, 1, 0},        {"group_chat", 3, 0, 1, 0},
        {"private_chat", 2, 60, 2, 0},     {"group_chat", 2, 100, USERS, 2},
        {"group_chat", 5, 200, USERS, 3},  {"group_chat", 0, 200, 4, 2},
        {"group_chat", 1, 200, USERS, 10}, {"group_chat", 3, 40, 3, 1},
        {"group_chat", 120, 200, 130, 20}, {"group_chat", CROWD, 0, 1, 0},
        {"group_chat", 101, 20, 1, 1},     {"group_chat", 100, 200, 101, 4},
    };
    struct history *h = malloc(sizeof(*h));
    struct buf script = {0};

    assert_non_null(h);
    h->script = &script;
    h->chance = chance;
    buf_c(&script, "BEGIN; CREATE TABLE wanted_message (place, version);"
                   "CREATE TABLE wanted_membership (conversation, username, joined_version, version, left_at,"
                   " active_at); CREATE TABLE wanted_conversation (id, members, listed_at);");
    for (int u = 0; u < CROWD; u++)
        buf_printf(&script, "INSERT INTO account VALUES ('m%03d', 3);", u);
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
        make(h, (int64_t)i + 1, &plans[i]);
    buf_c(&script, "INSERT INTO outbox VALUES (7, 'member.left', 4, 9, 4000, NULL, 'm001');"
                   "UPDATE instance SET tick = 100000, last_change = 7;"
                   "CREATE TABLE was_message AS SELECT place, id, sender, timestamp, content FROM message;"
                   "CREATE TABLE was_conversation AS SELECT * FROM conversation;"
                   "CREATE TABLE was_membership AS SELECT * FROM membership;"
                   "CREATE TABLE was_account AS SELECT * FROM account;"
                   "CREATE TABLE was_outbox AS SELECT * FROM outbox;"
                   "CREATE TABLE was_instance AS SELECT * FROM instance; COMMIT;");
    buf_add(&script, "", 1);
    assert_true(buf_ok(&script));
    support_tell(place, "%s", script.p);
    buf_clear(&script);
    free(h);
}

/* Asserts that the columns of the two tables hold the same rows. */
static void
assert_same_rows(const struct place *place, const char *was, const char *is, const char *columns_was,
                 const char *columns_is)
{
    assert_int_equal(
        support_ask(place, "SELECT (SELECT count(*) FROM %s) = (SELECT count(*) FROM %s)", was, is), 1);
    if (support_ask(place, "SELECT count(*) FROM (SELECT %s FROM %s EXCEPT SELECT %s FROM %s)", columns_was,
                    was, columns_is, is) != 0)
        fail_msg("%s: rows of %s are missing", is, was);
}

/*
 * The tables as they were before users became numbers. Columns that no longer exist are not
 * compared.
 */
static const char views[] =
    "CREATE TEMP VIEW is_account AS SELECT name, created_at FROM account;"
    "CREATE TEMP VIEW is_conversation AS SELECT c.*, min(l.name, h.name) AS pair_low,"
    " max(l.name, h.name) AS pair_high FROM (SELECT id, type, created_at, updated_at, last_seq, version,"
    " member_count, listed_at, invite_only, title, pair_low AS low, pair_high AS high FROM conversation) c"
    " LEFT JOIN account l ON l.id = low LEFT JOIN account h ON h.id = high;"
    "CREATE TEMP VIEW is_membership AS SELECT a.name AS username, m.conversation, joined_version, joined_seq,"
    " left_version, left_seq, left_at, role, removed, version, active_at, since_at"
    " FROM membership m JOIN account a ON a.id = m.account;"
    "CREATE TEMP VIEW is_read_marker AS SELECT conversation, name AS username, seq, moved_at"
    " FROM read_marker JOIN account a ON a.id = account;"
    "CREATE TEMP VIEW is_message AS SELECT a.name AS sender, place, m.id, timestamp, created_version,"
    " changed_version, client_id, reply_to, edited_at, deleted_at, emoji_count, sent_print, run, content,"
    " conversation, seq FROM message m JOIN account a ON a.id = m.sender;"
    "CREATE TEMP VIEW is_creation_key AS SELECT coalesce(name, caller) AS creator, client_id, conversation,"
    " print FROM creation_key LEFT JOIN account a ON a.id = creator WHERE (creator = 0) = (name IS NULL);"
    "CREATE TEMP VIEW is_reaction_set AS SELECT id, place, emoji, count FROM reaction_set;"
    "CREATE TEMP VIEW is_reaction AS SELECT set_id, place, emoji, name AS username FROM reaction r"
    " LEFT JOIN reaction_set s ON s.id = set_id JOIN account a ON a.id = account;"
    "CREATE TEMP VIEW is_outbox AS SELECT o.id, event, conversation, version, tick, seq, name AS username,"
    " emoji, added, payer FROM outbox o LEFT JOIN account a ON a.id = account;"
    "CREATE TEMP VIEW is_probe AS SELECT * FROM probe;"
    "CREATE TEMP VIEW is_instance AS SELECT only_row, epoch, tick, last_message_id, last_change FROM "
    "instance;";

/* Asserts that every column of each table was_… has kept its values. */
static void
assert_nothing_lost(struct place *place)
{
    static const char *const tables[] = {"account", "conversation", "membership",   "read_marker",
                                         "message", "creation_key", "reaction_set", "reaction",
                                         "outbox",  "probe",        "instance"};
    int compared = 0;

    /* As tables, because each query has a connection of its own. */
    for (size_t i = 0; i < COUNT(tables); i++)
        support_tell(place, "%s CREATE TABLE is_%s_now AS SELECT * FROM is_%s", views, tables[i], tables[i]);
    for (size_t i = 0; i < COUNT(tables); i++) {
        char was[64];
        char is[64];
        const char *columns;

        snprintf(was, sizeof(was), "was_%s", tables[i]);
        snprintf(is, sizeof(is), "is_%s_now", tables[i]);
        if (support_ask(place, "SELECT count(*) FROM sqlite_master WHERE name = '%s'", was) == 0)
            continue;
        columns = support_text(place,
                               "SELECT group_concat(name) FROM pragma_table_info('%s')"
                               " WHERE name <> 'needs'",
                               was);
        assert_same_rows(place, was, is, columns, columns);
        compared++;
    }
    assert_true(compared >= 6);
    for (size_t i = 0; i < COUNT(tables); i++)
        support_tell(place, "DROP TABLE is_%s_now", tables[i]);
}

static void
assert_as_wanted(const struct place *place)
{
    assert_same_rows(place, "wanted_message", "message", "place, version", "place, created_version");
    assert_same_rows(place, "wanted_membership", "membership", "*",
                     "conversation, (SELECT name FROM account WHERE id = account), joined_version,"
                     " version, left_at, active_at");
    assert_same_rows(place, "wanted_conversation", "conversation", "*", "id, member_count, listed_at");
    assert_int_equal(
        support_ask(place, "SELECT count(*) FROM message WHERE coalesce(changed_version, client_id, reply_to,"
                           " edited_at, deleted_at, sent_print) IS NOT NULL OR emoji_count <> 0"),
        0);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM conversation WHERE title <> ''"), 0);
    /* As late as the core's records allow: support_check() checks that it is no later. */
    assert_int_equal(
        support_ask(place, "SELECT count(*) FROM membership s JOIN conversation c ON c.id = s.conversation"
                           " LEFT JOIN message m ON m.place = (c.id << 32) + joined_seq"
                           " WHERE s.since_at < coalesce(m.timestamp, c.created_at) AND NOT EXISTS"
                           " (SELECT 1 FROM membership f WHERE f.conversation = s.conversation"
                           " AND f.account = s.account AND f.joined_version < s.joined_version)"),
        0);
    assert_true(support_ask(place, "SELECT max(run) FROM message") > 1);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM membership WHERE role <> 'member'"), 0);
    support_check(place);
}

static void
a_database_of_the_core_keeps_all_and_gets_its_versions(void **state)
{
    struct chance chance;

    support_chance(&chance);
    for (int i = 0; i < 5; i++) {
        struct place *place = *state;

        found_core(place);
        live_in_core(place, &chance);
        /* Otherwise the test proves little. */
        assert_true(support_ask(place, "SELECT count(*) FROM message") > 500);
        assert_true(support_ask(place, "SELECT count(*) FROM membership WHERE left_seq IS NOT NULL") > 200);
        assert_true(support_ask(place, "SELECT count(*) FROM wanted_conversation WHERE members > 100") >= 2);
        support_migrate(place);
        assert_nothing_lost(place);
        assert_as_wanted(place);
        support_close(state);
        support_open_empty(state);
    }
}

/* The database continues with the next versions and seqs. */
static void
a_database_of_the_core_is_used_as_before(void **state)
{
    struct place *place = *state;
    struct chance chance = {1};
    int64_t version;
    int64_t last_seq;

    found_core(place);
    live_in_core(place, &chance);
    support_migrate(place);
    assert_int_equal(store_open(&place->store, place->uri, 1, place->shared), ERR_OK);
    version = support_ask(place, "SELECT version FROM conversation WHERE id = 3");
    last_seq = support_ask(place, "SELECT last_seq FROM conversation WHERE id = 3");
    assert_int_equal(support_send(place, 3, "m001", "again").seq, last_seq + 1);
    assert_int_equal(support_ask(place, "SELECT created_version FROM message ORDER BY id DESC"), version + 1);
    support_leave(place, 10, "m005");
    support_join(place, 10, "m005");
    support_join(place, 1, "m005");
    support_check(place);
}

/* Returns the schema of the database, as SQL. */
static const char *
schema_of(struct place *place)
{
    return support_text(place,
                        "SELECT group_concat(type || ' ' || name || ' ' || coalesce(sql, ''), char(10))"
                        " FROM (SELECT * FROM sqlite_master WHERE tbl_name NOT LIKE 'was_%%'"
                        " AND tbl_name NOT LIKE 'wanted_%%' ORDER BY type, name)");
}

static void
a_migrated_database_has_the_schema_of_a_new_one(void **state)
{
    struct place *place = *state;
    struct chance chance = {1};
    struct place *new;

    support_open_empty((void **)&new);
    support_migrate(new);
    found_core(place);
    live_in_core(place, &chance);
    support_migrate(place);
    assert_string_equal(schema_of(place), schema_of(new));
    assert_int_equal(support_ask(place, "PRAGMA user_version"), support_ask(new, "PRAGMA user_version"));
    support_close((void **)&new);
}

/* Applies the scripts before the one that added reaction sets. */
static void
found_before_sets(const struct place *place)
{
    struct db *db = open_to_migrate(place);
    char pragma[64];
    int n = 0;

    while (strcmp(migrations[n].name, "0005_reactions.sql") != 0) {
        assert_int_equal(db_script(db, migrations[n++].script), ERR_OK);
        assert_true(n < migration_count);
    }
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", n);
    assert_int_equal(db_script(db, pragma), ERR_OK);
    db_close(db);
}

/* Two messages with reactions, one without, of a group of 300. */
static void
react_before_sets(const struct place *place)
{
    support_tell(
        place, "%s",
        "WITH n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 299)"
        " INSERT INTO account SELECT printf('m%03d', i), 1 FROM n;"
        "INSERT INTO conversation (id, type, created_at, updated_at, last_seq, version, member_count, "
        "listed_at)"
        " VALUES (1, 'group_chat', 1, 9, 3, 9, 300, 1);"
        "INSERT INTO membership (conversation, username, joined_version, joined_seq, version, active_at)"
        " SELECT 1, name, 1, 0, 1, 9223372036854775807 FROM account;"
        "INSERT INTO message (place, id, sender, timestamp, created_version, changed_version, emoji_count, "
        "content, run)"
        " VALUES ((1 << 32) + 1, 1, 'm000', 1, 2, 7, 5, 'a', NULL), ((1 << 32) + 2, 2, 'm000', 2, 3, 8, 1, "
        "'b', 2),"
        " ((1 << 32) + 3, 3, 'm000', 3, 4, NULL, 0, 'c', 3);"
        "UPDATE instance SET tick = 9, last_message_id = 3;"
        /*
         * All users with a thumb; every third user once more with U+FE0F after it; hearts in two
         * spellings.
         */
        "INSERT INTO reaction SELECT (1 << 32) + 1, char(128077), name FROM account;"
        "INSERT INTO reaction SELECT (1 << 32) + 1, char(128077, 65039), name FROM account"
        " WHERE substr(name, 2) % 3 = 0;"
        "INSERT INTO reaction VALUES ((1 << 32) + 1, char(10084), 'm001'),"
        " ((1 << 32) + 1, char(10084, 65039), 'm002'), ((1 << 32) + 1, '+1', 'm003'),"
        " ((1 << 32) + 2, char(65039), 'm004');");
}

static void
reactions_become_sets_and_spellings_of_one_emoji_one_set(void **state)
{
    struct place *place = *state;

    found_before_sets(place);
    react_before_sets(place);
    support_migrate(place);
    assert_int_equal(support_ask(place, "SELECT count FROM reaction_set WHERE emoji = char(128077)"), 300);
    assert_int_equal(support_ask(place, "SELECT count FROM reaction_set WHERE emoji = char(10084)"), 2);
    assert_int_equal(support_ask(place, "SELECT count FROM reaction_set WHERE emoji = '+1'"), 1);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM reaction_set WHERE place = (1 << 32) + 1"), 3);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM reaction"), 303);
    assert_int_equal(support_ask(place, "SELECT count(*) FROM reaction r JOIN reaction_set s ON s.id = set_id"
                                        " "
                                        " JOIN account a ON a.id = account"
                                        " WHERE s.emoji = char(10084) AND name IN ('m001', 'm002')"),
                     2);
    /* A selector alone is not an emoji. */
    assert_int_equal(support_ask(place, "SELECT count(*) FROM reaction_set WHERE place <> (1 << 32) + 1"), 0);
    assert_int_equal(support_ask(place, "SELECT sum(emoji_count * id) FROM message"), 3);
    support_check(place);
}

/* --- from each version since */

/* The rows that each version adds to those of the version before. The first entry is version 2. */
static const char *const fillings[] = {
    /*
     * Keys, replies, edits, deletions, titles, roles and read markers. The last change in each
     * conversation is to its newest message.
     */
    "UPDATE message SET client_id = 'k' || id WHERE id % 3 = 0;"
    "UPDATE message SET reply_to = id - 1 WHERE id % 5 = 0;"
    "UPDATE conversation SET version = version + 1, title = char(233, 128077) || id WHERE id <> 1;"
    "UPDATE message SET edited_at = timestamp + 1, changed_version = (SELECT version FROM conversation c"
    " WHERE c.id = conversation), sent_print = iif(client_id IS NULL, NULL, id % 65536)"
    " WHERE seq = (SELECT last_seq FROM conversation c WHERE c.id = conversation) AND conversation % 2 = 0;"
    "UPDATE message SET deleted_at = timestamp + 1, changed_version = (SELECT version FROM conversation c"
    " WHERE c.id = conversation), sent_print = iif(client_id IS NULL, NULL, id % 65536), content = ''"
    " WHERE seq = (SELECT last_seq FROM conversation c WHERE c.id = conversation) AND conversation % 2 = 1;"
    "UPDATE membership SET role = iif(joined_version % 2, 'admin', 'member') WHERE version IS NOT NULL AND"
    " conversation IN (SELECT id FROM conversation WHERE type = 'group_chat');"
    "INSERT INTO read_marker SELECT conversation, username, joined_seq, joined_seq + 7 FROM membership"
    " WHERE version IS NOT NULL;"
    "UPDATE conversation SET updated_at = updated_at + 1 WHERE id <> 1;",
    "UPDATE conversation SET invite_only = 1 WHERE type = 'group_chat' AND id % 2 = 0;"
    "UPDATE membership SET removed = 1 WHERE left_seq IS NOT NULL AND joined_version % 2 = 0 AND"
    " conversation IN (SELECT id FROM conversation WHERE type = 'group_chat');",
    /* Keys of a user, of a caller who is not a user, and of an anonymous caller. */
    ("INSERT INTO creation_key VALUES ('m001', 'one', 3, 1), ('robot', 'one', 4, 2), ('', 'one', 5, 3),"
     " ('m002', 'two', 3, 65535);"),
    "UPDATE outbox SET emoji = char(128077), added = 1, seq = 3;",
    "UPDATE probe SET filler = x'00ff00';",
    "UPDATE outbox SET payer = -3;",
    "",
};

/* Reactions before and after there were sets; of one and of three users, and of all. */
static const char before_sets[] =
    "INSERT INTO reaction SELECT m.place, char(128077), a.name FROM account a, message m WHERE m.seq = 1 AND"
    " deleted_at IS NULL AND a.name < 'm' || printf('%03d', CASE m.conversation % 3 WHEN 0 THEN 1"
    " WHEN 1 THEN 3 ELSE 130 END);"
    "INSERT INTO reaction SELECT m.place, '+1', 'm000' FROM message m WHERE m.seq = 1 AND deleted_at IS NULL;"
    "UPDATE message SET emoji_count = 2 WHERE place IN (SELECT place FROM reaction);";
static const char with_sets[] =
    "INSERT INTO reaction_set (place, emoji, count) SELECT place, char(128077),"
    " CASE conversation % 3 WHEN 0 THEN 1 WHEN 1 THEN 3 ELSE 130 END FROM message WHERE seq = 1 AND"
    " deleted_at IS NULL;"
    "INSERT INTO reaction SELECT s.id, a.name FROM reaction_set s, account a"
    " WHERE a.name < 'm' || printf('%03d', s.count);"
    "UPDATE message SET emoji_count = 1 WHERE place IN (SELECT place FROM reaction_set);"
    /* Cleared, and not yet swept. */
    "INSERT INTO reaction_set (id, place, emoji, count) VALUES (5000, NULL, '', 20);"
    "INSERT INTO reaction SELECT 5000, name FROM account WHERE name < 'm020';";

/* Brings a database of the core to the version, as its imd did, and fills the new columns. */
static void
live_until(struct place *place, int version)
{
    struct db *db = open_to_migrate(place);

    for (int v = 2; v <= version; v++) {
        assert_int_equal(db_script(db, migrations[v - 1].script), ERR_OK);
        assert_int_equal(db_script(db, fillings[v - 2]), ERR_OK);
    }
    if (version > 1)
        assert_int_equal(db_script(db, version < 5 ? before_sets : with_sets), ERR_OK);
    db_close(db);
    support_tell(place, "PRAGMA user_version = %d", version);
}

/* Keeps a copy of each table. */
static void
note_all(struct place *place)
{
    const char *script = support_text(
        place, "SELECT group_concat('DROP TABLE IF EXISTS was_' || name || '; CREATE TABLE was_' || name ||"
               " ' AS SELECT * FROM ' || name, ';') FROM sqlite_master WHERE type = 'table'"
               " AND name NOT LIKE 'was_%%' AND name NOT LIKE 'wanted_%%'");

    support_tell(place, "%s", script);
}

static void
a_database_of_each_version_keeps_the_content_of_each_column(void **state)
{
    struct chance chance;

    support_chance(&chance);
    assert_int_equal(COUNT(fillings) + 2, migration_count);
    for (int version = 1; version < migration_count; version++) {
        struct place *place = *state;

        found_core(place);
        live_in_core(place, &chance);
        live_until(place, version);
        note_all(place);
        support_migrate(place);
        assert_nothing_lost(place);
        assert_int_equal(support_ask(place, "SELECT needs FROM instance"), migration_count);
        if (version > 1)
            assert_true(support_ask(place, "SELECT count(*) FROM reaction WHERE username IS NULL") > 5);
        support_check(place);
        support_close(state);
        support_open_empty(state);
    }
}

/* As an operator may while imd is stopped, and a later imd will. */
static void
a_rename_is_seen_wherever_the_name_was(void **state)
{
    struct place *place = *state;
    struct chance chance = {1};

    found_core(place);
    live_in_core(place, &chance);
    live_until(place, migration_count - 1);
    support_migrate(place);
    support_tell(place, "UPDATE account SET name = 'zoe' WHERE name = 'm001'");
    assert_int_equal(support_ask(place, "SELECT count(*) FROM membership WHERE username = 'm001'"), 0);
    assert_true(support_ask(place, "SELECT count(*) FROM membership WHERE username = 'zoe'") > 3);
    assert_true(support_ask(place, "SELECT count(*) FROM reaction WHERE username = 'zoe'") > 1);
    support_check(place);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_file_gets_all_migrations, support_open_empty, support_close),
        cmocka_unit_test_setup_teardown(a_second_run_changes_nothing, support_open_empty, support_close),
        cmocka_unit_test_setup_teardown(masters_that_start_at_once_apply_each_script_once, support_open_empty,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_script_that_fails_leaves_nothing, support_open_empty,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_newer_database_that_permits_this_binary_is_unchanged,
                                        support_open_empty, support_close),
        cmocka_unit_test_setup_teardown(a_newer_database_is_refused_and_unchanged, support_open_empty,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_database_of_the_core_keeps_all_and_gets_its_versions,
                                        support_open_empty, support_close),
        cmocka_unit_test_setup_teardown(a_database_of_the_core_is_used_as_before, support_open_empty,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_migrated_database_has_the_schema_of_a_new_one, support_open_empty,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_database_of_each_version_keeps_the_content_of_each_column,
                                        support_open_empty, support_close),
        cmocka_unit_test_setup_teardown(a_rename_is_seen_wherever_the_name_was, support_open_empty,
                                        support_close),
        cmocka_unit_test_setup_teardown(reactions_become_sets_and_spellings_of_one_emoji_one_set,
                                        support_open_empty, support_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
