/*
 * pg_plans.c - checks: no statement of the engine of PostgreSQL reads a whole table, however large
 * tables are. Each is planned as imd's sessions plan it: once, for any parameters.
 */
#include "support.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include "store/pg/sql.h"

/* Tables with one row, and the temporary table of repairs. */
static const char *const small[] = {"on instance", "on probe", "on moment"};

static bool
is_small(const char *scan)
{
    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++)
        if (strncmp(scan, small[i], strlen(small[i])) == 0)
            return true;
    return false;
}

/* Runs SQL, which must succeed. */
static PGresult *
run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    return result;
}

/* Returns the number of the statement's parameters. */
static int
parameters_of(const char *text)
{
    char name[8];
    int count = 0;

    for (int n = 1; n <= 12; n++) {
        snprintf(name, sizeof(name), "$%d::", n);
        if (strstr(text, name) != NULL)
            count = n;
    }
    return count;
}

/* Copies the name of the index that the line of a plan scans; "": none. */
static void
index_of(const char *line, char *name, size_t size)
{
    const char *p = strstr(line, "Index ");

    name[0] = '\0';
    p = p == NULL || strstr(p, " Scan ") == NULL ? NULL : strstr(p, " using ");
    if (p != NULL)
        snprintf(name, size, "%.*s", (int)strcspn(p + strlen(" using "), " "), p + strlen(" using "));
}

/* Returns whether the scan uses the first column of the index. Else it reads the whole index. */
static bool
is_narrowed(PGconn *conn, const char *index, const char *next)
{
    char sql[256];
    PGresult *result;
    bool narrowed;

    /* For an expression, this selects its column. */
    snprintf(sql, sizeof(sql),
             "SELECT substring(pg_get_indexdef(indexrelid, 1, false) FROM '[a-z_]+') FROM pg_index"
             " WHERE indexrelid = '%s'::regclass",
             index);
    result = run(conn, sql);
    narrowed = strstr(next, "Index Cond: ") != NULL && strstr(next, PQgetvalue(result, 0, 0)) != NULL;
    PQclear(result);
    return narrowed;
}

/*
 * Statements that read one end of an index. And one for which the planner needs statistics to
 * choose between indexes: autovacuum makes these within a minute of the first fifty rows.
 */
static bool
is_exempt(const char *text)
{
    static const int exempt[] = {PG_MESSAGE_LAST_ID, PG_OUTBOX_OLDEST, PG_REACTION_CLEARED,
                                 PG_MEMBERSHIP_TOUCH};

    for (size_t i = 0; i < sizeof(exempt) / sizeof(exempt[0]); i++)
        if (text == pg_sql_texts[exempt[i]])
            return true;
    return false;
}

/* Fails if a line of the statement's plan reads all of a table that grows, or of its index. */
static void
check_line(PGconn *conn, const char *text, PGresult *plan, int i)
{
    const char *line = PQgetvalue(plan, i, 0);
    const char *scan = strstr(line, "Seq Scan ");
    char index[64];

    if (scan != NULL && !is_small(scan + strlen("Seq Scan ")))
        fail_msg("%s\nreads a whole table: %s", text, line);
    if (strstr(line, "Hash Join") != NULL || strstr(line, "Merge Join") != NULL)
        fail_msg("%s\njoins whole tables: %s", text, line);
    index_of(line, index, sizeof(index));
    if (index[0] != '\0' && !is_exempt(text) &&
        !is_narrowed(conn, index, i + 1 < PQntuples(plan) ? PQgetvalue(plan, i + 1, 0) : ""))
        fail_msg("%s\nreads a whole index: %s", text, line);
}

/* Prepares the statement, and fails if its plan scans a table that grows. */
static void
check_plan(PGconn *conn, int sql)
{
    char explain[256];
    PGresult *result = PQprepare(conn, "s", pg_sql_texts[sql], 0, NULL);
    int parameters = parameters_of(pg_sql_texts[sql]);
    size_t n;

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", pg_sql_texts[sql], PQerrorMessage(conn));
    PQclear(result);
    n = (size_t)snprintf(explain, sizeof(explain), "EXPLAIN (COSTS off) EXECUTE s%s",
                         parameters > 0 ? "(" : "");
    for (int i = 0; i < parameters; i++)
        n += (size_t)snprintf(explain + n, sizeof(explain) - n, "%sNULL", i > 0 ? ", " : "");
    snprintf(explain + n, sizeof(explain) - n, "%s", parameters > 0 ? ")" : "");
    result = run(conn, explain);
    for (int i = 0; i < PQntuples(result); i++)
        check_line(conn, pg_sql_texts[sql], result, i);
    PQclear(result);
    PQclear(run(conn, "DEALLOCATE s"));
}

/* Returns whether the statement has no plan. */
static bool
has_no_plan(const char *text)
{
    static const char *const words[] = {"BEGIN", "COMMIT", "ROLLBACK", "LISTEN", "CREATE"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

/* Leaves out the statements that repair the clock, because they may read every row. */
static void
check_plans(PGconn *conn)
{
    for (int i = 0; i < PG_OFFLINE; i++)
        if (!has_no_plan(pg_sql_texts[i]))
            check_plan(conn, i);
}

static void
no_statement_reads_a_whole_table(void **state)
{
    const struct place *place = *state;
    PGconn *conn = PQconnectdb(place->uri);

    PQclear(run(conn, pg_session[PG_SHARED]));
    check_plans(conn);
    PQfinish(conn);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_statement_reads_a_whole_table, support_open, support_close),
    };

    support_choose("postgresql");
    return cmocka_run_group_tests(tests, support_group, NULL);
}
