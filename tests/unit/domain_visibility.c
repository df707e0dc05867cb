/*
 * Checks which state of a message a viewer sees. Former members see the state at the end of their
 * last stay, or less. Present members, and members who joined again, see the present state.
 */
#include "support.h"

#include "domain/amend.h"
#include "domain/visibility.h"
#include "store/messages.h"

static const struct ending gone = {true, 1000, 10};

/* A message of two reactions, last changed at `changed_version` and last edited at `edited_at`. */
static struct message
message(int64_t changed_version, int64_t edited_at)
{
    return (struct message){
        .content = str_c("text"),
        .edited_at = edited_at,
        .changed_version = changed_version,
        .emoji_count = 2,
        .reaction_count = 2,
    };
}

static void
assert_seen(struct message m, const struct ending *ending, const char *content, size_t reactions)
{
    visibility_withhold(&m, ending);
    assert_true(str_is(m.content, content));
    assert_int_equal(m.withheld, m.content.n == 0);
    assert_int_equal(m.edited_at == 0, m.content.n == 0 || ending->left_at == 0);
    assert_int_equal(m.reaction_count, reactions);
    assert_int_equal(m.emoji_count, reactions);
}

static void
edits_from_the_tick_of_the_leaving_on_are_withheld(void **state)
{
    (void)state;
    assert_seen(message(9, 999), &gone, "text", 2);
    /* A leave and an edit may share a tick: then their order is unknown. */
    assert_seen(message(9, 1000), &gone, "", 2);
    assert_seen(message(12, 1001), &gone, "", 0);
}

static void
reactions_after_the_leaving_are_left_out(void **state)
{
    (void)state;
    assert_seen(message(10, 999), &gone, "text", 2);
    assert_seen(message(11, 999), &gone, "text", 0);
}

static void
present_members_see_everything(void **state)
{
    struct message m = message(INT64_MAX, INT64_MAX);

    (void)state;
    visibility_withhold(&m, &(struct ending){0});
    assert_true(str_is(m.content, "text"));
    assert_false(m.withheld);
    assert_int_equal(m.edited_at, INT64_MAX);
    assert_int_equal(m.reaction_count, 2);
}

static void
a_deletion_always_shows(void **state)
{
    struct message m = {.content = str_c(""), .deleted_at = 5000, .changed_version = 50};

    (void)state;
    visibility_withhold(&m, &gone);
    assert_int_equal(m.deleted_at, 5000);
    assert_false(m.withheld);
}

static void
a_message_is_current_until_the_next_change(void **state)
{
    struct message m = message(11, 0);

    (void)state;
    assert_false(visibility_is_current(m.changed_version, 10));
    assert_true(visibility_is_current(m.changed_version, 11));
    m.changed_version = 0;
    assert_true(visibility_is_current(m.changed_version, 3));
}

static void
react(struct place *place, int64_t id, const char *username)
{
    struct amendment a = {
        .arena = &place->arena, .id = id, .actor.username = str_c(username), .emoji = str_c("x")};

    assert_int_equal(amend_react(&place->store, &a), ERR_OK);
}

static void
edit(struct place *place, int64_t id, const char *username, const char *content)
{
    struct amendment a = {
        .arena = &place->arena, .id = id, .actor.username = str_c(username), .content = str_c(content)};

    assert_int_equal(amend_edit(&place->store, &a), ERR_OK);
}

/* The message as `username` sees it. */
static struct message
seen_by(struct place *place, int64_t id, const char *username)
{
    struct message m;
    struct snapshot *snapshot;
    struct visibility *v = arena_alloc(&place->arena, sizeof(*v));

    assert_int_equal(support_message(place, id, &m), ERR_OK);
    snapshot = support_begin(place);
    v->db = snapshot->db;
    v->viewer = str_c(username);
    assert_int_equal(visibility_apply(v, &m), ERR_OK);
    snapshot_end(snapshot);
    return m;
}

static void
the_last_stay_decides(void **state)
{
    struct place *place = *state;
    int32_t group = support_create(place, TYPE_GROUP, "ann bob");
    int64_t id = support_send(place, group, "ann", "one").id;

    support_leave(place, group, "bob");
    edit(place, id, "ann", "two");
    react(place, id, "ann");
    assert_true(seen_by(place, id, "bob").withheld);
    assert_int_equal(seen_by(place, id, "bob").reaction_count, 0);
    assert_true(str_is(seen_by(place, id, "ann").content, "two"));
    support_join(place, group, "bob");
    assert_true(str_is(seen_by(place, id, "bob").content, "two"));
    assert_int_equal(seen_by(place, id, "bob").reaction_count, 1);
    support_leave(place, group, "bob");
    /* An edit before the second leave is shown; later changes are not. */
    assert_true(str_is(seen_by(place, id, "bob").content, "two"));
    assert_int_equal(seen_by(place, id, "bob").reaction_count, 1);
    edit(place, id, "ann", "three");
    assert_true(seen_by(place, id, "bob").withheld);
    assert_int_equal(seen_by(place, id, "bob").reaction_count, 0);
}

static void
strangers_see_no_edit(void **state)
{
    struct place *place = *state;
    int32_t group = support_create(place, TYPE_GROUP, "ann");
    int64_t id = support_send(place, group, "ann", "one").id;

    edit(place, id, "ann", "two");
    assert_true(seen_by(place, id, "cid").withheld);
}

/* One look-up serves many messages, and messages of conversations that share a slot in `kept`. */
static void
conversations_that_share_a_place_are_distinguished(void **state)
{
    struct place *place = *state;
    int64_t ids[VISIBILITY_KEPT + 1];

    for (int i = 0; i <= VISIBILITY_KEPT; i++) {
        int32_t group = support_create(place, TYPE_GROUP, "ann bob");

        ids[i] = support_send(place, group, "ann", "one").id;
        if (i == 0)
            support_leave(place, group, "bob");
        edit(place, ids[i], "ann", "two");
    }
    {
        struct visibility v = {.viewer = str_c("bob")};
        struct snapshot *snapshot = support_begin(place);

        v.db = snapshot->db;
        for (int i = 0; i < 4; i++) {
            struct message m;
            bool found;

            assert_int_equal(messages_by_id(&(struct message_reader){v.db, &place->arena, {0}},
                                            ids[i % 2 * VISIBILITY_KEPT], &m, &found),
                             ERR_OK);
            assert_int_equal(visibility_apply(&v, &m), ERR_OK);
            assert_int_equal(m.withheld, i % 2 == 0);
        }
        snapshot_end(snapshot);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        cmocka_unit_test(edits_from_the_tick_of_the_leaving_on_are_withheld),
        cmocka_unit_test(reactions_after_the_leaving_are_left_out),
        cmocka_unit_test(present_members_see_everything),
        cmocka_unit_test(a_deletion_always_shows),
        cmocka_unit_test(a_message_is_current_until_the_next_change),
        TEST(the_last_stay_decides),
        TEST(strangers_see_no_edit),
        TEST(conversations_that_share_a_place_are_distinguished),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
