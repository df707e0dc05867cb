/*
 * pg_plans.c - checks: no statement of the engine of PostgreSQL reads a whole table, however large
 * tables are. Each is planned as imd's sessions plan it: once, for any parameters.
 */
#include "support.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include "store/pg/sql.h"

/* Tables of one row, and what is not a table. */
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

/* How many parameters the statement has. */
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
    for (int i = 0; i < PQntuples(result); i++) {
        const char *line = PQgetvalue(result, i, 0);
        const char *scan = strstr(line, "Seq Scan ");

        if (scan != NULL && !is_small(scan + strlen("Seq Scan ")))
            fail_msg("%s\nreads a whole table: %s", pg_sql_texts[sql], line);
        if (strstr(line, "Hash Join") != NULL || strstr(line, "Merge Join") != NULL)
            fail_msg("%s\njoins whole tables: %s", pg_sql_texts[sql], line);
    }
    PQclear(result);
    PQclear(run(conn, "DEALLOCATE s"));
}

/* Statements without a plan. */
static bool
has_no_plan(const char *text)
{
    static const char *const words[] = {"BEGIN", "COMMIT", "ROLLBACK", "LISTEN", "CREATE"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static void
no_statement_reads_a_whole_table(void **state)
{
    const struct place *place = *state;
    PGconn *conn = PQconnectdb(place->uri);

    PQclear(run(conn, pg_session[PG_SHARED]));
    /* Those that repair the clock may look at every row. */
    for (int i = 0; i < PG_OFFLINE; i++)
        if (!has_no_plan(pg_sql_texts[i]))
            check_plan(conn, i);
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
