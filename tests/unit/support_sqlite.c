/*
 * support_sqlite.c - the functions of support.h for SQLite: creating, reading and checking the
 * file.
 */
#include "support.h"

#include <sqlite3.h>
#include "store/memberships.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/db.h"

/* SQLite ignores what commands declare. */
static const char *
undeclared(const struct place *place)
{
    (void)place;
    return "";
}

void
support_migrate(const struct place *place)
{
    struct db *db;

    assert_int_equal(db_open(&db, place->path, DB_MIGRATE), ERR_OK);
    assert_int_equal(migrate(db), ERR_OK);
    db_close(db);
}

static sqlite3 *
connect_to(const struct place *place)
{
    sqlite3 *handle = NULL;

    assert_int_equal(sqlite3_open_v2(place->path, &handle, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(handle, 5000);
    return handle;
}

/* sqlite3_vmprintf() knows what printf() knows, and allocates. */
static char *
written(const char *format, va_list ap)
{
    char *sql = sqlite3_vmprintf(format, ap);

    assert_non_null(sql);
    return sql;
}

static sqlite3_stmt *
prepare(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(handle, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    return s;
}

int64_t
support_ask(const struct place *place, const char *format, ...)
{
    sqlite3 *handle = connect_to(place);
    sqlite3_stmt *s;
    int64_t value;
    va_list ap;
    char *sql;

    va_start(ap, format);
    sql = written(format, ap);
    va_end(ap);
    s = prepare(handle, sql);
    if (sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(handle);
    sqlite3_free(sql);
    return value;
}

void
support_tell(const struct place *place, const char *format, ...)
{
    sqlite3 *handle = connect_to(place);
    va_list ap;
    char *sql;

    va_start(ap, format);
    sql = written(format, ap);
    va_end(ap);
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_close(handle);
    sqlite3_free(sql);
}

const char *
support_text(struct place *place, const char *format, ...)
{
    sqlite3 *handle = connect_to(place);
    sqlite3_stmt *s;
    struct str text;
    va_list ap;
    char *sql;

    va_start(ap, format);
    sql = written(format, ap);
    va_end(ap);
    s = prepare(handle, sql);
    if (sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    text = arena_copy(&place->arena, str_c((const char *)sqlite3_column_text(s, 0)));
    sqlite3_finalize(s);
    sqlite3_close(handle);
    sqlite3_free(sql);
    return text.p;
}

size_t
support_rows(struct place *place, int columns, int64_t **values, const char *format, ...)
{
    sqlite3 *handle = connect_to(place);
    sqlite3_stmt *s;
    size_t rows = 0;
    va_list ap;
    char *sql;
    int rc;

    va_start(ap, format);
    sql = written(format, ap);
    va_end(ap);
    s = prepare(handle, sql);
    assert_int_equal(sqlite3_column_count(s), columns);
    *values = NULL;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        *values = arena_grow(&place->arena, *values, rows, (size_t)columns * sizeof(**values));
        assert_non_null(*values);
        for (int i = 0; i < columns; i++)
            (*values)[rows * (size_t)columns + (size_t)i] = sqlite3_column_int64(s, i);
        rows++;
    }
    if (rc != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_finalize(s);
    sqlite3_close(handle);
    sqlite3_free(sql);
    return rows;
}

/* ACTIVE_LAG_MS as SQL text. */
#define TEXT_OF(number) #number
#define TEXT(macro)     TEXT_OF(macro)
#define LAG             TEXT(ACTIVE_LAG_MS)

/* Each counts the rows that break an invariant. */
static const char *const breaches[] = {
    "SELECT count(*) FROM conversation c WHERE member_count <> (SELECT count(*) FROM membership m"
    " WHERE m.conversation = c.id AND left_version IS NULL)",
    "SELECT count(*) FROM conversation WHERE listed_at > updated_at OR created_at > updated_at",
    "SELECT count(*) FROM membership WHERE (left_at IS NULL) <> (left_version IS NULL)",
    "SELECT count(*) FROM membership WHERE left_version IS NOT NULL AND active_at <> left_at",
    "SELECT count(*) FROM membership JOIN conversation c ON c.id = conversation"
    " WHERE left_version IS NULL AND CASE WHEN member_count > 100"
    " THEN active_at <> 9223372036854775807"
    " ELSE active_at > updated_at OR active_at < updated_at - " LAG " END",
    /*
     * The version of a stay is that of its last change: its end, its beginning, or a role given
     * since.
     */
    "SELECT count(*) FROM membership m JOIN conversation c ON c.id = m.conversation WHERE CASE"
    " WHEN EXISTS (SELECT 1 FROM membership l WHERE l.conversation = m.conversation"
    " AND l.account = m.account AND l.joined_version > m.joined_version) THEN m.version IS NOT NULL"
    " WHEN left_version IS NOT NULL THEN m.version IS NOT left_version"
    " ELSE coalesce(m.version, 0) NOT BETWEEN joined_version AND c.version END",
    "SELECT count(*) FROM membership m JOIN conversation c ON c.id = m.conversation"
    " WHERE type = 'private_chat' AND (role <> 'member' OR removed OR invite_only)",
    "SELECT count(*) FROM (SELECT 1 FROM membership WHERE role = 'owner' AND left_version IS NULL"
    " GROUP BY conversation HAVING count(*) > 1)",
    "SELECT count(*) FROM membership WHERE removed AND left_version IS NULL",
    /* The copies of names: in each last stay, and in all rows of a set that is or was large. */
    "SELECT count(*) FROM membership m WHERE username IS NOT CASE WHEN version IS NOT NULL"
    " THEN (SELECT name FROM account WHERE id = m.account) END",
    "SELECT count(*) FROM reaction r JOIN reaction_set s ON s.id = set_id WHERE username IS NOT"
    " CASE WHEN named THEN (SELECT name FROM account WHERE id = r.account) END",
    "SELECT count(*) FROM reaction_set WHERE count > 16 AND NOT named",
    /* No user received a message before they first joined. */
    "SELECT count(*) FROM membership s JOIN message m ON m.place = (s.conversation << 32) + joined_seq + "
    "1"
    " WHERE m.timestamp < since_at AND (left_seq IS NULL OR left_seq > joined_seq)",
    "SELECT count(*) FROM membership s WHERE since_at > (SELECT min(f.since_at) FROM membership f"
    " WHERE f.conversation = s.conversation AND f.account = s.account)",
    "SELECT count(*) FROM message m JOIN conversation c ON c.id = m.conversation"
    " WHERE coalesce(run, 1) <> 1 + coalesce("
    "(SELECT coalesce(b.run, 1) FROM message b WHERE b.place = m.place - 1 AND b.seq > 0"
    " AND b.sender = m.sender), 0)",
    "SELECT count(*) FROM conversation c WHERE last_seq <> (SELECT count(*) FROM message m"
    " WHERE m.conversation = c.id AND m.seq BETWEEN 1 AND c.last_seq)",
    "SELECT count(*) FROM message a JOIN message b ON b.place = a.place + 1 WHERE b.seq > 1"
    " AND (b.created_version <= a.created_version OR b.timestamp < a.timestamp OR b.id <= a.id)",
    "SELECT count(*) FROM message m JOIN conversation c ON c.id = conversation WHERE created_version < 2"
    " OR changed_version <= created_version OR max(created_version, coalesce(changed_version, 0)) > "
    "c.version",
    "SELECT count(*) FROM message m WHERE emoji_count <> (SELECT count(*) FROM reaction_set s"
    " WHERE s.place = m.place)",
    "SELECT count(*) FROM reaction_set s WHERE place IS NOT NULL AND (count < 1 OR count <>"
    " (SELECT count(*) FROM reaction r WHERE r.set_id = s.id))",
    "SELECT count(*) FROM reaction r WHERE NOT EXISTS (SELECT 1 FROM reaction_set s WHERE s.id = "
    "r.set_id)",
    "SELECT count(*) FROM message WHERE deleted_at IS NOT NULL"
    " AND (content <> '' OR edited_at IS NOT NULL OR emoji_count > 0)",
    /*
     * A fingerprint is stored only if a repeat could need it, and reveals nothing of the
     * content.
     */
    "SELECT count(*) FROM message WHERE sent_print IS NOT NULL"
    " AND (client_id IS NULL OR sent_print NOT BETWEEN 0 AND 65535)",
    "SELECT count(*) FROM read_marker JOIN conversation c ON c.id = conversation WHERE seq > last_seq",
    "SELECT count(*) FROM pragma_foreign_key_check",
    "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
};

static void
check(const struct place *place)
{
    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++)
        if (support_ask(place, "%s", breaches[i]) != 0)
            fail_msg("not 0: %s", breaches[i]);
}

static void
make(struct place *place)
{
    support_migrate(place);
}

const struct support_engine support_sqlite = {
    .name = "sqlite",
    .setup = db_setup,
    .make = make,
    .check = check,
    .undeclared = undeclared,
};
