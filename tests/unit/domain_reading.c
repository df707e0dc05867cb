/*
 * Checks: a read marker only moves forward, and not beyond the newest message. `unread` counts the
 * messages received after it, in every stay, without own and deleted ones, up to a bound. A move
 * counts no version and queues one event.
 */
#include "support.h"

#include "domain/amend.h"
#include "domain/reading.h"
#include "store/conversations.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"

static enum err
mark(struct place *place, int64_t conversation, const char *username, int64_t seq, struct reading *r)
{
    *r = (struct reading){
        .arena = &place->arena, .conversation = conversation, .username = str_c(username), .seq = seq};
    return reading_mark(&place->store, r);
}

struct reader {
    int64_t conversation;
    const char *username;
};

static struct reader
reader(int64_t conversation, const char *username)
{
    return (struct reader){conversation, username};
}

static void
assert_marked(struct place *place, struct reader who, int64_t seq, int64_t read_seq, int64_t unread)
{
    struct reading r;

    assert_int_equal(mark(place, who.conversation, who.username, seq, &r), ERR_OK);
    assert_int_equal(r.read_seq, read_seq);
    assert_int_equal(r.unread, unread);
}

static void
a_marker_moves_only_forward(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");

    assert_marked(place, reader(group, "bob"), 0, 0, 0);
    assert_marked(place, reader(group, "bob"), 5, 0, 0);
    for (int i = 0; i < 5; i++)
        support_send(place, group, "ann", "x");
    assert_marked(place, reader(group, "bob"), 0, 0, 5);
    assert_marked(place, reader(group, "bob"), 2, 2, 3);
    assert_marked(place, reader(group, "bob"), 1, 2, 3);
    assert_marked(place, reader(group, "bob"), 2, 2, 3);
    assert_marked(place, reader(group, "bob"), INT64_MAX, 5, 0);
    assert_marked(place, reader(group, "bob"), 0, 5, 0);
    assert_marked(place, reader(group, "ann"), 0, 0, 0);
    support_send(place, group, "bob", "x");
    support_send(place, group, "ann", "x");
    assert_marked(place, reader(group, "bob"), 5, 5, 1);
    assert_marked(place, reader(group, "ann"), 1, 1, 1);
}

/* Returns in how many conversations the user's marker has moved since. */
static int64_t
count_moved(struct place *place, const char *username, int64_t after)
{
    struct snapshot *snapshot = support_begin(place);
    struct moved_walk walk = {.username = str_c(username), .from = after + 1, .rows = 100};

    assert_int_equal(markers_moved(snapshot->db, &place->arena, &walk), ERR_OK);
    snapshot_end(snapshot);
    return (int64_t)walk.count;
}

/* It is personal: no version and no activity, but the time of the move is stored. */
static void
a_move_is_no_change_and_is_noted_once(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct change *changes;
    const char *before;
    int64_t updated_at;
    int64_t tick;

    support_send(place, group, "ann", "x");
    support_send(place, group, "ann", "y");
    updated_at = support_conversation(place, group).updated_at;
    assert_marked(place, reader(group, "bob"), 1, 1, 1);
    tick = support_tick(place);
    assert_int_equal(support_conversation(place, group).version, 3);
    assert_int_equal(support_conversation(place, group).updated_at, updated_at);
    assert_int_equal(support_changes(place, &changes), 4);
    assert_int_equal(changes[3].id, 4);
    assert_int_equal(changes[3].event, EVENT_READ);
    assert_int_equal(changes[3].conversation, group);
    assert_int_equal(changes[3].version, 3);
    assert_int_equal(changes[3].seq, 1);
    assert_true(str_is(changes[3].username, "bob"));
    assert_int_equal(count_moved(place, "bob", tick - 1), 1);
    assert_int_equal(count_moved(place, "bob", tick), 0);
    before = support_describe(place);
    assert_marked(place, reader(group, "bob"), 1, 1, 1);
    assert_marked(place, reader(group, "bob"), 0, 1, 1);
    assert_string_equal(support_describe(place), before);
    assert_marked(place, reader(group, "bob"), 2, 2, 0);
    assert_int_equal(count_moved(place, "bob", tick), 1);
}

static void
only_members_mark(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    static const char *const others[] = {"bob", "cid", "nobody", ""};
    struct reading r;
    const char *before;

    support_create(place, TYPE_GROUP, "cid");
    support_send(place, group, "ann", "x");
    support_leave(place, group, "bob");
    before = support_describe(place);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(mark(place, group, others[i], 1, &r), ERR_NOT_A_MEMBER);
        assert_int_equal(mark(place, 99, others[i], 1, &r), ERR_CONVERSATION_UNKNOWN);
    }
    assert_string_equal(support_describe(place), before);
}

static void
erase(struct place *place, int64_t id, const char *username)
{
    struct amendment a = {.arena = &place->arena, .id = id, .actor.username = str_c(username)};

    assert_int_equal(amend_delete(&place->store, &a), ERR_OK);
}

static void
own_and_deleted_messages_are_not_unread(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob cid");
    struct message gone;

    support_send(place, group, "ann", "1");
    support_send(place, group, "bob", "2");
    gone = support_send(place, group, "ann", "3");
    support_send(place, group, "cid", "4");
    assert_marked(place, reader(group, "bob"), 0, 0, 3);
    assert_marked(place, reader(group, "cid"), 0, 0, 3);
    erase(place, gone.id, "ann");
    assert_marked(place, reader(group, "bob"), 0, 0, 2);
    assert_marked(place, reader(group, "bob"), 1, 1, 1);
    assert_marked(place, reader(group, "ann"), 2, 2, 1);
}

/* Bob is a member for 1–2, for 4 and from 6 on. */
static void
messages_between_two_stays_are_not_unread(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");

    for (int seq = 1; seq <= 7; seq++) {
        if (seq == 3 || seq == 5)
            support_leave(place, group, "bob");
        if (seq == 4 || seq == 6)
            support_join(place, group, "bob");
        support_send(place, group, "ann", "x");
    }
    assert_marked(place, reader(group, "bob"), 0, 0, 5);
    assert_marked(place, reader(group, "bob"), 1, 1, 4);
    /* A marker may also stand at a message that the user did not receive. */
    assert_marked(place, reader(group, "bob"), 3, 3, 3);
    assert_marked(place, reader(group, "bob"), 4, 4, 2);
    assert_marked(place, reader(group, "bob"), 5, 5, 2);
    assert_marked(place, reader(group, "bob"), 6, 6, 1);
    /* Stays without a message between them. */
    support_leave(place, group, "bob");
    support_join(place, group, "bob");
    assert_marked(place, reader(group, "bob"), 6, 6, 1);
    support_leave(place, group, "bob");
    support_send(place, group, "ann", "x");
    support_join(place, group, "bob");
    assert_marked(place, reader(group, "bob"), 7, 7, 0);
}

/* Many messages of one sender in one transaction, because each commit would wait for the disk. */
struct many {
    int64_t conversation;
    const char *sender;
    int count;
};

static enum err
send_many(struct tx *tx, void *arg)
{
    const struct many *many = arg;
    struct message m = {
        .conversation = many->conversation, .sender = str_c(many->sender), .content = str_c("x")};
    struct conversation c;
    struct arena arena;
    bool found;
    enum err err;

    arena_init(&arena);
    err = conversations_get(tx->db, &arena, many->conversation, &c, &found);
    for (int i = 0; err == ERR_OK && i < many->count; i++) {
        err = conversations_bump(tx, &c, 1, 0);
        m.seq = c.last_seq;
        m.timestamp = tx->tick;
        if (err == ERR_OK)
            err = messages_add(tx, &m, c.version);
    }
    arena_clear(&arena);
    return err;
}

static void
send_so_many(struct place *place, int64_t conversation, const char *sender, int count)
{
    struct many many = {conversation, sender, count};

    assert_int_equal(support_run(&place->store, send_many, &many), ERR_OK);
}

static void
unread_is_counted_up_to_a_thousand(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");

    send_so_many(place, group, "ann", 999);
    assert_marked(place, reader(group, "bob"), 0, 0, 999);
    send_so_many(place, group, "ann", 1);
    assert_marked(place, reader(group, "bob"), 0, 0, 1000);
    send_so_many(place, group, "ann", 1);
    assert_marked(place, reader(group, "bob"), 0, 0, 1000);
    assert_marked(place, reader(group, "bob"), 1, 1, 1000);
    assert_marked(place, reader(group, "bob"), 2, 2, 999);
    /* Over several stays. */
    support_leave(place, group, "bob");
    support_join(place, group, "bob");
    send_so_many(place, group, "ann", 5);
    assert_marked(place, reader(group, "bob"), 2, 2, 1000);
    assert_marked(place, reader(group, "bob"), 7, 7, 999);
}

static void
a_long_run_of_ones_own_hides_nothing_before_it(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");

    send_so_many(place, group, "ann", 3);
    send_so_many(place, group, "bob", 20000);
    assert_marked(place, reader(group, "bob"), 0, 0, 3);
    send_so_many(place, group, "ann", 4);
    assert_marked(place, reader(group, "bob"), 0, 0, 7);
    assert_marked(place, reader(group, "bob"), 2, 2, 5);
    /* A marker in the middle of the run. */
    assert_marked(place, reader(group, "bob"), 10000, 10000, 4);
    /* The run of messages continues over a leave; the stay does not. */
    support_leave(place, group, "ann");
    support_join(place, group, "ann");
    assert_marked(place, reader(group, "ann"), 2, 2, 1000);
}

struct received {
    struct db *db;
    struct str username;
    int64_t count;
};

static bool
count_if_received(void *arg, const struct message *m)
{
    struct received *r = arg;
    struct span span;

    assert_int_equal(memberships_span(r->db, m->conversation, r->username, m->seq, &span), ERR_OK);
    r->count += span.received && !str_eq(m->sender, r->username);
    return true;
}

/* Counts messages of others during the user's stays by reading each message. */
static int64_t
count_received(struct place *place, int32_t conversation, const char *username)
{
    struct snapshot *snapshot = support_begin(place);
    const struct message_reader reader = {.db = snapshot->db, .arena = &place->arena};
    struct received r = {snapshot->db, str_c(username), 0};

    support_each_message(&reader, conversation, 1, count_if_received, &r);
    snapshot_end(snapshot);
    return r.count;
}

static void
runs_are_passed_over_whatever_their_order(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob cid");
    static const char *const names[] = {"ann", "bob", "cid"};
    struct chance chance;

    support_chance(&chance);
    for (int round = 0; round < 60; round++) {
        const char *name = names[support_draw(&chance, 3)];

        send_so_many(place, group, name, 1 + (int)support_draw(&chance, 12));
        if (support_draw(&chance, 4) == 0) {
            support_leave(place, group, name);
            if (support_draw(&chance, 2) == 0)
                send_so_many(place, group, names[support_draw(&chance, 3)], 1);
            support_join(place, group, name);
        }
        for (int n = 0; n < 3; n++) {
            int64_t unread = count_received(place, (int32_t)group, names[n]);

            assert_marked(place, reader(group, names[n]), 0, 0, unread);
        }
    }
}

/* Deletes all messages from `first` on. */
static enum err
erase_from(struct tx *tx, void *arg)
{
    const struct message_key *first = arg;
    struct conversation c;
    struct arena arena;
    bool found = true;
    enum err err;

    arena_init(&arena);
    err = conversations_get(tx->db, &arena, first->conversation, &c, &found);
    for (int64_t id = first->id; err == ERR_OK && found; id++) {
        struct message m = {0};

        err = messages_head(tx->db, &arena, id, &m, &found);
        if (err != ERR_OK || !found)
            break;
        err = conversations_bump(tx, &c, 0, 0);
        if (err == ERR_OK)
            err = messages_delete(tx, &m, c.version);
    }
    arena_clear(&arena);
    return err;
}

/* Only a limited number of deleted messages is read. */
static void
messages_beyond_thousands_of_deleted_ones_are_not_counted(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct message_key first = {.id = 4, .conversation = (int32_t)group};

    send_so_many(place, group, "ann", 3);
    send_so_many(place, group, "ann", 2000);
    assert_int_equal(support_run(&place->store, erase_from, &first), ERR_OK);
    assert_marked(place, reader(group, "bob"), 0, 0, 3);
    send_so_many(place, group, "ann", 1000);
    first.id = 2004;
    assert_int_equal(support_run(&place->store, erase_from, &first), ERR_OK);
    assert_marked(place, reader(group, "bob"), 0, 0, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(a_marker_moves_only_forward),
        TEST(a_move_is_no_change_and_is_noted_once),
        TEST(only_members_mark),
        TEST(own_and_deleted_messages_are_not_unread),
        TEST(messages_between_two_stays_are_not_unread),
        TEST(unread_is_counted_up_to_a_thousand),
        TEST(a_long_run_of_ones_own_hides_nothing_before_it),
        TEST(runs_are_passed_over_whatever_their_order),
        TEST(messages_beyond_thousands_of_deleted_ones_are_not_counted),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
