/*
 * Checks: no statement reads a whole table, except a few listed here. None sorts. Each finds its
 * rows by every value that it is given. So its cost does not grow with other rows.
 */
#include "support.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdio.h>
#include "base/buf.h"
#include "store/sqlite/sql.h"

/* Returns SQLite's plan of a statement, a line for each step. */
static const char *
plan_of(struct place *place, sqlite3 *handle, const char *text)
{
    struct buf plan = {0};
    sqlite3_stmt *s = NULL;
    char sql[2048];
    struct str copy;

    assert_true((size_t)snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", text) < sizeof(sql));
    if (sqlite3_prepare_v2(handle, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(handle));
    while (sqlite3_step(s) == SQLITE_ROW)
        buf_printf(&plan, "%s\n", (const char *)sqlite3_column_text(s, 3));
    sqlite3_finalize(s);
    copy = arena_copy(&place->arena, (struct str){plan.p, plan.n});
    buf_clear(&plan);
    return copy.p;
}

/* True for BEGIN and similar statements, which have no plan. */
static bool
has_plan(const char *text)
{
    static const char *const verbs[] = {"SELECT ", "INSERT ", "UPDATE ", "DELETE "};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strncmp(text, verbs[i], strlen(verbs[i])) == 0)
            return true;
    return false;
}

struct explained {
    enum sql sql;
    const char *plan;
};

/* Calls back with each statement that has a plan. */
static void
explain_all(struct place *place, void (*each)(const struct explained *e))
{
    sqlite3 *handle = NULL;
    int count = 0;

    assert_int_equal(sqlite3_open_v2(place->path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (int i = 0; i < SQL_COUNT; i++)
        assert_non_null(sql_texts[i]);
    for (int i = 0; i < SQL_OFFLINE; i++) {
        if (!has_plan(sql_texts[i]))
            continue;
        each(&(struct explained){(enum sql)i, plan_of(place, handle, sql_texts[i])});
        count++;
    }
    sqlite3_close(handle);
    assert_true(count > 40);
}

/* The statements that may read a whole table or index, and which one. */
static const struct {
    enum sql sql;
    const char *step;
} meant[] = {
    /* One row. */
    {SQL_INSTANCE_GET, "SCAN instance\n"},
    {SQL_INSTANCE_NEEDS, "SCAN instance\n"},
    {SQL_INSTANCE_SET, "SCAN instance\n"},
    {SQL_INSTANCE_SET_EPOCH, "SCAN instance\n"},
    /* Backwards along an index, as far as the caller reads. */
    {SQL_MESSAGE_LAST_ID, "SCAN message USING COVERING INDEX message_id\n"},
    /* Bounded by a limit. */
    {SQL_MEMBERSHIP_NAMES_AT, "SCAN (subquery-1)\n"},
    {SQL_MEMBERSHIP_NAMES_AT, "SCAN (subquery-3)\n"},
    /* The first entry of a partial index. */
    {SQL_REACTION_CLEARED, "SCAN reaction_set USING INDEX reaction_set_cleared\n"},
};

static void
assert_no_scan(const struct explained *e)
{
    for (const char *scan = strstr(e->plan, "SCAN "); scan != NULL; scan = strstr(scan + 1, "SCAN ")) {
        bool allowed = false;

        for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++)
            allowed = allowed ||
                      (meant[i].sql == e->sql && strncmp(scan, meant[i].step, strlen(meant[i].step)) == 0);
        if (!allowed)
            fail_msg("%s\n%s", sql_texts[e->sql], e->plan);
    }
    if (strstr(e->plan, "TEMP B-TREE") != NULL || strstr(e->plan, "AUTOMATIC") != NULL)
        fail_msg("%s\n%s", sql_texts[e->sql], e->plan);
}

static void
no_statement_reads_or_sorts_a_whole_table(void **state)
{
    explain_all(*state, assert_no_scan);
}

/* True if a step of the plan searches by the column. SQLite calls a key of one integer rowid. */
static bool
searches_by(const char *plan, struct str column)
{
    char term[64];

    snprintf(term, sizeof(term), "%.*s=?", (int)column.n, column.p);
    return strstr(plan, term) != NULL || (str_is(column, "id") && strstr(plan, "rowid=?") != NULL);
}

/* Each "column = $n" of the conditions. */
static void
assert_found_by_all(const struct explained *e)
{
    const char *text = sql_texts[e->sql];
    const char *at = strstr(text, " WHERE ");

    while (at != NULL && (at = strstr(at + 1, " = $")) != NULL) {
        const char *begin = at;

        while (isalnum((unsigned char)begin[-1]) || begin[-1] == '_')
            begin--;
        if (!searches_by(e->plan, (struct str){begin, (size_t)(at - begin)}))
            fail_msg("%.*s: %s\n%s", (int)(at - begin), begin, text, e->plan);
    }
}

static void
each_statement_finds_its_rows_by_all_that_it_is_given(void **state)
{
    explain_all(*state, assert_found_by_all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_statement_reads_or_sorts_a_whole_table, support_open,
                                        support_close),
        cmocka_unit_test_setup_teardown(each_statement_finds_its_rows_by_all_that_it_is_given, support_open,
                                        support_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
