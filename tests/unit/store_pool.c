/*
 * Checks: a reader sees one state of the database from its first read to its end, whatever is
 * committed meanwhile. More threads than connections all get their turn. A reader cannot write. A
 * reader that read a name before a rename shows the new name after it.
 */
#include "support.h"

#include <stdio.h>

#include "store/accounts.h"
#include "store/conversations.h"
#include "store/messages.h"
#include "store/sqlite/db.h"

#include <sched.h>

#define READERS    4 /* connections, see support_open() */
#define THREADS    16
#define TURNS      100
#define WRITES_MIN 50
#define LOOKS      8
#define TURNS_EACH 8 /* turns that end before the next write, so that each reads everything written */

static enum err
create(struct tx *tx, void *arg)
{
    struct conversation c = {.type = TYPE_GROUP, .title = str_c("")};
    enum err err = accounts_add(tx, str_c("ann"));

    (void)arg;
    return err == ERR_OK ? conversations_add(tx, (struct str){0}, (struct str){0}, &c) : err;
}

/* One more message, so that last_seq, version and the number of messages are one. */
static enum err
send(struct tx *tx, void *arg)
{
    struct message m = {.conversation = 1, .sender = str_c("ann"), .content = str_c("x")};
    struct conversation c;
    struct arena arena;
    bool found;
    enum err err;

    (void)arg;
    arena_init(&arena);
    err = conversations_get(tx->db, &arena, 1, &c, &found);
    if (err == ERR_OK)
        err = conversations_bump(tx, &c, 1, 0);
    m.seq = c.last_seq;
    m.timestamp = tx->tick;
    arena_clear(&arena);
    return err == ERR_OK ? messages_add(tx, &m, c.version) : err;
}

/* Returns the number of messages, if both tables agree; else -1. */
static int64_t
look(struct db *db)
{
    struct conversation c = {0};
    struct message_key keys[64];
    struct key_walk walk = {
        .conversation = 1, .until = INT32_MAX, .no_later = INT64_MAX, .rows = 64, .keys = keys};
    struct arena arena;
    int64_t count = 0;
    bool found;
    bool ok;

    arena_init(&arena);
    ok = conversations_get(db, &arena, 1, &c, &found) == ERR_OK && found;
    arena_clear(&arena);
    do {
        ok = ok && messages_keys(db, &walk) == ERR_OK;
        count += (int64_t)walk.count;
    } while (ok && walk.count == (size_t)walk.rows);
    return ok && count == c.last_seq ? c.last_seq : -1;
}

static void
a_snapshot_stays_until_its_end(void **state)
{
    struct place *place = *state;
    struct store *store = &place->store;
    struct snapshot *old;
    struct snapshot *new;

    assert_int_equal(support_run(store, create, NULL), ERR_OK);
    assert_int_equal(snapshot_begin(store, &old), ERR_OK);
    assert_int_equal(look(old->db), 0);
    assert_int_equal(support_run(store, send, NULL), ERR_OK);
    assert_int_equal(look(old->db), 0);
    assert_int_equal(snapshot_begin(store, &new), ERR_OK);
    assert_int_equal(look(new->db), 1);
    assert_int_equal(look(old->db), 0);
    snapshot_end(old);
    assert_int_equal(snapshot_begin(store, &old), ERR_OK);
    assert_int_equal(look(old->db), 1);
    snapshot_end(old);
    snapshot_end(new);
}

struct crowd {
    struct store *store;
    _Atomic int inside;  /* threads that hold a connection */
    _Atomic int reading; /* threads that still have turns */
    _Atomic int errors;
    _Atomic int turns;   /* that have ended */
    int served[THREADS]; /* turns that each thread got */
    int64_t writes;
};

static void
write_while_others_read(struct crowd *crowd)
{
    while (atomic_load(&crowd->reading) > 0 || crowd->writes < WRITES_MIN) {
        if (crowd->writes >= WRITES_MIN + atomic_load(&crowd->turns) / TURNS_EACH) {
            sched_yield();
            continue;
        }
        if (support_run(crowd->store, send, NULL) != ERR_OK)
            atomic_fetch_add(&crowd->errors, 1);
        crowd->writes++;
    }
}

static void
read_once(struct crowd *crowd)
{
    struct snapshot *s;
    int64_t first;

    if (snapshot_begin(crowd->store, &s) != ERR_OK) {
        atomic_fetch_add(&crowd->errors, 1);
        return;
    }
    if (atomic_fetch_add(&crowd->inside, 1) >= READERS)
        atomic_fetch_add(&crowd->errors, 1);
    first = look(s->db);
    for (int i = 0; i < LOOKS; i++)
        if (first < 0 || look(s->db) != first)
            atomic_fetch_add(&crowd->errors, 1);
    atomic_fetch_sub(&crowd->inside, 1);
    snapshot_end(s);
}

/* Thread 0 writes, the others read. */
static void
take_part(void *arg, int n)
{
    struct crowd *crowd = arg;

    if (n == 0) {
        write_while_others_read(crowd);
        return;
    }
    for (int i = 0; i < TURNS; i++) {
        read_once(crowd);
        crowd->served[n - 1]++;
        atomic_fetch_add(&crowd->turns, 1);
    }
    atomic_fetch_sub(&crowd->reading, 1);
}

static void
more_threads_than_connections_all_see_one_state_each(void **state)
{
    struct place *place = *state;
    struct crowd crowd = {.store = &place->store, .reading = THREADS};
    struct snapshot *s;

    assert_int_equal(support_run(&place->store, create, NULL), ERR_OK);
    support_threads(THREADS + 1, take_part, &crowd);
    assert_int_equal(atomic_load(&crowd.errors), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(crowd.served[i], TURNS);
    assert_int_equal(snapshot_begin(&place->store, &s), ERR_OK);
    assert_int_equal(look(s->db), crowd.writes);
    snapshot_end(s);
}

static void
a_reader_cannot_write(void **state)
{
    struct place *place = *state;
    struct snapshot *s;

    assert_int_equal(snapshot_begin(&place->store, &s), ERR_OK);
    assert_int_equal(db_script(s->db, "UPDATE instance SET tick = 1"), ERR_STORAGE);
    snapshot_end(s);
    assert_int_equal(support_ask(place, "SELECT tick FROM instance"), 0);
    /* The connection is as good as before. */
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(snapshot_begin(&place->store, &s), ERR_OK);
        assert_true(db_in_transaction(s->db));
        snapshot_end(s);
        assert_false(db_in_transaction(s->db));
    }
}

/* True if the first message is shown as sent by this user. */
static bool
sent_by(struct db *db, const char *name)
{
    struct message m;
    struct arena arena;
    bool found;
    bool is;

    arena_init(&arena);
    assert_int_equal(messages_get(&(struct message_reader){.db = db, .arena = &arena}, 1, 1, &m, &found),
                     ERR_OK);
    assert_true(found);
    is = str_eq(m.sender, str_c(name));
    arena_clear(&arena);
    return is;
}

struct rename {
    const char *from;
    const char *to;
    enum err verdict;
};

/* A name that was read before a rename is not shown after it, not even in the same transaction. */
static enum err
rename_user(struct tx *tx, void *arg)
{
    const struct rename *r = arg;
    char script[96];

    assert_true(sent_by(tx->db, r->from));
    snprintf(script, sizeof(script), "UPDATE account SET name = '%s' WHERE name = '%s'", r->to, r->from);
    assert_int_equal(db_script(tx->db, script), ERR_OK);
    assert_true(sent_by(tx->db, r->to));
    return r->verdict;
}

/* Uses all connections of the pool at once, so that each has read the name. */
static void
assert_all_show(struct store *store, const char *name)
{
    struct snapshot *snapshots[READERS];

    for (int i = 0; i < READERS; i++) {
        assert_int_equal(snapshot_begin(store, &snapshots[i]), ERR_OK);
        assert_true(sent_by(snapshots[i]->db, name));
    }
    for (int i = 0; i < READERS; i++)
        snapshot_end(snapshots[i]);
}

static void
readers_of_a_name_see_its_rename(void **state)
{
    struct place *place = *state;
    struct store *store = &place->store;
    struct snapshot *old;

    assert_int_equal(support_run(store, create, NULL), ERR_OK);
    assert_int_equal(support_run(store, send, NULL), ERR_OK);
    assert_all_show(store, "ann");
    assert_int_equal(snapshot_begin(store, &old), ERR_OK);
    assert_int_equal(support_run(store, rename_user, &(struct rename){"ann", "bob", ERR_OK}), ERR_OK);
    assert_true(sent_by(old->db, "ann"));
    snapshot_end(old);
    assert_all_show(store, "bob");
    /* One that is rolled back is never seen. */
    assert_int_equal(support_run(store, rename_user, &(struct rename){"bob", "eve", ERR_STORAGE}),
                     ERR_STORAGE);
    assert_all_show(store, "bob");
    assert_int_equal(support_run(store, rename_user, &(struct rename){"bob", "eve", ERR_OK}), ERR_OK);
    assert_all_show(store, "eve");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_snapshot_stays_until_its_end, support_open, support_close),
        cmocka_unit_test_setup_teardown(more_threads_than_connections_all_see_one_state_each, support_open,
                                        support_close),
        cmocka_unit_test_setup_teardown(a_reader_cannot_write, support_open, support_close),
        cmocka_unit_test_setup_teardown(readers_of_a_name_see_its_rename, support_open, support_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
