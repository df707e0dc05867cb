/*
 * store_housekeeping.c - checks, with SQLite on a disk: a long log wakes housekeeping, which copies
 * it into the database file. Deleted content disappears from both files. Acknowledged changes and
 * cleared reactions are deleted even without a writer. The witness follows the last tick. A wrong
 * clock is reported.
 */
#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "domain/amend.h"
#include "store/housekeeping.h"
#include "store/sqlite/wal.h"

#define DEADLINE_MS 20000
#define TEXT_BYTES  60000
#define SECRET      "a text that nobody may find again"

/* A place whose housekeeping runs. */
struct kept {
    struct place *place;
    struct housekeeping *housekeeping;
    int watch_fd; /* inotify: a file in the directory was written */
};

static int
open_kept(void **state)
{
    struct kept *k = calloc(1, sizeof(*k));
    void *place;

    assert_non_null(k);
    support_open(&place);
    k->place = place;
    k->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(k->watch_fd >= 0);
    assert_true(inotify_add_watch(k->watch_fd, k->place->dir, IN_MODIFY | IN_MOVED_TO) >= 0);
    *state = k;
    return 0;
}

/* Forgets the writes until now. */
static void
drain(const struct kept *k)
{
    char events[4096];

    while (read(k->watch_fd, events, sizeof(events)) > 0)
        continue;
}

static void
start(struct kept *k)
{
    drain(k);
    assert_int_equal(housekeeping_start(&k->housekeeping, k->place->uri, k->place->shared), ERR_OK);
}

/* Waits for the current round, and ends the thread. */
static void
stop(struct kept *k)
{
    housekeeping_stop(k->housekeeping);
    k->housekeeping = NULL;
}

static void
name_witness(const struct kept *k, char *path, size_t size)
{
    snprintf(path, size, "%s-witness", k->place->path);
}

static int
close_kept(void **state)
{
    struct kept *k = *state;
    void *place = k->place;
    char path[128];

    stop(k);
    name_witness(k, path, sizeof(path));
    unlink(path);
    close(k->watch_fd);
    free(k);
    return support_close(&place);
}

/* Waits until a file is written. */
static void
await_write(const struct kept *k, int64_t deadline_ms)
{
    struct pollfd p = {.fd = k->watch_fd, .events = POLLIN};
    int64_t left_ms = deadline_ms - clock_mono_ms();

    assert_true(left_ms > 0);
    assert_true(poll(&p, 1, (int)left_ms) >= 0);
    drain(k);
}

/*
 * Waits until the condition is true. Tests it after each write, under the write lock: housekeeping
 * writes under this lock, so no write is half done.
 */
static void
await(struct kept *k, bool (*is_so)(struct kept *k))
{
    int64_t deadline_ms = clock_mono_ms() + DEADLINE_MS;
    bool done = false;

    while (!done) {
        shared_lock(k->place->shared);
        done = is_so(k);
        shared_unlock(k->place->shared);
        if (!done)
            await_write(k, deadline_ms);
    }
}

/* Returns whether the text is in the file. */
static bool
holds(const struct kept *k, const char *suffix, const char *text)
{
    char path[128];
    struct stat st;
    char *bytes;
    bool found;
    int fd;

    snprintf(path, sizeof(path), "%s%s", k->place->path, suffix);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    assert_int_equal(fstat(fd, &st), 0);
    bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    st.st_size = read(fd, bytes, (size_t)st.st_size);
    assert_true(st.st_size >= 0);
    close(fd);
    found = memmem(bytes, (size_t)st.st_size, text, strlen(text)) != NULL;
    free(bytes);
    return found;
}

/* --- the log */

static void
housekeeping_is_woken_once_for_each_quarter_of_a_long_log(void **state)
{
    struct shared *s = ((struct kept *)*state)->place->shared;
    struct pollfd p = {.fd = s->housekeeping_fd, .events = POLLIN};
    static const struct {
        int pages;
        int wakes;
    } steps[] = {
        {1, 0},
        {WAL_PAGES_LONG - 1, 0},
        {WAL_PAGES_LONG, 1},
        {WAL_PAGES_LONG + 1, 0},
        {WAL_PAGES_LONG * 5 / 4 - 1, 0},
        {WAL_PAGES_LONG * 5 / 4, 1},
        {10, 0},
        {WAL_PAGES_LONG * 3, 1},
        {WAL_PAGES_LONG * 3, 0},
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        wal_note(s, steps[i].pages);
        assert_int_equal(atomic_load(&wal_shared(s)->pages), steps[i].pages);
        assert_int_equal(poll(&p, 1, 0), steps[i].wakes);
        shared_drain(s->housekeeping_fd);
    }
}

static struct housekeeping_view
look(const struct kept *k)
{
    struct housekeeping_view view;

    housekeeping_look(&k->place->store, k->place->shared, &view);
    return view;
}

static bool
has_copied(struct kept *k)
{
    return look(k).checkpoints > 0;
}

static void
a_long_log_is_copied_into_the_file(void **state)
{
    struct kept *k = *state;
    int64_t group = support_create(k->place, TYPE_GROUP, "ann");
    char *text = malloc(TEXT_BYTES + 1);
    int sent = 0;

    assert_non_null(text);
    memset(text, 'x', TEXT_BYTES);
    memcpy(text, SECRET, strlen(SECRET));
    text[TEXT_BYTES] = '\0';
    for (; look(k).log_pages < WAL_PAGES_LONG; sent++)
        support_send(k->place, group, "ann", text);
    free(text);
    assert_false(holds(k, "", SECRET));
    start(k);
    await(k, has_copied);
    stop(k);
    assert_true(holds(k, "", SECRET));
    assert_int_equal(look(k).log_pages, 0);
    assert_int_equal(support_ask(k->place, "SELECT count(*) FROM message"), sent);
}

static void
a_short_log_is_left_alone(void **state)
{
    struct kept *k = *state;
    int64_t pages;

    support_create(k->place, TYPE_GROUP, "ann");
    pages = look(k).log_pages;
    assert_true(pages > 0);
    start(k);
    /* The first round writes the witness. */
    await_write(k, clock_mono_ms() + DEADLINE_MS);
    stop(k);
    assert_int_equal(look(k).checkpoints, 0);
    assert_int_equal(look(k).log_pages, pages);
}

static bool
is_wiped(struct kept *k)
{
    return !holds(k, "", SECRET) && !holds(k, "-wal", SECRET);
}

static void
deleted_content_disappears_from_both_files(void **state)
{
    struct kept *k = *state;
    int64_t group = support_create(k->place, TYPE_GROUP, "ann");
    struct message m = support_send(k->place, group, "ann", SECRET);
    struct amendment a = {.arena = &k->place->arena, .id = m.id, .actor = {.username = str_c("ann")}};

    assert_int_equal(amend_delete(&k->place->store, &a), ERR_OK);
    assert_true(holds(k, "-wal", SECRET));
    start(k);
    await(k, is_wiped);
}

/* --- changes and reactions */

static bool
outbox_is_empty(struct kept *k)
{
    struct change *changes;

    return support_changes(k->place, &changes) == 0;
}

static void
acknowledged_changes_are_deleted_if_nobody_writes(void **state)
{
    struct kept *k = *state;
    struct shared *s = k->place->shared;

    support_create(k->place, TYPE_GROUP, "ann");
    assert_false(outbox_is_empty(k));
    atomic_store(&s->acknowledged_change, atomic_load(&s->committed_change));
    start(k);
    await(k, outbox_is_empty);
}

static bool
reactions_are_swept(struct kept *k)
{
    return support_ask(k->place, "SELECT count(*) FROM reaction") == 0;
}

/* The reactions fill several batches. */
static void
rows_of_cleared_reactions_are_deleted(void **state)
{
    struct kept *k = *state;
    int64_t group = support_create(k->place, TYPE_GROUP, "ann");
    struct message m = support_send(k->place, group, "ann", "x");
    struct amendment a = {.arena = &k->place->arena, .id = m.id, .actor = {.username = str_c("ann")}};

    a.emoji = str_c("👍");
    assert_int_equal(amend_react(&k->place->store, &a), ERR_OK);
    support_tell(
        k->place,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
        " INSERT INTO account (name, created_at) SELECT printf('user_%%d', i), 1 FROM n;"
        " INSERT INTO reaction (set_id, account) SELECT (SELECT id FROM reaction_set), id FROM account"
        " WHERE name <> 'ann'");
    assert_int_equal(amend_clear(&k->place->store, &a), ERR_OK);
    assert_true(support_ask(k->place, "SELECT count(*) FROM reaction") > 1000);
    start(k);
    await(k, reactions_are_swept);
}

/* --- the witness and the clock */

static bool
witness_is_current(struct kept *k)
{
    char tick[24];

    snprintf(tick, sizeof(tick), "%lld", (long long)support_tick(k->place));
    return holds(k, "-witness", tick);
}

static void
the_witness_follows_the_last_tick(void **state)
{
    struct kept *k = *state;

    support_create(k->place, TYPE_GROUP, "ann");
    assert_false(witness_is_current(k));
    start(k);
    await(k, witness_is_current);
    support_create(k->place, TYPE_GROUP, "ann");
    await(k, witness_is_current);
    support_create(k->place, TYPE_GROUP, "ann");
    stop(k);
    assert_true(witness_is_current(k));
}

/* A round looks at the clock after it has written the witness, and stop() waits for its end. */
static void
a_clock_behind_the_last_tick_is_noticed(void **state)
{
    struct kept *k = *state;
    struct shared *s = k->place->shared;

    support_tell(k->place, "UPDATE instance SET tick = %lld", (long long)clock_wall_ms() + 3600000);
    start(k);
    await(k, witness_is_current);
    stop(k);
    assert_true(atomic_load(&s->clock_behind_ms) > 3500000);
    support_tell(k->place, "UPDATE instance SET tick = %lld", (long long)clock_wall_ms());
    start(k);
    await(k, witness_is_current);
    stop(k);
    assert_int_equal(atomic_load(&s->clock_behind_ms), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_kept, close_kept)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(housekeeping_is_woken_once_for_each_quarter_of_a_long_log),
        TEST(a_long_log_is_copied_into_the_file),
        TEST(a_short_log_is_left_alone),
        TEST(deleted_content_disappears_from_both_files),
        TEST(acknowledged_changes_are_deleted_if_nobody_writes),
        TEST(rows_of_cleared_reactions_are_deleted),
        TEST(the_witness_follows_the_last_tick),
        TEST(a_clock_behind_the_last_tick_is_noticed),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
