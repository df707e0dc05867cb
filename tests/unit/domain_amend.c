/*
 * Checks: only the sender edits a message, and only as a member. The sender also deletes it, member
 * or not. A former member changes nothing else. A deletion leaves a tombstone without the content.
 * Members react, each once with each emoji, up to a maximum of different ones. Repeats and refused
 * commands change nothing. Each change counts one version and queues one event.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include "domain/amend.h"
#include "model/emoji.h"

static void
assert_unchanged(struct place *place, const char *before)
{
    assert_string_equal(support_describe(place), before);
}

/* A command of `username` on message `id`. */
struct request {
    int64_t id;
    const char *username;
    const char *text; /* the content, or the emoji */
};

static struct request
by(int64_t id, const char *username, const char *text)
{
    return (struct request){id, username, text};
}

static enum err
amend(struct place *place, enum err (*how)(struct store *store, struct amendment *a), struct request r,
      struct message *m)
{
    struct amendment a = {.arena = &place->arena,
                          .id = r.id,
                          .actor.username = str_c(r.username),
                          .content = str_c(r.text),
                          .emoji = str_c(r.text)};
    enum err err = how(&place->store, &a);

    if (m != NULL)
        *m = a.message;
    return err;
}

static struct message
find(struct place *place, int64_t id)
{
    struct message m;

    assert_int_equal(support_message(place, id, &m), ERR_OK);
    assert_int_equal(m.id, id);
    return m;
}

/* Returns "emoji name, emoji name" as the message shows them; their counts must match the names. */
static const char *
reactions_of(struct place *place, const struct message *m)
{
    char text[4096] = "";
    size_t n = 0;

    for (size_t i = 0; i < m->reaction_count; i++) {
        const struct reaction *r = &m->reactions[i];

        assert_int_equal(r->count, r->name_count);
        for (size_t k = 0; k < r->name_count; k++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s %.*s", n > 0 ? ", " : "",
                                  (int)r->emoji.n, r->emoji.p, (int)r->names[k].n, r->names[k].p);
    }
    return arena_copy(&place->arena, str_c(text)).p;
}

static void
assert_same(struct place *place, const struct message *a, const struct message *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->conversation, b->conversation);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->timestamp, b->timestamp);
    assert_true(str_eq(a->sender, b->sender));
    assert_true(str_eq(a->content, b->content));
    assert_int_equal(a->client_id.p == NULL, b->client_id.p == NULL);
    assert_true(str_eq(a->client_id, b->client_id));
    assert_int_equal(a->reply_to, b->reply_to);
    assert_int_equal(a->edited_at, b->edited_at);
    assert_int_equal(a->deleted_at, b->deleted_at);
    assert_int_equal(a->emoji_count, b->emoji_count);
    assert_string_equal(reactions_of(place, a), reactions_of(place, b));
}

/*
 * Asserts the event, version and message of the last change, and that its version is the
 * conversation's.
 */
static void
assert_noted(struct place *place, enum change_event event, int64_t version, int64_t seq)
{
    struct change *changes;
    size_t count = support_changes(place, &changes);
    const struct change *last = &changes[count - 1];
    struct conversation c = support_conversation(place, last->conversation);

    assert_int_equal(last->event, event);
    assert_int_equal(last->version, version);
    assert_int_equal(last->seq, seq);
    assert_int_equal(last->username.p == NULL, last->emoji.p == NULL);
    assert_int_equal(c.version, version);
    assert_int_equal(c.updated_at, last->tick);
}

static void
an_edit_gives_another_content(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct message sent = support_send(place, group, "ann", "one");
    struct message m;
    struct message now;

    support_send(place, group, "bob", "two");
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "+1"), NULL), ERR_OK);
    assert_int_equal(amend(place, amend_edit, by(sent.id, "ann", "three"), &m), ERR_OK);
    assert_noted(place, EVENT_MESSAGE_UPDATED, 5, 1);
    assert_true(str_is(m.content, "three"));
    assert_int_equal(m.edited_at, support_tick(place));
    assert_int_equal(m.timestamp, sent.timestamp);
    assert_int_equal(m.deleted_at, 0);
    assert_string_equal(reactions_of(place, &m), "+1 bob");
    now = find(place, sent.id);
    assert_same(place, &m, &now);
    assert_int_equal(amend(place, amend_edit, by(sent.id, "ann", ""), &m), ERR_OK);
    assert_noted(place, EVENT_MESSAGE_UPDATED, 6, 1);
    assert_int_equal(find(place, sent.id).content.n, 0);
    assert_true(find(place, sent.id).edited_at > now.edited_at);
    assert_int_equal(support_conversation(place, group).last_seq, 2);
}

static void
the_same_content_again_changes_nothing(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    struct message sent = support_send(place, group, "ann", "one");
    const char *before = support_describe(place);
    struct message m;

    assert_int_equal(amend(place, amend_edit, by(sent.id, "ann", "one"), &m), ERR_OK);
    assert_same(place, &m, &sent);
    assert_unchanged(place, before);
    assert_int_equal(amend(place, amend_edit, by(sent.id, "ann", "two"), NULL), ERR_OK);
    before = support_describe(place);
    assert_int_equal(amend(place, amend_edit, by(sent.id, "ann", "two"), &m), ERR_OK);
    assert_true(m.edited_at != 0);
    assert_unchanged(place, before);
}

static void
a_deletion_leaves_a_stub(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct message sent = support_send(place, group, "ann", "one");
    struct message want = sent;
    const char *before;
    struct message m;

    assert_int_equal(amend(place, amend_edit, by(sent.id, "ann", "two"), NULL), ERR_OK);
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "+1"), NULL), ERR_OK);
    assert_int_equal(amend(place, amend_delete, by(sent.id, "ann", NULL), &m), ERR_OK);
    assert_noted(place, EVENT_MESSAGE_DELETED, 5, 1);
    want.content = str_c("");
    want.deleted_at = support_tick(place);
    assert_same(place, &m, &want);
    m = find(place, sent.id);
    assert_same(place, &m, &want);
    assert_int_equal(m.reaction_count, 0);
    before = support_describe(place);
    assert_int_equal(amend(place, amend_delete, by(sent.id, "ann", NULL), &m), ERR_OK);
    assert_same(place, &m, &want);
    assert_int_equal(amend(place, amend_edit, by(sent.id, "ann", "three"), NULL), ERR_MESSAGE_DELETED);
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "+1"), NULL), ERR_MESSAGE_DELETED);
    assert_int_equal(amend(place, amend_unreact, by(sent.id, "bob", "+1"), &m), ERR_OK);
    assert_same(place, &m, &want);
    assert_unchanged(place, before);
    support_send(place, group, "ann", "next");
    assert_int_equal(find(place, sent.id + 1).seq, 2);
}

static void
only_the_sender_edits_and_deletes(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct message sent = support_send(place, group, "ann", "one");
    static const char *const others[] = {"bob", "cid", "Ann", "an", "ann1", ""};
    const char *before = support_describe(place);

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(amend(place, amend_edit, by(sent.id, others[i], "x"), NULL), ERR_NOT_THE_SENDER);
        assert_int_equal(amend(place, amend_delete, by(sent.id, others[i], NULL), NULL), ERR_NOT_THE_SENDER);
        assert_int_equal(amend(place, amend_edit, by(99, others[i], "x"), NULL), ERR_MESSAGE_UNKNOWN);
        assert_int_equal(amend(place, amend_delete, by(99, others[i], NULL), NULL), ERR_MESSAGE_UNKNOWN);
    }
    assert_unchanged(place, before);
    assert_int_equal(amend(place, amend_edit, by(sent.id, "ann", "x"), NULL), ERR_OK);
    assert_int_equal(amend(place, amend_delete, by(sent.id, "ann", NULL), NULL), ERR_OK);
    /* Of a deleted message, too, others get ERR_NOT_THE_SENDER first. */
    assert_int_equal(amend(place, amend_edit, by(sent.id, "bob", "x"), NULL), ERR_NOT_THE_SENDER);
    assert_int_equal(amend(place, amend_delete, by(sent.id, "bob", NULL), NULL), ERR_NOT_THE_SENDER);
}

static void
former_members_can_only_delete_their_own_messages(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob cid");
    struct message one = support_send(place, group, "ann", "one");
    struct message two = support_send(place, group, "ann", "two");
    struct message bobs = support_send(place, group, "bob", "three");
    const char *before;

    assert_int_equal(amend(place, amend_react, by(bobs.id, "ann", "x"), NULL), ERR_OK);
    assert_int_equal(amend(place, amend_delete, by(two.id, "ann", NULL), NULL), ERR_OK);
    support_leave(place, group, "ann");
    before = support_describe(place);
    assert_int_equal(amend(place, amend_edit, by(one.id, "ann", "new"), NULL), ERR_NOT_A_MEMBER);
    /* Neither the same content nor a deleted message makes a difference. */
    assert_int_equal(amend(place, amend_edit, by(one.id, "ann", "one"), NULL), ERR_NOT_A_MEMBER);
    assert_int_equal(amend(place, amend_edit, by(two.id, "ann", "new"), NULL), ERR_NOT_A_MEMBER);
    assert_int_equal(amend(place, amend_edit, by(bobs.id, "ann", "new"), NULL), ERR_NOT_THE_SENDER);
    assert_int_equal(amend(place, amend_edit, by(99, "ann", "new"), NULL), ERR_MESSAGE_UNKNOWN);
    assert_int_equal(amend(place, amend_react, by(one.id, "ann", "x"), NULL), ERR_NOT_A_MEMBER);
    assert_int_equal(amend(place, amend_unreact, by(bobs.id, "ann", "x"), NULL), ERR_NOT_A_MEMBER);
    assert_int_equal(amend(place, amend_delete, by(bobs.id, "ann", NULL), NULL), ERR_NOT_THE_SENDER);
    assert_unchanged(place, before);
    assert_int_equal(amend(place, amend_delete, by(one.id, "ann", NULL), NULL), ERR_OK);
    assert_true(find(place, one.id).deleted_at != 0);
    /* A user who joins again can edit again. */
    support_join(place, group, "ann");
    assert_int_equal(
        amend(place, amend_edit, by(support_send(place, group, "ann", "four").id, "ann", "five"), NULL),
        ERR_OK);
}

static void
an_administrator_edits_their_own_message_after_leaving(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct amendment a = {.arena = &place->arena,
                          .id = support_send(place, group, "ann", "one").id,
                          .actor = {str_c("ann"), true, true},
                          .content = str_c("two")};

    support_leave(place, group, "ann");
    assert_int_equal(amend_edit(&place->store, &a), ERR_OK);
    /* An administrator who acts for a user has only that user's rights. */
    a.actor.any = false;
    a.content = str_c("three");
    assert_int_equal(amend_edit(&place->store, &a), ERR_NOT_A_MEMBER);
    assert_true(str_is(find(place, a.id).content, "two"));
}

static void
an_administrator_of_the_site_deletes_and_does_not_edit(void **state)
{
    struct place *place = *state;
    struct message sent = support_send(place, support_create(place, TYPE_PRIVATE, "ann bob"), "ann", "one");
    struct amendment a = {.arena = &place->arena,
                          .id = sent.id,
                          .actor = {str_c("cid"), true, true},
                          .content = str_c("two"),
                          .emoji = str_c("+1")};
    const char *before = support_describe(place);

    assert_int_equal(amend_edit(&place->store, &a), ERR_NOT_THE_SENDER);
    assert_int_equal(amend_react(&place->store, &a), ERR_NOT_A_MEMBER);
    assert_int_equal(amend_unreact(&place->store, &a), ERR_NOT_A_MEMBER);
    assert_unchanged(place, before);
    assert_int_equal(amend_delete(&place->store, &a), ERR_OK);
    assert_noted(place, EVENT_MESSAGE_DELETED, 3, 1);
    assert_true(find(place, sent.id).deleted_at != 0);
    assert_true(str_is(find(place, sent.id).sender, "ann"));
}

static void
reactions_are_ordered_by_emoji_and_name(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob Zoe");
    struct message sent = support_send(place, group, "ann", "one");
    struct message m;

    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "b"), &m), ERR_OK);
    assert_noted(place, EVENT_MESSAGE_UPDATED, 3, 1);
    assert_string_equal(reactions_of(place, &m), "b bob");
    assert_int_equal(amend(place, amend_react, by(sent.id, "ann", "b"), &m), ERR_OK);
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "\xf0\x9f\x91\x8d"), &m), ERR_OK);
    assert_int_equal(amend(place, amend_react, by(sent.id, "Zoe", "b"), &m), ERR_OK);
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "B"), &m), ERR_OK);
    assert_string_equal(reactions_of(place, &m), "B bob, b Zoe, b ann, b bob, \xf0\x9f\x91\x8d bob");
    assert_int_equal(m.emoji_count, 3);
    assert_int_equal(m.edited_at, 0);
    assert_int_equal(amend(place, amend_unreact, by(sent.id, "ann", "b"), &m), ERR_OK);
    assert_int_equal(amend(place, amend_unreact, by(sent.id, "bob", "B"), &m), ERR_OK);
    assert_noted(place, EVENT_MESSAGE_UPDATED, 9, 1);
    assert_string_equal(reactions_of(place, &m), "b Zoe, b bob, \xf0\x9f\x91\x8d bob");
    assert_int_equal(m.emoji_count, 2);
    m = find(place, sent.id);
    assert_string_equal(reactions_of(place, &m), "b Zoe, b bob, \xf0\x9f\x91\x8d bob");
    /* Another message has its own reactions. */
    assert_int_equal(support_send(place, group, "ann", "two").reaction_count, 0);
}

static void
a_reaction_that_is_there_already_or_not_there_changes_nothing(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct message sent = support_send(place, group, "ann", "one");
    const char *before;
    struct message m;

    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "x"), NULL), ERR_OK);
    before = support_describe(place);
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "x"), &m), ERR_OK);
    assert_string_equal(reactions_of(place, &m), "x bob");
    assert_int_equal(amend(place, amend_unreact, by(sent.id, "bob", "y"), &m), ERR_OK);
    assert_int_equal(amend(place, amend_unreact, by(sent.id, "ann", "x"), &m), ERR_OK);
    assert_string_equal(reactions_of(place, &m), "x bob");
    assert_unchanged(place, before);
}

static void
only_members_react(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct message sent = support_send(place, group, "ann", "one");
    static const char *const others[] = {"bob", "cid", "nobody", ""};
    const char *before;

    support_create(place, TYPE_GROUP, "cid");
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "x"), NULL), ERR_OK);
    support_leave(place, group, "bob");
    before = support_describe(place);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(amend(place, amend_react, by(sent.id, others[i], "x"), NULL), ERR_NOT_A_MEMBER);
        assert_int_equal(amend(place, amend_unreact, by(sent.id, others[i], "x"), NULL), ERR_NOT_A_MEMBER);
        assert_int_equal(amend(place, amend_react, by(99, others[i], "x"), NULL), ERR_MESSAGE_UNKNOWN);
        assert_int_equal(amend(place, amend_unreact, by(99, others[i], "x"), NULL), ERR_MESSAGE_UNKNOWN);
    }
    assert_unchanged(place, before);
    /* The other user's reaction remains. */
    assert_int_equal(find(place, sent.id).reaction_count, 1);
    assert_int_equal(amend(place, amend_delete, by(sent.id, "ann", NULL), NULL), ERR_OK);
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "x"), NULL), ERR_NOT_A_MEMBER);
}

static void
a_message_has_a_maximum_of_emoji(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct message sent = support_send(place, group, "ann", "one");
    char emoji[8];
    const char *before;
    struct message m;

    for (int i = 0; i < EMOJI_PER_MESSAGE; i++) {
        snprintf(emoji, sizeof(emoji), "e%02d", i);
        assert_int_equal(amend(place, amend_react, by(sent.id, "ann", emoji), NULL), ERR_OK);
    }
    before = support_describe(place);
    assert_int_equal(amend(place, amend_react, by(sent.id, "ann", "more"), NULL), ERR_TOO_MANY_REACTIONS);
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "more"), NULL), ERR_TOO_MANY_REACTIONS);
    /* An emoji that the message has already does not count as one more. */
    assert_int_equal(amend(place, amend_react, by(sent.id, "ann", "e00"), NULL), ERR_OK);
    assert_unchanged(place, before);
    assert_int_equal(amend(place, amend_react, by(sent.id, "bob", "e00"), &m), ERR_OK);
    assert_int_equal(m.emoji_count, EMOJI_PER_MESSAGE);
    assert_int_equal(m.reaction_count, EMOJI_PER_MESSAGE);
    assert_int_equal(m.reactions[0].count, 2);
    assert_int_equal(amend(place, amend_unreact, by(sent.id, "ann", "e00"), NULL), ERR_OK);
    assert_int_equal(amend(place, amend_react, by(sent.id, "ann", "more"), NULL), ERR_TOO_MANY_REACTIONS);
    assert_int_equal(amend(place, amend_unreact, by(sent.id, "bob", "e00"), NULL), ERR_OK);
    assert_int_equal(amend(place, amend_react, by(sent.id, "ann", "more"), &m), ERR_OK);
    assert_int_equal(m.emoji_count, EMOJI_PER_MESSAGE);
}

static bool
valid(const char *bytes, size_t n)
{
    return support_accepts(emoji_valid, bytes, n);
}

static void
an_emoji_is_a_short_text_without_blanks(void **state)
{
    static const char *const good[] = {
        "a", "+1", "\xf0\x9f\x91\x8d", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", "\xc3\xa9", "/", "%"};
    static const char *const bad[] = {"",     " ",    "a b",  "a\n",          "\t",       "\x7f",
                                      "\x01", "\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf0\x9f\x91"};
    char text[EMOJI_BYTES_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(valid(bad[i], strlen(bad[i])));
    assert_false(valid("a\0b", 3));
    assert_false(emoji_valid((struct str){0}));
    memset(text, 'x', sizeof(text));
    assert_true(valid(text, EMOJI_BYTES_MAX));
    assert_false(valid(text, EMOJI_BYTES_MAX + 1));
}

static void
unknown_ids_find_no_message(void **state)
{
    static const int64_t ids[] = {0, -1, 2, INT64_MAX, INT64_MIN};
    struct place *place = *state;
    struct message m;

    support_send(place, support_create(place, TYPE_GROUP, "ann"), "ann", "x");
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        assert_int_equal(support_message(place, ids[i], &m), ERR_MESSAGE_UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(an_edit_gives_another_content),
        TEST(the_same_content_again_changes_nothing),
        TEST(a_deletion_leaves_a_stub),
        TEST(only_the_sender_edits_and_deletes),
        TEST(former_members_can_only_delete_their_own_messages),
        TEST(an_administrator_edits_their_own_message_after_leaving),
        TEST(an_administrator_of_the_site_deletes_and_does_not_edit),
        TEST(reactions_are_ordered_by_emoji_and_name),
        TEST(a_reaction_that_is_there_already_or_not_there_changes_nothing),
        TEST(only_members_react),
        TEST(a_message_has_a_maximum_of_emoji),
        cmocka_unit_test(an_emoji_is_a_short_text_without_blanks),
        TEST(unknown_ids_find_no_message),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
