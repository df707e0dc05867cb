/*
 * Checks: each object is written with exactly the members that apply to it, in one order. Every
 * text from a user is escaped. Events of a frame are separated by commas.
 */
#include "support.h"

#include <stdio.h>
#include "wire/render.h"

/* A text that a user may send, and its escaped form. */
#define NASTY  "\"\\\n\xc3\xa9"
#define QUOTED "\"\\\"\\\\\\n\xc3\xa9\""

static struct buf out;

static int
open_buf(void **state)
{
    (void)state;
    buf_init(&out);
    return 0;
}

static int
close_buf(void **state)
{
    (void)state;
    buf_clear(&out);
    return 0;
}

/* Returns what was written since the last call. */
static void
assert_written(const char *want)
{
    buf_add(&out, "", 1);
    assert_true(buf_ok(&out));
    assert_string_equal(out.p, want);
    buf_reset(&out);
}

static struct message
plain(void)
{
    return (struct message){.id = 12,
                            .conversation = 3,
                            .seq = 4,
                            .timestamp = 1700000000123,
                            .sender = str_c("ann"),
                            .content = str_c("hi")};
}

#define PLAIN                                                                                                \
    "{\"id\":12,\"conversation\":3,\"seq\":4,\"sender\":\"ann\",\"content\":\"hi\",\"timestamp\":"           \
    "1700000000123"

static void
a_message_has_only_the_members_that_apply(void **state)
{
    struct message m = plain();

    (void)state;
    render_message(&out, &m);
    assert_written(PLAIN "}");
    m.client_id = str_c("k 1");
    render_message(&out, &m);
    assert_written(PLAIN ",\"client_id\":\"k 1\"}");
    m.reply_to = INT64_MAX;
    render_message(&out, &m);
    assert_written(PLAIN ",\"client_id\":\"k 1\",\"reply_to\":9223372036854775807}");
    m.client_id = (struct str){0};
    m.edited_at = 1700000000456;
    render_message(&out, &m);
    assert_written(PLAIN ",\"reply_to\":9223372036854775807,\"edited_at\":1700000000456}");
    m = plain();
    m.content = str_c("");
    m.deleted_at = 1700000000789;
    render_message(&out, &m);
    assert_written("{\"id\":12,\"conversation\":3,\"seq\":4,\"sender\":\"ann\",\"content\":\"\","
                   "\"timestamp\":1700000000123,\"deleted_at\":1700000000789}");
}

static void
reactions_are_counts_and_names_by_emoji(void **state)
{
    static const struct str names[] = {{"Zoe", 3}, {"ann", 3}};
    static const struct reaction reactions[] = {
        {{"+1", 2}, 2, true, names, 2},
        {{"\xf0\x9f\x91\x8d", 4}, 1000, false, names, 1},
    };
    struct message m = plain();

    (void)state;
    m.reactions = reactions;
    m.reaction_count = 1;
    render_message(&out, &m);
    assert_written(PLAIN ",\"reactions\":{\"+1\":{\"count\":2,\"names\":[\"Zoe\",\"ann\"]}}}");
    m.reaction_count = 2;
    m.has_viewer = true;
    render_message(&out, &m);
    assert_written(PLAIN ",\"reactions\":{\"+1\":{\"count\":2,\"mine\":true,\"names\":[\"Zoe\",\"ann\"]},"
                         "\"\xf0\x9f\x91\x8d\":{\"count\":1000,\"mine\":false,\"names\":[\"Zoe\"]}}}");
}

static void
texts_of_users_are_escaped(void **state)
{
    const struct str names[] = {str_c(NASTY)};
    const struct reaction reactions[] = {{str_c(NASTY), 1, false, names, 1}};
    const struct str members[] = {str_c(NASTY)};
    const struct read_marker markers[] = {{str_c(NASTY), 5}};
    struct message m = {.sender = str_c(NASTY),
                        .content = str_c(NASTY),
                        .client_id = str_c(NASTY),
                        .reactions = reactions,
                        .reaction_count = 1};
    struct conversation c = {.title = str_c(NASTY), .members = members, .members_read = 1, .member_count = 1};

    (void)state;
    render_message(&out, &m);
    assert_written("{\"id\":0,\"conversation\":0,\"seq\":0,\"sender\":" QUOTED ",\"content\":" QUOTED
                   ",\"timestamp\":0,\"client_id\":" QUOTED ",\"reactions\":{" QUOTED
                   ":{\"count\":1,\"names\":[" QUOTED "]}}}");
    render_conversation(&out, &c);
    assert_written("{\"id\":0,\"type\":\"private_chat\",\"title\":" QUOTED ",\"members\":[" QUOTED
                   "],\"member_count\":1,\"created_at\":0,\"updated_at\":0,\"last_seq\":0,\"version\":0}");
    render_standing(&out, &(struct standing){.username = str_c(NASTY), .role = ROLE_MEMBER});
    assert_written("{\"username\":" QUOTED ",\"role\":\"member\"}");
    render_markers(&out, markers, 1);
    assert_written("{" QUOTED ":5}");
    render_event(&out, &(struct change){.event = EVENT_MEMBER_JOINED, .username = str_c(NASTY)}, NULL, NULL);
    assert_written("{\"event\":\"member.joined\",\"conversation\":0,\"version\":0,\"username\":" QUOTED "}");
    render_problem(&out, &(struct refusal){.status = 400,
                                           .code = str_c("a_code"),
                                           .sentence = str_c(NASTY),
                                           .request_id = str_c(NASTY)});
    assert_written("{\"error\":" QUOTED ",\"code\":\"a_code\",\"status\":400,\"request_id\":" QUOTED "}");
}

static const struct str two[] = {{"ann", 3}, {"bob", 3}};

static struct conversation
group(void)
{
    return (struct conversation){.id = 3,
                                 .type = TYPE_GROUP,
                                 .title = str_c("Us"),
                                 .created_at = 11,
                                 .updated_at = 22,
                                 .last_seq = 4,
                                 .version = 9,
                                 .members = two,
                                 .members_read = 2,
                                 .member_count = 2};
}

#define GROUP                                                                                                \
    "{\"id\":3,\"type\":\"group_chat\",\"title\":\"Us\",\"join\":\"open\",\"members\":[\"ann\",\"bob\"],"    \
    "\"member_count\":2,"                                                                                    \
    "\"created_at\":11,\"updated_at\":22,\"last_seq\":4,\"version\":9"

static void
a_conversation_shows_its_members_where_they_were_read(void **state)
{
    struct conversation c = group();

    (void)state;
    render_conversation(&out, &c);
    assert_written(GROUP "}");
    c.members = NULL;
    c.members_read = 0;
    c.member_count = 101;
    render_conversation(&out, &c);
    assert_written("{\"id\":3,\"type\":\"group_chat\",\"title\":\"Us\",\"join\":\"open\",\"member_count\":"
                   "101,\"created_at\":11,"
                   "\"updated_at\":22,\"last_seq\":4,\"version\":9}");
    /* There are no members: that was read, too. */
    c.member_count = 0;
    c.title = str_c("");
    render_conversation(&out, &c);
    assert_written("{\"id\":3,\"type\":\"group_chat\",\"title\":\"\",\"join\":\"open\",\"members\":[],"
                   "\"member_count\":0,"
                   "\"created_at\":11,\"updated_at\":22,\"last_seq\":4,\"version\":9}");
}

static void
an_entry_of_a_list_is_more_or_less_than_a_conversation(void **state)
{
    struct message m = plain();
    struct listing l = {
        .conversation = group(), .role = ROLE_MEMBER, .read_seq = 2, .unread = 1, .newest = &m};

    (void)state;
    render_listing(&out, &l);
    assert_written(GROUP ",\"role\":\"member\",\"read_seq\":2,\"unread\":1,\"last_message\":" PLAIN "}}");
    l.newest = NULL;
    render_listing(&out, &l);
    assert_written(GROUP ",\"role\":\"member\",\"read_seq\":2,\"unread\":1,\"last_message\":null}");
    l.left = true;
    render_listing(&out, &l);
    assert_written("{\"id\":3,\"type\":\"group_chat\",\"left\":true,\"updated_at\":22,\"last_seq\":4,"
                   "\"version\":9}");
}

static void
standings_and_markers_are_short(void **state)
{
    static const struct read_marker markers[] = {{{"ann", 3}, 1}, {{"bob", 3}, INT64_MAX}};
    struct standing s = {.username = str_c("ann"), .role = ROLE_MEMBER};

    (void)state;
    render_standing(&out, &s);
    assert_written("{\"username\":\"ann\",\"role\":\"member\"}");
    s.left = true;
    render_standing(&out, &s);
    assert_written("{\"username\":\"ann\",\"role\":\"member\",\"left\":true}");
    render_markers(&out, markers, 0);
    assert_written("{}");
    render_markers(&out, markers, 2);
    assert_written("{\"ann\":1,\"bob\":9223372036854775807}");
}

static void
events_are_separated_in_a_frame(void **state)
{
    struct change change = {.event = EVENT_MESSAGE_CREATED, .conversation = 3, .version = 9, .seq = 4};
    struct conversation c = group();
    struct message m = plain();

    (void)state;
    render_frame_begin(&out, "e\"1");
    render_event(&out, &change, &m, NULL);
    change.event = EVENT_CONVERSATION_UPDATED;
    render_event(&out, &change, NULL, &c);
    change.event = EVENT_MEMBER_LEFT;
    change.username = str_c("bob");
    render_event(&out, &change, NULL, NULL);
    render_frame_end(&out);
    assert_written("{\"type\":\"notify\",\"epoch\":\"e\\\"1\",\"events\":["
                   "{\"event\":\"message.created\",\"conversation\":3,\"version\":9,\"message\":" PLAIN "}},"
                   "{\"event\":\"conversation.updated\",\"conversation\":3,\"version\":9,\"object\":" GROUP
                   "}},"
                   "{\"event\":\"member.left\",\"conversation\":3,\"version\":9,\"username\":\"bob\"}]}");
}

static void
events_without_a_version_omit_it(void **state)
{
    struct change change = {
        .event = EVENT_READ, .conversation = 3, .version = 9, .seq = 4, .username = str_c("bob")};

    (void)state;
    render_event(&out, &change, NULL, NULL);
    assert_written("{\"event\":\"read\",\"conversation\":3,\"username\":\"bob\",\"seq\":4}");
    change.event = EVENT_TYPING;
    render_event(&out, &change, NULL, NULL);
    assert_written("{\"event\":\"typing\",\"conversation\":3,\"username\":\"bob\"}");
}

/* Without its object, an event still tells a client that there is something to fetch. */
static void
a_thin_event_has_its_version(void **state)
{
    static const enum change_event events[] = {EVENT_MESSAGE_CREATED, EVENT_MESSAGE_UPDATED,
                                               EVENT_MESSAGE_DELETED, EVENT_CONVERSATION_CREATED,
                                               EVENT_CONVERSATION_UPDATED};

    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct change change = {.event = events[i], .conversation = 3, .version = 9, .seq = 4};
        char want[128];

        render_event(&out, &change, NULL, NULL);
        snprintf(want, sizeof(want), "{\"event\":\"%s\",\"conversation\":3,\"version\":9}",
                 change_event_names[events[i]]);
        assert_written(want);
    }
}

static void
a_problem_names_the_input_at_fault(void **state)
{
    (void)state;
    render_problem(&out, &(struct refusal){.status = 400,
                                           .code = str_c("invalid_limit"),
                                           .sentence = str_c("Invalid limit"),
                                           .field = "limit",
                                           .request_id = str_c("r1")});
    assert_written("{\"error\":\"Invalid limit\",\"code\":\"invalid_limit\",\"status\":400,"
                   "\"request_id\":\"r1\",\"field\":\"limit\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_buf, close_buf)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_has_only_the_members_that_apply),
        TEST(reactions_are_counts_and_names_by_emoji),
        TEST(texts_of_users_are_escaped),
        TEST(a_conversation_shows_its_members_where_they_were_read),
        TEST(an_entry_of_a_list_is_more_or_less_than_a_conversation),
        TEST(standings_and_markers_are_short),
        TEST(events_are_separated_in_a_frame),
        TEST(events_without_a_version_omit_it),
        TEST(a_thin_event_has_its_version),
        TEST(a_problem_names_the_input_at_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
