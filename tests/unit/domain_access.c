/*
 * Checks: present members may read, others may not, whichever way a conversation is named; what does not
 * exist is for the question that follows; and that question is answered as of the moment of the check, though
 * what was checked no longer holds.
 */
#include "support.h"

#include "domain/access.h"
#include "domain/amend.h"
#include "domain/converse.h"

/* ann and bob are there, cid has left, dan was never, zoe nobody has named. */
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

static enum err
ask(struct place *place, const char *name, int64_t conversation)
{
    enum err err = access_conversation(&place->store, &place->arena, str_c(name), conversation);

    access_end(&place->store);
    return err;
}

static enum err
ask_by_message(struct place *place, const char *name, int64_t message)
{
    enum err err = access_message(&place->store, &place->arena, str_c(name), message);

    access_end(&place->store);
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

        assert_int_equal(ask(place, people[i].name, group), wanted);
        assert_int_equal(ask_by_message(place, people[i].name, message), wanted);
    }
    support_join(place, group, "cid");
    assert_int_equal(ask(place, "cid", group), ERR_OK);
    support_leave(place, group, "ann");
    /* Their own message, too, is read where they are. */
    assert_int_equal(ask_by_message(place, "ann", message), ERR_NOT_A_MEMBER);
}

static void
what_does_not_exist_is_anybodys_to_ask_for(void **state)
{
    static const int64_t ids[] = {0, -1, 99, INT64_MAX, INT64_MIN};
    struct place *place = *state;

    gather(place);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        for (size_t p = 0; p < PEOPLE; p++) {
            assert_int_equal(ask(place, people[p].name, ids[i]), ERR_OK);
            assert_int_equal(ask_by_message(place, people[p].name, ids[i]), ERR_OK);
        }
}

static void
of_many_those_are_kept_that_may_be_read(void **state)
{
    struct place *place = *state;
    int64_t own = support_create(place, TYPE_GROUP, "ann");
    int64_t chat = support_create(place, TYPE_PRIVATE, "ann bob");
    int64_t foreign = support_create(place, TYPE_GROUP, "bob cid");
    int64_t left = support_create(place, TYPE_GROUP, "ann cid");
    const struct {
        int64_t given[4];
        size_t count;
        int64_t kept[4];
        size_t kept_count;
        enum err err;
    } cases[] = {
        {{own, chat, foreign, left}, 4, {own, chat}, 2, ERR_OK},
        {{left, chat, foreign, own}, 4, {chat, own}, 2, ERR_OK},
        {{foreign}, 1, {0}, 0, ERR_NOT_A_MEMBER},
        {{foreign, left, foreign}, 3, {0}, 0, ERR_NOT_A_MEMBER},
        {{99}, 1, {99}, 1, ERR_OK},
        {{99, foreign}, 2, {99}, 1, ERR_OK},
        {{own, own}, 2, {own, own}, 2, ERR_OK},
        {{0}, 0, {0}, 0, ERR_OK},
    };

    support_leave(place, left, "ann");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t count = cases[i].count;
        int64_t ids[4];

        memcpy(ids, cases[i].given, sizeof(ids));
        assert_int_equal(access_conversations(&place->store, &place->arena, str_c("ann"), ids, &count),
                         cases[i].err);
        access_end(&place->store);
        assert_int_equal(count, cases[i].kept_count);
        assert_memory_equal(ids, cases[i].kept, count * sizeof(ids[0]));
    }
}

/* Bob removes them, and says what they must not read; by a thread of its own, as another request would. */
static void
say_behind_their_back(void *arg, int n)
{
    struct place *place = arg;

    (void)n;
    support_leave(place, 1, "ann");
    support_send(place, 1, "bob", "at last");
}

static void
nobody_reads_what_was_said_after_the_check(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    const struct str *names;
    struct message m;
    size_t count;

    assert_int_equal(group, 1);
    support_send(place, group, "bob", "hello");
    assert_int_equal(access_conversation(&place->store, &place->arena, str_c("ann"), group), ERR_OK);
    support_threads(1, say_behind_their_back, place);
    assert_int_equal(amend_find(&place->store, &place->arena, 2, &m), ERR_MESSAGE_UNKNOWN);
    access_end(&place->store);
    assert_int_equal(access_conversation(&place->store, &place->arena, str_c("ann"), group),
                     ERR_NOT_A_MEMBER);
    /* What follows a refusal, and the end of a request, sees the present. */
    assert_int_equal(amend_find(&place->store, &place->arena, 2, &m), ERR_OK);
    access_end(&place->store);
    assert_int_equal(access_conversation(&place->store, &place->arena, str_c("bob"), group), ERR_OK);
    access_end(&place->store);
    support_join(place, group, "ann");
    assert_int_equal(converse_members(&place->store, &place->arena, group, 10, &names, &count), ERR_OK);
    assert_int_equal(count, 2);
}

/* More requests than there are connections: none is kept for good. */
static void
a_check_that_nothing_followed_keeps_no_connection(void **state)
{
    struct place *place = *state;
    int64_t group = gather(place);

    for (int i = 0; i < 50; i++) {
        assert_int_equal(ask(place, "ann", group), ERR_OK);
        assert_int_equal(ask(place, "dan", group), ERR_NOT_A_MEMBER);
        assert_int_equal(ask(place, "dan", 99), ERR_OK);
    }
    access_end(&place->store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(present_members_read),
        TEST(what_does_not_exist_is_anybodys_to_ask_for),
        TEST(of_many_those_are_kept_that_may_be_read),
        TEST(nobody_reads_what_was_said_after_the_check),
        TEST(a_check_that_nothing_followed_keeps_no_connection),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
