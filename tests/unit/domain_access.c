/*
 * Checks: present members may read and others may not, whichever way a conversation is named.
 * Unknown objects are found by no reader. An object that the reader may not see is not returned.
 * Later reads in the snapshot see the state at the time of the check, even if the membership has
 * ended meanwhile.
 */
#include "support.h"

#include "model/ids.h"
#include "domain/access.h"
#include "domain/history.h"

/* ann and bob are members, cid has left, dan never was a member, zoe is unknown. */
static int64_t
gather(struct place *place)
{
    int64_t group = support_create(place, TYPE_GROUP, "ann bob cid");

    support_create(place, TYPE_GROUP, "dan");
    support_leave(place, group, "cid");
    return group;
}

static const struct {
    const char *name;
    bool reads;
} people[] = {{"ann", true},  {"bob", true},  {"cid", false}, {"dan", false},
              {"zoe", false}, {"Ann", false}, {"an", false},  {"", false}};

#define PEOPLE (sizeof(people) / sizeof(people[0]))

/* Absent: a reader who may read everything. */
static struct access
reader(struct place *place, const struct snapshot *snapshot, const char *name)
{
    return (struct access){snapshot, &place->arena, str_c(name)};
}

static enum err
ask(struct place *place, const char *name, int32_t conversation, bool exists)
{
    struct snapshot *snapshot = support_begin(place);
    const struct access a = reader(place, snapshot, name);
    const struct conversation *found;
    enum err err = access_conversation(&a, conversation, &found);

    snapshot_end(snapshot);
    /* An object that the reader may not see is not returned. */
    assert_int_equal(found != NULL, err == ERR_OK && exists);
    if (found != NULL)
        assert_int_equal(found->id, conversation);
    return err;
}

static enum err
ask_by_message(struct place *place, const char *name, int64_t message)
{
    struct snapshot *snapshot = support_begin(place);
    const struct access a = reader(place, snapshot, name);
    const struct conversation *conversation = NULL;
    const struct message_key *key;
    enum err err = access_message(&a, message, &key, &conversation);

    snapshot_end(snapshot);
    assert_int_equal(key != NULL, err == ERR_OK);
    assert_int_equal(conversation != NULL, err == ERR_OK);
    if (key != NULL) {
        assert_int_equal(key->id, message);
        assert_int_equal(key->conversation, conversation->id);
    }
    return err;
}

static void
present_members_read(void **state)
{
    struct place *place = *state;
    int64_t group = gather(place);
    int64_t message = support_send(place, group, "ann", "x").id;

    for (size_t i = 0; i < PEOPLE; i++) {
        enum err wanted = people[i].reads ? ERR_OK : ERR_NOT_A_MEMBER;

        assert_int_equal(ask(place, people[i].name, group, true), wanted);
        assert_int_equal(ask_by_message(place, people[i].name, message), wanted);
    }
    support_join(place, group, "cid");
    assert_int_equal(ask(place, "cid", group, true), ERR_OK);
    assert_int_equal(ask(place, NULL, group, true), ERR_OK);
    assert_int_equal(ask_by_message(place, NULL, message), ERR_OK);
    support_leave(place, group, "ann");
    /* Even their own message is found only if they are members. */
    assert_int_equal(ask_by_message(place, "ann", message), ERR_NOT_A_MEMBER);
}

static void
unknown_objects_are_found_by_no_reader(void **state)
{
    static const int32_t conversations[] = {CONVERSATION_NONE, -1, 99, INT32_MAX, INT32_MIN};
    static const int64_t messages[] = {0, -1, 99, INT64_MAX, INT64_MIN};
    struct place *place = *state;

    gather(place);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        for (size_t p = 0; p <= PEOPLE; p++) {
            const char *name = p == PEOPLE ? NULL : people[p].name;

            assert_int_equal(ask(place, name, conversations[i], false), ERR_OK);
            assert_int_equal(ask_by_message(place, name, messages[i]), ERR_MESSAGE_UNKNOWN);
        }
}

static void
of_many_those_are_found_that_may_be_read(void **state)
{
    struct place *place = *state;
    int32_t own = support_create(place, TYPE_GROUP, "ann");
    int32_t chat = support_create(place, TYPE_PRIVATE, "ann bob");
    int32_t foreign = support_create(place, TYPE_GROUP, "bob cid");
    int32_t left = support_create(place, TYPE_GROUP, "ann cid");
    const struct {
        int32_t given[4];
        size_t count;
        int32_t found[4];
        size_t found_count;
        enum err err;
    } cases[] = {
        {{own, chat, foreign, left}, 4, {own, chat}, 2, ERR_OK},
        {{left, chat, foreign, own}, 4, {own, chat}, 2, ERR_OK},
        {{foreign}, 1, {0}, 0, ERR_NOT_A_MEMBER},
        {{foreign, left, foreign}, 3, {0}, 0, ERR_NOT_A_MEMBER},
        {{99}, 1, {0}, 0, ERR_OK},
        {{99, foreign}, 2, {0}, 0, ERR_OK},
        {{own, own}, 2, {own}, 1, ERR_OK},
        {{CONVERSATION_NONE, own}, 2, {own}, 1, ERR_OK},
        {{0}, 0, {0}, 0, ERR_OK},
    };
    struct snapshot *snapshot;

    support_leave(place, left, "ann");
    snapshot = support_begin(place);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct access a = reader(place, snapshot, "ann");
        struct access_list list;
        int32_t ids[4];

        memcpy(ids, cases[i].given, sizeof(ids));
        assert_int_equal(access_conversations(&a, ids, cases[i].count, &list), cases[i].err);
        assert_int_equal(list.count, cases[i].found_count);
        for (size_t k = 0; k < list.count; k++)
            assert_int_equal(list.found[k].id, cases[i].found[k]);
    }
    snapshot_end(snapshot);
}

static void
count_message(void *arg, const struct message *m)
{
    (void)m;
    *(int *)arg += 1;
}

/*
 * Bob removes them, and posts what they must not read. On another thread, as another request would.
 */
static void
say_behind_their_back(void *arg, int n)
{
    struct place *place = arg;

    (void)n;
    support_leave(place, 1, "ann");
    support_send(place, 1, "bob", "at last");
}

static int
count_messages(struct place *place, const struct snapshot *snapshot, const struct conversation *c)
{
    struct seq_page page = {.conversation = c, .side = SEQ_AFTER, .limit = 10};
    int count = 0;

    assert_int_equal(
        history_by_seq(&(struct view){snapshot, &place->arena, {0}, false}, &page, count_message, &count),
        ERR_OK);
    return count;
}

static void
messages_after_the_check_are_not_read(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    const struct message_key *key;
    const struct conversation *c;
    struct snapshot *snapshot;
    struct access a;

    assert_int_equal(group, 1);
    support_send(place, group, "bob", "hello");
    snapshot = support_begin(place);
    a = reader(place, snapshot, "ann");
    assert_int_equal(access_conversation(&a, 1, &c), ERR_OK);
    support_threads(1, say_behind_their_back, place);
    assert_int_equal(access_message(&a, 2, &key, &c), ERR_MESSAGE_UNKNOWN);
    assert_int_equal(access_conversation(&a, 1, &c), ERR_OK);
    assert_int_equal(count_messages(place, snapshot, c), 1);
    snapshot_end(snapshot);
    /* The next snapshot shows the present. */
    assert_int_equal(ask(place, "ann", 1, true), ERR_NOT_A_MEMBER);
    assert_int_equal(ask_by_message(place, "ann", 2), ERR_NOT_A_MEMBER);
    assert_int_equal(ask_by_message(place, "bob", 2), ERR_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(present_members_read),
        TEST(unknown_objects_are_found_by_no_reader),
        TEST(of_many_those_are_found_that_may_be_read),
        TEST(messages_after_the_check_are_not_read),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
