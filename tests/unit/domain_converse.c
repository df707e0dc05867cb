/*
 * Checks: conversations are created by the rules, and a pair has one private chat. Joining,
 * leaving, changing settings and sending are refused in the documented order. Repeats and refused
 * commands change nothing. Each change counts one version and queues one event. Checks the lists of
 * members.
 */
#include "support.h"

#include <stdio.h>
#include "model/ids.h"
#include "domain/access.h"
#include "domain/converse.h"
#include "domain/send.h"
#include "store/memberships.h"

#define NAMES_MAX 8

/* A creation with the names in `list`, separated by blanks; creator NULL: none. */
static struct creation
creation_of(struct place *place, enum conversation_type type, const char *list, const char *creator)
{
    static struct str names[NAMES_MAX + 1];
    struct creation creation = {
        .arena = &place->arena, .type = type, .names = names, .creator = str_c(creator)};

    for (const char *p = list; *p != '\0'; p += strspn(p, " ")) {
        assert_true(creation.name_count < NAMES_MAX);
        names[creation.name_count++] = (struct str){p, strcspn(p, " ")};
        p += strcspn(p, " ");
    }
    return creation;
}

static enum err
create_by(struct place *place, enum conversation_type type, const char *list, const char *creator,
          struct creation *creation)
{
    *creation = creation_of(place, type, list, creator);
    return converse_create(&place->store, creation);
}

/* The same, without a creator. */
static enum err
create(struct place *place, enum conversation_type type, const char *list, struct creation *creation)
{
    return create_by(place, type, list, NULL, creation);
}

static void
assert_members(const struct conversation *c, const char *list)
{
    char text[256] = "";
    size_t n = 0;

    assert_int_equal(c->member_count, c->members_read);
    for (size_t i = 0; i < c->members_read; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", i == 0 ? "" : " ", (int)c->members[i].n,
                              c->members[i].p);
    assert_string_equal(text, list);
}

struct found {
    struct place *place;
    struct conversation conversations[8];
    int count;
};

/* Copies the conversation, because its title and members live only for the call. */
static void
take(void *arg, const struct conversation *c)
{
    struct found *found = arg;
    struct arena *arena = &found->place->arena;
    struct str *names = arena_alloc(arena, (c->members_read + 1) * sizeof(*names));

    assert_true(found->count < 8);
    assert_non_null(names);
    for (size_t i = 0; i < c->members_read; i++)
        names[i] = arena_copy(arena, c->members[i]);
    found->conversations[found->count] = *c;
    found->conversations[found->count].title = arena_copy(arena, c->title);
    found->conversations[found->count++].members = names;
}

/* Lists the existing conversations among the ids, for a reader who may read everything. */
static void
find_all(struct place *place, int32_t *ids, size_t count, struct found *found)
{
    struct snapshot *snapshot = support_begin(place);
    const struct access a = {.snapshot = snapshot, .arena = &place->arena};
    struct access_list list;

    assert_int_equal(access_conversations(&a, ids, count, &list), ERR_OK);
    assert_int_equal(converse_show(snapshot, &list, take, found), ERR_OK);
    snapshot_end(snapshot);
}

static struct conversation
find(struct place *place, int32_t id)
{
    struct found found = {.place = place};

    find_all(place, &id, 1, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.conversations[0].id, id);
    return found.conversations[0];
}

/* Sends any text; *m is the message. */
static enum err
send_as(struct place *place, int64_t conversation, const char *sender, struct message *m)
{
    struct sending sending = {
        .arena = &place->arena,
        .message = {.conversation = conversation, .sender = str_c(sender), .content = str_c("x")},
    };
    enum err err = send_message(&place->store, &sending);

    *m = sending.message;
    return err;
}

static void
assert_unchanged(struct place *place, const char *before)
{
    assert_string_equal(support_describe(place), before);
}

/* Asserts that the outbox holds exactly these changes. */
static void
assert_changes(struct place *place, const struct change *wanted, size_t count)
{
    struct change *changes;

    assert_int_equal(support_changes(place, &changes), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(changes[i].id, wanted[i].id);
        assert_int_equal(changes[i].event, wanted[i].event);
        assert_int_equal(changes[i].conversation, wanted[i].conversation);
        assert_int_equal(changes[i].version, wanted[i].version);
        assert_int_equal(changes[i].seq, wanted[i].seq);
        assert_int_equal(changes[i].username.p == NULL, wanted[i].username.p == NULL);
        assert_true(str_eq(changes[i].username, wanted[i].username));
    }
}

static enum role
role_of(struct place *place, int32_t conversation, struct str username)
{
    struct snapshot *snapshot = support_begin(place);
    enum role role;

    assert_int_equal(memberships_role(snapshot->db, conversation, username, &role), ERR_OK);
    snapshot_end(snapshot);
    return role;
}

/* NULL: no user. */
static void
assert_owner(struct place *place, const struct conversation *c, const char *owner)
{
    for (size_t i = 0; i < c->members_read; i++)
        assert_int_equal(role_of(place, c->id, c->members[i]),
                         owner != NULL && str_is(c->members[i], owner) ? ROLE_OWNER : ROLE_MEMBER);
}

static void
a_group_is_created_with_its_members(void **state)
{
    struct place *place = *state;
    struct creation creation;
    struct conversation c;

    assert_int_equal(create(place, TYPE_GROUP, "zoe ann Bob ann _1", &creation), ERR_OK);
    assert_members(&creation.conversation, "Bob _1 ann zoe");
    assert_int_equal(creation.conversation.version, 1);
    assert_int_equal(creation.conversation.last_seq, 0);
    assert_int_equal(creation.conversation.created_at, creation.conversation.updated_at);
    c = find(place, creation.conversation.id);
    assert_members(&c, "Bob _1 ann zoe");
    assert_int_equal(c.type, TYPE_GROUP);
    assert_int_equal(c.version, 1);
    assert_int_equal(c.created_at, creation.conversation.created_at);
    for (size_t i = 0; i < c.members_read; i++)
        assert_true(support_has_account(place, c.members[i].p));
    assert_changes(
        place,
        &(struct change){.id = 1, .event = EVENT_CONVERSATION_CREATED, .conversation = c.id, .version = 1},
        1);
}

static void
the_creator_is_a_member_and_owns_the_group(void **state)
{
    static const struct {
        const char *list;
        const char *creator;
        const char *members;
    } cases[] = {
        {"ann bob", "ann", "ann bob"}, {"ann bob", "cid", "ann bob cid"}, {"", "ann", "ann"},
        {"bob bob", "ann", "ann bob"}, {"ann ann", "ann", "ann"},         {"zoe Ann", "ann", "Ann ann zoe"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct creation creation;

        creation = creation_of(place, TYPE_GROUP, cases[i].list, cases[i].creator);
        creation.invite_only = i % 2 != 0;
        assert_int_equal(converse_create(&place->store, &creation), ERR_OK);
        assert_members(&creation.conversation, cases[i].members);
        assert_int_equal(creation.conversation.invite_only, i % 2 != 0);
        assert_int_equal(find(place, creation.conversation.id).invite_only, i % 2 != 0);
        assert_int_equal(creation.conversation.version, 1);
        assert_owner(place, &creation.conversation, cases[i].creator);
    }
}

static void
the_creator_counts_among_the_two_of_a_private_chat(void **state)
{
    struct place *place = *state;
    struct creation creation;
    const char *before;

    assert_int_equal(create_by(place, TYPE_PRIVATE, "bob", "ann", &creation), ERR_OK);
    assert_members(&creation.conversation, "ann bob");
    assert_owner(place, &creation.conversation, NULL);
    before = support_describe(place);
    assert_int_equal(create_by(place, TYPE_PRIVATE, "ann bob", "bob", &creation), ERR_OK);
    assert_int_equal(create_by(place, TYPE_PRIVATE, "ann", "bob", &creation), ERR_OK);
    assert_int_equal(create_by(place, TYPE_PRIVATE, "ann bob", "cid", &creation), ERR_MEMBER_COUNT);
    assert_int_equal(create_by(place, TYPE_PRIVATE, "ann", "ann", &creation), ERR_MEMBER_COUNT);
    assert_int_equal(create_by(place, TYPE_PRIVATE, "", "ann", &creation), ERR_MEMBER_COUNT);
    assert_int_equal(create_by(place, TYPE_GROUP, "ann", "a-b", &creation), ERR_MEMBER_NAME);
    assert_true(str_is(creation.wrong_name, "a-b"));
    assert_unchanged(place, before);
}

static void
groups_may_be_empty_and_alike(void **state)
{
    struct place *place = *state;
    struct conversation c = find(place, support_create(place, TYPE_GROUP, ""));

    assert_members(&c, "");
    assert_int_not_equal(support_create(place, TYPE_GROUP, "ann bob"),
                         support_create(place, TYPE_GROUP, "ann bob"));
    c = find(place, support_create(place, TYPE_GROUP, "ann"));
    assert_members(&c, "ann");
    assert_true(support_has_account(place, "ann"));
    assert_true(support_has_account(place, "bob"));
    assert_false(support_has_account(place, ""));
}

static void
a_private_chat_has_two_different_members(void **state)
{
    static const char *const lists[] = {
        "", "ann", "ann ann", "ann bob cid", "ann bob ann", "ann bob bob ann"};
    struct place *place = *state;
    const char *before = support_describe(place);

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct creation creation;

        assert_int_equal(create(place, TYPE_PRIVATE, lists[i], &creation), ERR_MEMBER_COUNT);
    }
    assert_unchanged(place, before);
}

static void
an_invalid_name_is_refused_and_returned(void **state)
{
    struct place *place = *state;
    const char *before = support_describe(place);
    struct creation creation;

    assert_int_equal(create(place, TYPE_GROUP, "zoe b-d ann !", &creation), ERR_MEMBER_NAME);
    /* The first invalid name, in the order given. */
    assert_true(str_is(creation.wrong_name, "b-d"));
    /* Names are checked before their number. */
    assert_int_equal(create(place, TYPE_PRIVATE, "ann bob c.d", &creation), ERR_MEMBER_NAME);
    assert_true(str_is(creation.wrong_name, "c.d"));
    assert_int_equal(create(place, TYPE_PRIVATE, "a23456789012345678901 bob", &creation), ERR_MEMBER_NAME);
    assert_unchanged(place, before);
}

static void
a_pair_gets_the_chat_that_it_has(void **state)
{
    struct place *place = *state;
    int64_t first = support_create(place, TYPE_PRIVATE, "bob ann");
    const char *before = support_describe(place);
    struct creation creation;
    struct message m;

    assert_int_equal(support_create(place, TYPE_PRIVATE, "bob ann"), first);
    assert_int_equal(support_create(place, TYPE_PRIVATE, "ann bob"), first);
    assert_unchanged(place, before);
    assert_int_equal(send_as(place, first, "ann", &m), ERR_OK);
    assert_int_equal(create(place, TYPE_PRIVATE, "ann bob", &creation), ERR_OK);
    assert_members(&creation.conversation, "ann bob");
    assert_int_equal(creation.conversation.last_seq, 1);
    assert_int_equal(creation.conversation.version, 2);
    assert_int_equal(creation.conversation.updated_at, m.timestamp);
    assert_true(creation.conversation.created_at < m.timestamp);
    /* Names are case-sensitive, and a group is not a private chat. */
    assert_int_not_equal(support_create(place, TYPE_PRIVATE, "Ann bob"), first);
    assert_int_not_equal(support_create(place, TYPE_GROUP, "ann bob"), first);
}

#define RACERS 8
#define PAIRS  20

struct race {
    struct place *place;
    int64_t ids[RACERS][PAIRS];
};

/* All threads ask for the same pairs at the same time, half of them in the other order. */
static void
race_for_pairs(void *arg, int n)
{
    struct race *race = arg;

    for (int i = 0; i < PAIRS; i++) {
        char other[8];
        struct str names[2];
        struct arena arena;
        struct creation creation = {.arena = &arena, .type = TYPE_PRIVATE, .names = names, .name_count = 2};

        arena_init(&arena);
        snprintf(other, sizeof(other), "u%d", i);
        names[n % 2] = str_c("ann");
        names[1 - n % 2] = str_c(other);
        if (converse_create(&race->place->store, &creation) == ERR_OK)
            race->ids[n][i] = creation.conversation.id;
        arena_clear(&arena);
    }
}

static void
a_pair_has_one_chat_though_all_ask_at_once(void **state)
{
    struct race race = {.place = *state};
    struct change *changes;

    support_threads(RACERS, race_for_pairs, &race);
    for (int i = 0; i < PAIRS; i++)
        for (int n = 0; n < RACERS; n++) {
            assert_true(race.ids[n][i] > 0);
            assert_int_equal(race.ids[n][i], race.ids[0][i]);
        }
    assert_int_equal(support_count_conversations(*state), PAIRS);
    assert_int_equal(support_changes(*state, &changes), PAIRS);
}

static void
conversations_are_found_by_id_each_once(void **state)
{
    struct place *place = *state;
    struct found found = {.place = place};
    int32_t a = support_create(place, TYPE_GROUP, "ann");
    int32_t b = support_create(place, TYPE_PRIVATE, "ann bob");
    int32_t c = support_create(place, TYPE_GROUP, "");
    int32_t ids[] = {c, a, INT32_MAX, b, a, CONVERSATION_NONE, -1, c, c};

    find_all(place, ids, 9, &found);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.conversations[0].id, a);
    assert_members(&found.conversations[0], "ann");
    assert_int_equal(found.conversations[1].id, b);
    assert_int_equal(found.conversations[1].type, TYPE_PRIVATE);
    assert_members(&found.conversations[1], "ann bob");
    assert_int_equal(found.conversations[2].id, c);
    assert_members(&found.conversations[2], "");
    found.count = 0;
    find_all(place, ids, 0, &found);
    assert_int_equal(found.count, 0);
}

static void
joining_and_leaving_are_checked_in_order(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    int64_t private = support_create(place, TYPE_PRIVATE, "ann bob");
    const char *before = support_describe(place);
    static const char *const names[] = {"ann", "cid", "b-d", ""};

    for (int i = 0; i < 4; i++) {
        assert_int_equal(support_try_join(place, 99, names[i]), ERR_CONVERSATION_UNKNOWN);
        assert_int_equal(support_try_leave(place, 99, names[i]), ERR_CONVERSATION_UNKNOWN);
        assert_int_equal(support_try_join(place, private, names[i]), ERR_JOIN_PRIVATE);
        assert_int_equal(support_try_leave(place, private, names[i]), ERR_LEAVE_PRIVATE);
        if (i == 0)
            continue;
        assert_int_equal(support_try_join(place, group, names[i]), ERR_USERNAME_UNKNOWN);
        assert_int_equal(support_try_leave(place, group, names[i]), ERR_USERNAME_UNKNOWN);
    }
    assert_unchanged(place, before);
}

static void
joining_twice_and_leaving_twice_change_nothing(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    const char *before;

    support_create(place, TYPE_GROUP, "bob");
    before = support_describe(place);
    assert_int_equal(support_try_join(place, group, "ann"), ERR_OK);
    assert_int_equal(support_try_leave(place, group, "bob"), ERR_OK);
    assert_unchanged(place, before);
    assert_int_equal(support_try_join(place, group, "bob"), ERR_OK);
    assert_int_equal(support_try_leave(place, group, "ann"), ERR_OK);
    before = support_describe(place);
    assert_int_equal(support_try_join(place, group, "bob"), ERR_OK);
    assert_int_equal(support_try_leave(place, group, "ann"), ERR_OK);
    assert_unchanged(place, before);
}

static void
each_change_counts_once_and_is_noted_once(void **state)
{
    struct place *place = *state;
    int32_t group = (int32_t)support_create(place, TYPE_GROUP, "ann bob");
    const struct change wanted[] = {
        {.id = 1, .event = EVENT_CONVERSATION_CREATED, .conversation = group, .version = 1},
        {.id = 2, .event = EVENT_MEMBER_LEFT, .conversation = group, .version = 2, .username = str_c("bob")},
        {.id = 3, .event = EVENT_MESSAGE_CREATED, .conversation = group, .version = 3, .seq = 1},
        {4, EVENT_MEMBER_JOINED, group, .version = 4, .seq = 1, .username = str_c("bob")},
        {5, EVENT_MEMBER_LEFT, group, .version = 5, .seq = 1, .username = str_c("ann")},
    };
    struct conversation c;
    struct message m;

    assert_int_equal(support_try_leave(place, group, "bob"), ERR_OK);
    assert_int_equal(send_as(place, group, "ann", &m), ERR_OK);
    assert_int_equal(m.seq, 1);
    assert_int_equal(support_try_join(place, group, "bob"), ERR_OK);
    assert_int_equal(support_try_leave(place, group, "ann"), ERR_OK);
    c = find(place, group);
    assert_members(&c, "bob");
    assert_int_equal(c.version, 5);
    assert_int_equal(c.last_seq, 1);
    assert_int_equal(c.updated_at, support_tick(place));
    assert_changes(place, wanted, 5);
}

static void
sending_is_checked_in_order(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    const char *before;
    struct message m;

    support_create(place, TYPE_GROUP, "bob");
    before = support_describe(place);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"bob", "cid", ""};

        assert_int_equal(send_as(place, 99, names[i], &m), ERR_CONVERSATION);
        assert_int_equal(send_as(place, group, names[i], &m), i == 0 ? ERR_SENDER_NOT_MEMBER : ERR_USERNAME);
    }
    assert_unchanged(place, before);
    assert_int_equal(support_try_leave(place, group, "ann"), ERR_OK);
    assert_int_equal(send_as(place, group, "ann", &m), ERR_SENDER_NOT_MEMBER);
}

static enum err
name(struct place *place, int64_t id, const char *username, const char *title, struct conversation *c)
{
    struct settings_change settings = {
        .arena = &place->arena, .id = id, .actor.username = str_c(username), .title = str_c(title)};
    enum err err = converse_set_settings(&place->store, &settings);

    *c = settings.conversation;
    return err;
}

static void
a_member_gives_a_title(void **state)
{
    struct place *place = *state;
    int32_t group = (int32_t)support_create(place, TYPE_GROUP, "ann bob");
    int32_t private = (int32_t)support_create(place, TYPE_PRIVATE, "ann bob");
    const struct change wanted[] = {
        {.id = 1, .event = EVENT_CONVERSATION_CREATED, .conversation = group, .version = 1},
        {.id = 2, .event = EVENT_CONVERSATION_CREATED, .conversation = private, .version = 1},
        {.id = 3, .event = EVENT_CONVERSATION_UPDATED, .conversation = group, .version = 2},
    };
    struct conversation c;
    const char *before;

    assert_true(str_is(find(place, group).title, ""));
    assert_int_equal(name(place, group, "bob", "Us", &c), ERR_OK);
    assert_true(str_is(c.title, "Us"));
    assert_members(&c, "ann bob");
    assert_int_equal(c.version, 2);
    assert_int_equal(c.updated_at, support_tick(place));
    c = find(place, group);
    assert_true(str_is(c.title, "Us"));
    assert_int_equal(c.version, 2);
    assert_changes(place, wanted, 3);
    before = support_describe(place);
    assert_int_equal(name(place, group, "ann", "Us", &c), ERR_OK);
    assert_members(&c, "ann bob");
    assert_int_equal(name(place, private, "ann", "", &c), ERR_OK);
    assert_unchanged(place, before);
    assert_int_equal(name(place, private, "ann", "Two", &c), ERR_OK);
    assert_int_equal(name(place, group, "ann", "", &c), ERR_OK);
    assert_int_equal(c.version, 3);
    assert_true(str_is(find(place, group).title, ""));
}

static enum err
check_member(struct place *place, int64_t conversation, const char *username, bool *few)
{
    struct snapshot *snapshot = support_begin(place);
    enum err err = converse_check_member(snapshot, &place->arena, conversation, str_c(username), few);

    snapshot_end(snapshot);
    return err;
}

static void
only_members_give_titles_and_are_found(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    static const char *const others[] = {"bob", "cid", "nobody", ""};
    struct conversation c;
    const char *before;
    bool few;

    support_create(place, TYPE_GROUP, "cid");
    support_leave(place, group, "bob");
    before = support_describe(place);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(name(place, group, others[i], "x", &c), ERR_NOT_A_MEMBER);
        assert_int_equal(name(place, 99, others[i], "x", &c), ERR_CONVERSATION_UNKNOWN);
        assert_int_equal(check_member(place, group, others[i], &few), ERR_NOT_A_MEMBER);
        assert_int_equal(check_member(place, 99, others[i], &few), ERR_CONVERSATION_UNKNOWN);
    }
    assert_unchanged(place, before);
    assert_int_equal(check_member(place, group, "ann", &few), ERR_OK);
    assert_true(few);
}

/* In characters, however many bytes each takes. */
static void
a_title_has_up_to_200_characters(void **state)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x91\x8d"};

    (void)state;
    assert_true(converse_title_valid(str_c("")));
    for (size_t i = 0; i < 4; i++) {
        size_t n = strlen(characters[i]);
        char title[(TITLE_CHARS_MAX + 1) * 4];

        for (size_t k = 0; k <= TITLE_CHARS_MAX; k++)
            memcpy(title + k * n, characters[i], n);
        assert_true(converse_title_valid((struct str){title, TITLE_CHARS_MAX * n}));
        assert_false(converse_title_valid((struct str){title, (TITLE_CHARS_MAX + 1) * n}));
    }
}

static enum err
members(struct place *place, int64_t conversation, int64_t limit, struct conversation *c)
{
    struct snapshot *snapshot = support_begin(place);
    enum err err;

    *c = *support_find(place, snapshot, conversation);
    err = converse_members(snapshot, &place->arena, c, limit);
    snapshot_end(snapshot);
    return err;
}

static void
all_members_are_returned_unless_too_many(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "zoe Bob ann");
    int64_t crowd = support_create(place, TYPE_GROUP, support_crowd(place, MEMBERS_FEW));
    struct conversation c;
    bool few;

    assert_int_equal(members(place, group, 3, &c), ERR_OK);
    assert_members(&c, "Bob ann zoe");
    support_leave(place, group, "Bob");
    assert_int_equal(members(place, group, 2, &c), ERR_OK);
    assert_members(&c, "ann zoe");
    assert_int_equal(members(place, group, 1, &c), ERR_TOO_MANY_MEMBERS);
    assert_int_equal(check_member(place, crowd, "m000", &few), ERR_OK);
    assert_true(few);
    support_join(place, crowd, "ann");
    assert_int_equal(check_member(place, crowd, "m000", &few), ERR_OK);
    assert_false(few);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(a_group_is_created_with_its_members),
        TEST(the_creator_is_a_member_and_owns_the_group),
        TEST(the_creator_counts_among_the_two_of_a_private_chat),
        TEST(groups_may_be_empty_and_alike),
        TEST(a_private_chat_has_two_different_members),
        TEST(an_invalid_name_is_refused_and_returned),
        TEST(a_pair_gets_the_chat_that_it_has),
        TEST(a_pair_has_one_chat_though_all_ask_at_once),
        TEST(conversations_are_found_by_id_each_once),
        TEST(joining_and_leaving_are_checked_in_order),
        TEST(joining_twice_and_leaving_twice_change_nothing),
        TEST(each_change_counts_once_and_is_noted_once),
        TEST(sending_is_checked_in_order),
        TEST(a_member_gives_a_title),
        TEST(only_members_give_titles_and_are_found),
        cmocka_unit_test(a_title_has_up_to_200_characters),
        TEST(all_members_are_returned_unless_too_many),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
