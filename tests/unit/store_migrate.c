/*
 * Checks: an empty file gets all migrations; a second run changes nothing; two masters at once apply each
 * once; a script that fails leaves nothing; a newer database is refused and left alone.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include "store/migrate.h"

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

/* The database file itself. No connection may be open, so that all is in it. */
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

    /* The last table of the first script is in the way. */
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
a_newer_database_is_refused_and_left_alone(void **state)
{
    struct place *place = *state;
    char sql[64];
    char *before;
    size_t n;
    struct db *db;

    support_migrate(place);
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", migration_count + 1);
    support_tell(place, sql);
    before = file_bytes(place, &n);
    db = open_to_migrate(place);
    assert_int_equal(migrate(db), ERR_STORAGE);
    assert_false(db_in_transaction(db));
    db_close(db);
    assert_file_is(place, before, n);
    free(before);
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
        cmocka_unit_test_setup_teardown(a_newer_database_is_refused_and_left_alone, support_open_empty,
                                        support_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
