/*
 * store_engine.c - checks: a URI chooses the engine. A URI that no engine opens is refused with a
 * sentence that names the allowed ones. One process may have stores of several engines open.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/accounts.h"
#include "store/engine.h"
#include "store/repair.h"

/* Depends on whether the tests are built with libpq. */
#ifdef IMD_POSTGRESQL
#define NAMES "sqlite, memory, postgresql"
#define FORMS "sqlite:PATH, memory:NAME, postgresql://HOST/DATABASE"
#else
#define NAMES "sqlite, memory"
#define FORMS "sqlite:PATH, memory:NAME"
#endif

static char message[512];

static const char *
refusal(const char *uri)
{
    assert_int_equal(store_check(uri, message, sizeof(message)), ERR_CONFIG);
    return message;
}

static void
a_uri_names_its_engine(void **state)
{
    (void)state;
    assert_string_equal(engine_find("sqlite:/var/lib/imd/imd.db")->name, "sqlite");
    assert_string_equal(engine_find("memory:any")->name, "memory");
    assert_string_equal(engine_rest("sqlite:/a:b.db"), "/a:b.db");
    assert_int_equal(store_check("sqlite:x", message, sizeof(message)), ERR_OK);
    assert_int_equal(store_check("memory:x", message, sizeof(message)), ERR_OK);
}

static void
the_engines_are_listed_in_order(void **state)
{
    char names[64];
    char small[9];

    (void)state;
    store_engines(names, sizeof(names));
    assert_string_equal(names, NAMES);
    memset(small, '#', sizeof(small));
    store_engines(small, 8);
    assert_string_equal(small, "sqlite,");
    assert_int_equal(small[8], '#');
}

static void
a_uri_without_an_engine_is_refused_with_the_engines_there_are(void **state)
{
    static const char *const unknown[] = {"mysql:/x", "SQLite:/x", "sqlite3:/x", "sqlit:/x", " sqlite:/x"};
    char sentence[192];

    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        snprintf(sentence, sizeof(sentence), "store: this imd has no engine '%.*s'; allowed is " FORMS,
                 (int)strcspn(unknown[i], ":"), unknown[i]);
        assert_null(engine_find(unknown[i]));
        assert_string_equal(refusal(unknown[i]), sentence);
    }
    assert_string_equal(refusal(":/x"), "store: this imd has no engine ''; allowed is " FORMS);
}

static void
a_uri_must_have_a_scheme_and_something_behind_it(void **state)
{
    static const char *const bare[] = {"", "sqlite", "/var/lib/imd/imd.db"};

    (void)state;
    for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
        assert_string_equal(refusal(bare[i]), "store: it must begin with the name of an engine and a colon; "
                                              "allowed is " FORMS);
    assert_string_equal(refusal("sqlite:"), "store: 'sqlite:' is not allowed; allowed is " FORMS);
}

static void
a_refusal_does_not_repeat_a_possible_secret(void **state)
{
    (void)state;
    assert_null(strstr(refusal("mysql://ann:secret@host/imd"), "secret"));
    assert_null(strstr(refusal("host=db password=secret"), "secret"));
}

#ifdef IMD_POSTGRESQL
static void
a_uri_that_libpq_does_not_understand_is_refused(void **state)
{
    static const char *const bad[] = {"postgresql:imd", "postgresql://h/imd?no_such_option=secret",
                                      "postgresql://h:secret:1/x?=", "postgresql://[::1/secret"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(strstr(refusal(bad[i]), "libpq does not understand the URI"));
        assert_null(strstr(message, "secret"));
    }
    assert_int_equal(store_check("postgresql://", message, sizeof(message)), ERR_OK);
}

static void
only_a_database_on_another_machine_needs_the_network(void **state)
{
    static const char *const local[] = {"postgresql:///imd",
                                        "postgresql:///imd?host=/run/postgresql",
                                        "postgresql://%2Frun%2Fpostgresql/imd",
                                        "postgresql:///imd?host=/a,/b",
                                        "sqlite:/imd.db",
                                        "memory:x",
                                        "mysql://db/imd"};
    static const char *const away[] = {"postgresql://db/imd",
                                       "postgresql://db1,db2/imd",
                                       "postgresql:///imd?host=/run/postgresql,db",
                                       "postgresql://127.0.0.1/imd",
                                       "postgresql:///imd?hostaddr=::1",
                                       "postgresql:///?service=imd"};

    (void)state;
    unsetenv("PGHOST");
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        assert_false(store_uses_network(local[i]));
    for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++)
        assert_true(store_uses_network(away[i]));
    setenv("PGHOST", "db", 1);
    assert_true(store_uses_network("postgresql:///imd"));
    unsetenv("PGHOST");
}
#endif

static void
a_uri_that_no_engine_opens_opens_nothing(void **state)
{
    const struct place *place = *state;
    struct housekeeping *housekeeping = (void *)&message;
    struct repair *repair = NULL;
    struct store store = {0};

    assert_null(store_file("mysql:/x"));
    assert_int_equal(store_prepare("mysql:/x"), ERR_CONFIG);
    assert_int_equal(store_open(&store, "mysql:/x", 1, place->shared), ERR_CONFIG);
    assert_int_equal(store_open_for_reading(&store, "mysql:/x", 1, place->shared), ERR_CONFIG);
    assert_null(store.connections);
    store_close(&store);
    assert_int_equal(housekeeping_start(&housekeeping, "mysql:/x", place->shared), ERR_CONFIG);
    assert_null(housekeeping);
    assert_string_equal(repair_open(&repair, "mysql:/x"), "no engine of this program opens it");
}

/* ENGINE_FUNCTIONS() makes sure that no engine lacks another function. */
static void
an_engine_has_all_functions_of_upkeep_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; engines[i] != NULL; i++) {
        const struct engine *e = engines[i];
        bool has = e->housekeeping_start != NULL;

#define SAME(function) assert_int_equal(e->function != NULL, has);
        ENGINE_UPKEEP(SAME)
#undef SAME
    }
}

static void
data_that_ends_with_the_process_needs_no_upkeep(void **state)
{
    const struct place *place = *state;
    struct housekeeping *housekeeping = (void *)&message;
    struct repair *repair = NULL;

    assert_int_equal(housekeeping_start(&housekeeping, "memory:x", place->shared), ERR_OK);
    assert_null(housekeeping);
    housekeeping_stop(housekeeping);
    assert_string_equal(repair_open(&repair, "memory:x"),
                        "its data does not outlive the process, so there is nothing to repair");
}

static void
only_a_store_in_a_file_tells_its_path(void **state)
{
    (void)state;
    assert_string_equal(store_file("sqlite:/a b/c.db"), "/a b/c.db");
    assert_null(store_file("memory:/a b/c.db"));
}

static enum err
add_account(struct tx *tx, void *arg)
{
    return accounts_add(tx, *(const struct str *)arg);
}

static void
add(struct store *store, const char *name)
{
    struct str text = str_c(name);

    assert_int_equal(support_run(store, add_account, &text), ERR_OK);
}

static void
assert_has(struct store *store, const char *name, bool want)
{
    struct snapshot *snapshot;
    bool exists;

    assert_int_equal(snapshot_begin(store, &snapshot), ERR_OK);
    assert_int_equal(accounts_exists(snapshot->db, str_c(name), &exists), ERR_OK);
    snapshot_end(snapshot);
    assert_int_equal(exists, want);
}

/* The place has a store of SQLite. */
static void
stores_of_two_engines_are_open_at_once(void **state)
{
    struct place *place = *state;
    struct store other = {0};

    assert_int_equal(store_open(&other, "memory:other", 1, place->shared), ERR_OK);
    add(&place->store, "ann");
    add(&other, "bob");
    assert_has(&place->store, "ann", true);
    assert_has(&place->store, "bob", false);
    assert_has(&other, "ann", false);
    assert_has(&other, "bob", true);
    store_close(&other);
    assert_null(other.connections);
    assert_has(&place->store, "ann", true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_names_its_engine),
        cmocka_unit_test(the_engines_are_listed_in_order),
        cmocka_unit_test(a_uri_without_an_engine_is_refused_with_the_engines_there_are),
        cmocka_unit_test(a_uri_must_have_a_scheme_and_something_behind_it),
        cmocka_unit_test(a_refusal_does_not_repeat_a_possible_secret),
#ifdef IMD_POSTGRESQL
        cmocka_unit_test(a_uri_that_libpq_does_not_understand_is_refused),
        cmocka_unit_test(only_a_database_on_another_machine_needs_the_network),
#endif
        cmocka_unit_test(only_a_store_in_a_file_tells_its_path),
        cmocka_unit_test(an_engine_has_all_functions_of_upkeep_or_none),
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(a_uri_that_no_engine_opens_opens_nothing),
        TEST(data_that_ends_with_the_process_needs_no_upkeep),
        TEST(stores_of_two_engines_are_open_at_once),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
