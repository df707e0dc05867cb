/*
 * support_postgresql.c - the part of support.h for PostgreSQL. tests/lib/with_postgresql.sh starts
 * the server. There, each program has its own database, and each test its own schema.
 */
#include "support.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "store/memberships.h"
#include "store/pg/db.h"
#include "store/pg/migrate.h"

/* Replaces the deadline of support.c: each command takes several round trips to a server. */
#define DEADLINE_S 600

static char database[32]; /* the database of this program */
static int schemas;       /* how many were made in it so far */

static PGconn *
connect_to(const char *uri)
{
    PGconn *conn = PQconnectdb(uri);

    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s: %s", uri, PQerrorMessage(conn));
    return conn;
}

/* Runs SQL and returns its first value as a number; 0: no value. */
static long long
ask(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    long long value = 0;

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    if (PQntuples(result) > 0)
        value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return value;
}

/* Writes the URI of this program's database, with further options. */
static void
name_database(char *uri, size_t size, const char *options)
{
    const char *server = getenv("IMD_POSTGRESQL");
    const char *rest = server == NULL ? NULL : strchr(server, '?');

    if (rest == NULL)
        fail_msg("IMD_POSTGRESQL names no server: run this under tests/lib/with_postgresql.sh");
    assert_true(snprintf(uri, size, "postgresql:///%s%s%s", database, rest, options) < (int)size);
}

static void
setup(void)
{
    char sql[96];
    PGconn *conn;

    alarm(DEADLINE_S);
    if (database[0] != '\0')
        return;
    snprintf(database, sizeof(database), "imd_%d", (int)getpid());
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0", database);
    if (getenv("IMD_POSTGRESQL") == NULL)
        fail_msg("IMD_POSTGRESQL names no server: run this under tests/lib/with_postgresql.sh");
    conn = connect_to(getenv("IMD_POSTGRESQL"));
    ask(conn, sql);
    PQfinish(conn);
}

static void
make(struct place *place)
{
    char options[64];
    char uri[sizeof(place->uri)];
    char sql[96];
    PGconn *conn;

    name_database(uri, sizeof(uri), "");
    snprintf(sql, sizeof(sql), "CREATE SCHEMA test_%d", ++schemas);
    snprintf(options, sizeof(options), "&options=-csearch_path%%3Dtest_%d", schemas);
    conn = connect_to(uri);
    ask(conn, sql);
    PQfinish(conn);
    name_database(place->uri, sizeof(place->uri), options);
    assert_int_equal(store_prepare(place->uri), ERR_OK);
}

/* PostgreSQL itself reads rows that were not declared, so there is nothing to report. */
static const char *
undeclared(const struct place *place)
{
    (void)place;
    return "";
}

/* ACTIVE_LAG_MS, as a text for SQL. */
#define TEXT_OF(number) #number
#define TEXT(macro)     TEXT_OF(macro)
#define LAG             TEXT(ACTIVE_LAG_MS)

/* Each counts the rows that break a rule. support_sqlite.c has the same list for SQLite. */
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
    "SELECT count(*) FROM membership m JOIN conversation c ON c.id = m.conversation WHERE CASE"
    " WHEN EXISTS (SELECT 1 FROM membership l WHERE l.conversation = m.conversation"
    " AND l.account = m.account AND l.joined_version > m.joined_version) THEN m.version IS NOT NULL"
    " WHEN left_version IS NOT NULL THEN m.version IS DISTINCT FROM left_version"
    " ELSE coalesce(m.version, 0) NOT BETWEEN joined_version AND c.version END",
    "SELECT count(*) FROM membership m JOIN conversation c ON c.id = m.conversation"
    " WHERE type = 'private_chat' AND (role <> 'member' OR removed OR invite_only)",
    "SELECT count(*) FROM membership WHERE removed AND left_version IS NULL",
    "SELECT count(*) FROM membership m WHERE username IS DISTINCT FROM CASE WHEN version IS NOT NULL"
    " THEN (SELECT name FROM account WHERE id = m.account) END",
    "SELECT count(*) FROM reaction r JOIN reaction_set s ON s.id = set_id WHERE username IS DISTINCT FROM"
    " CASE WHEN named THEN (SELECT name FROM account WHERE id = r.account) END",
    "SELECT count(*) FROM reaction_set WHERE count > 16 AND NOT named",
    "SELECT count(*) FROM membership s JOIN message m ON m.place = (s.conversation << 32) + joined_seq + "
    "1"
    " WHERE m.timestamp < since_at AND (left_seq IS NULL OR left_seq > joined_seq)",
    "SELECT count(*) FROM membership s WHERE since_at > (SELECT min(f.since_at) FROM membership f"
    " WHERE f.conversation = s.conversation AND f.account = s.account)",
    "SELECT count(*) FROM message m WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = m.sender)",
    "SELECT count(*) FROM message m WHERE coalesce(run, 1) <> 1 + coalesce("
    "(SELECT coalesce(b.run, 1) FROM message b WHERE b.place = m.place - 1 AND b.sender = m.sender), 0)",
    "SELECT count(*) FROM conversation c WHERE last_seq <> (SELECT count(*) FROM message m"
    " WHERE m.place > (c.id << 32) AND m.place <= ((c.id << 32) | c.last_seq))",
    "SELECT count(*) FROM message WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.id = place >> "
    "32)",
    "SELECT count(*) FROM message a JOIN message b ON b.place = a.place + 1 WHERE (b.place & 4294967295) "
    "> 1"
    " AND (b.created_version <= a.created_version OR b.timestamp < a.timestamp OR b.id <= a.id)",
    "SELECT count(*) FROM message m JOIN conversation c ON c.id = place >> 32 WHERE created_version < 2"
    " OR changed_version <= created_version"
    " OR greatest(created_version, coalesce(changed_version, 0)) > c.version",
    "SELECT count(*) FROM message m WHERE emoji_count <> (SELECT count(*) FROM reaction_set s"
    " WHERE s.place = m.place)",
    "SELECT count(*) FROM reaction_set s WHERE place IS NOT NULL AND (count < 1 OR count <>"
    " (SELECT count(*) FROM reaction r WHERE r.set_id = s.id))",
    "SELECT count(*) FROM reaction r WHERE NOT EXISTS (SELECT 1 FROM reaction_set s WHERE s.id = "
    "r.set_id)",
    "SELECT count(*) FROM message WHERE deleted_at IS NOT NULL"
    " AND (content <> '' OR edited_at IS NOT NULL OR emoji_count > 0)",
    "SELECT count(*) FROM message WHERE sent_print IS NOT NULL"
    " AND (client_id IS NULL OR sent_print NOT BETWEEN 0 AND 65535)",
    "SELECT count(*) FROM read_marker JOIN conversation c ON c.id = conversation WHERE seq > last_seq",
    "SELECT count(*) FROM instance WHERE last_message_id < (SELECT coalesce(max(id), 0) FROM message)"
    " OR last_change < (SELECT coalesce(max(id), 0) FROM outbox)"
    " OR last_account_id <> (SELECT coalesce(max(id), 0) FROM account)"
    " OR last_conversation_id <> (SELECT coalesce(max(id), 0) FROM conversation)",
};

static void
check(const struct place *place)
{
    PGconn *conn = connect_to(place->uri);

    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++)
        if (ask(conn, breaches[i]) != 0)
            fail_msg("not 0: %s", breaches[i]);
    PQfinish(conn);
}

const struct support_engine support_postgresql = {
    .name = "postgresql",
    .setup = setup,
    .make = make,
    .check = check,
    .undeclared = undeclared,
};
