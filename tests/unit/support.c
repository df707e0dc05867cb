/* support.c - see support.h. */
#include "support.h"

#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/log.h"
#include "store/migrate.h"

/* A wake-up that never comes would else hang the tests. */
#define DEADLINE_S 120

int
support_group(void **state)
{
    (void)state;
    alarm(DEADLINE_S);
    log_set_level(LOG_ERROR);
    db_setup();
    return 0;
}

int
support_open_empty(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    snprintf(place->dir, sizeof(place->dir), "/tmp/imd-unit-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof(place->path), "%s/imd.db", place->dir);
    assert_int_equal(shared_open(&place->shared), ERR_OK);
    arena_init(&place->arena);
    *state = place;
    return 0;
}

void
support_migrate(const struct place *place)
{
    struct db *db;

    assert_int_equal(db_open(&db, place->path, DB_MIGRATE), ERR_OK);
    assert_int_equal(migrate(db), ERR_OK);
    db_close(db);
}

int
support_open(void **state)
{
    struct place *place;

    support_open_empty(state);
    place = *state;
    support_migrate(place);
    assert_int_equal(store_open(&place->store, place->path, 4, place->shared), ERR_OK);
    return 0;
}

int
support_close(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct place *place = *state;

    arena_clear(&place->arena);
    store_close(&place->store);
    shared_close(place->shared);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(place->dir), 0);
    free(place);
    return 0;
}

static sqlite3 *
connect_to(const struct place *place)
{
    sqlite3 *handle = NULL;

    assert_int_equal(sqlite3_open_v2(place->path, &handle, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(handle, 5000);
    return handle;
}

int64_t
support_ask(const struct place *place, const char *sql)
{
    sqlite3 *handle = connect_to(place);
    sqlite3_stmt *s = NULL;
    int64_t value;

    if (sqlite3_prepare_v2(handle, sql, -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(handle);
    return value;
}

void
support_tell(const struct place *place, const char *sql)
{
    sqlite3 *handle = connect_to(place);

    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_close(handle);
}

struct runner {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*body)(void *arg, int n);
    void *arg;
    int n;
};

static void *
run(void *arg)
{
    struct runner *r = arg;

    pthread_barrier_wait(r->start);
    r->body(r->arg, r->n);
    return NULL;
}

void
support_threads(int count, void (*body)(void *arg, int n), void *arg)
{
    struct runner *runners = calloc((size_t)count, sizeof(*runners));
    pthread_barrier_t start;

    assert_non_null(runners);
    assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)count), 0);
    for (int i = 0; i < count; i++) {
        runners[i] = (struct runner){.start = &start, .body = body, .arg = arg, .n = i};
        assert_int_equal(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
    }
    for (int i = 0; i < count; i++)
        pthread_join(runners[i].thread, NULL);
    pthread_barrier_destroy(&start);
    free(runners);
}

void
support_chance(struct chance *chance)
{
    const char *given = getenv("SEED");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    chance->state =
        given != NULL ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec;
    print_message("SEED=%" PRIu64 "\n", chance->state);
}

void
support_srand(void)
{
    struct chance chance;

    support_chance(&chance);
    srand((unsigned)chance.state);
}

/* splitmix64 (Steele, Lea, Flood 2014). */
int64_t
support_draw(struct chance *chance, int64_t below)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)below);
}
