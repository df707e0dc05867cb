/*
 * Checks: a key sends a message once, forever, whatever happens to the message, its sender and the
 * conversation. The same key with another content or conversation is refused. A refused send uses
 * up no key. Concurrent sends of the same message get the same message. A reply names a message of
 * the same conversation.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include "domain/amend.h"
#include "domain/send.h"

static struct message
keyed(int64_t conversation, const char *sender, const char *client_id, const char *content)
{
    return (struct message){
        .conversation = conversation,
        .sender = str_c(sender),
        .client_id = str_c(client_id),
        .content = str_c(content),
    };
}

static enum err
send_keyed(struct place *place, struct message message, struct sending *s)
{
    *s = (struct sending){.arena = &place->arena, .message = message};
    return send_message(&place->store, s);
}

/* Asserts that a repeat returns the first message, and that nothing has changed. */
static struct message
replayed(struct place *place, int64_t conversation, const char *sender, const char *client_id,
         const char *content)
{
    int64_t tick = support_tick(place);
    struct sending s;

    assert_int_equal(send_keyed(place, keyed(conversation, sender, client_id, content), &s), ERR_OK);
    assert_true(s.replayed);
    assert_int_equal(support_tick(place), tick);
    return s.message;
}

static void
assert_mismatch(struct place *place, int64_t conversation, const char *sender, const char *client_id,
                const char *content)
{
    int64_t tick = support_tick(place);
    struct sending s;

    assert_int_equal(send_keyed(place, keyed(conversation, sender, client_id, content), &s),
                     ERR_IDEMPOTENCY_MISMATCH);
    assert_false(s.replayed);
    assert_int_equal(support_tick(place), tick);
}

static void
another_reply_to_is_a_mismatch(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    struct message first = keyed(group, "ann", "first", "x");
    struct message reply = keyed(group, "ann", "reply", "x");
    struct sending s;

    assert_int_equal(send_keyed(place, first, &s), ERR_OK);
    reply.reply_to = s.message.id;
    assert_int_equal(send_keyed(place, reply, &s), ERR_OK);
    assert_int_equal(send_keyed(place, reply, &s), ERR_OK);
    assert_true(s.replayed);
    assert_mismatch(place, group, "ann", "reply", "x");
    first.reply_to = reply.reply_to;
    assert_int_equal(send_keyed(place, first, &s), ERR_IDEMPOTENCY_MISMATCH);
}

static void
a_key_sends_once(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    int64_t other = support_create(place, TYPE_GROUP, "ann bob");
    struct sending first;
    struct sending s;
    struct message m;

    assert_int_equal(send_keyed(place, keyed(group, "ann", "k", "one"), &first), ERR_OK);
    assert_false(first.replayed);
    m = replayed(place, group, "ann", "k", "one");
    assert_int_equal(m.id, first.message.id);
    assert_int_equal(m.seq, 1);
    assert_int_equal(m.timestamp, first.message.timestamp);
    assert_true(str_is(m.content, "one"));
    assert_true(str_is(m.client_id, "k"));
    assert_mismatch(place, group, "ann", "k", "two");
    assert_mismatch(place, group, "ann", "k", "");
    assert_mismatch(place, other, "ann", "k", "one");
    assert_mismatch(place, 99, "ann", "k", "one");
    /* With other keys, other senders, or without a key, other messages are sent. */
    assert_int_equal(send_keyed(place, keyed(group, "ann", "K", "one"), &s), ERR_OK);
    assert_false(s.replayed);
    assert_int_equal(send_keyed(place, keyed(group, "bob", "k", "two"), &s), ERR_OK);
    assert_false(s.replayed);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send_keyed(place, keyed(group, "ann", NULL, "one"), &s), ERR_OK);
        assert_false(s.replayed);
        assert_null(s.message.client_id.p);
    }
    assert_int_equal(support_instance(place).last_message_id, 5);
}

static void
amend(struct place *place, int64_t id, const char *content)
{
    struct amendment a = {
        .arena = &place->arena, .id = id, .actor.username = str_c("ann"), .content = str_c(content)};

    assert_int_equal(content == NULL ? amend_delete(&place->store, &a) : amend_edit(&place->store, &a),
                     ERR_OK);
}

/* The repeat is compared with the content first sent; the answer is the message as it is now. */
static void
a_repeat_is_recognised_by_the_first_content(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct sending s;
    struct message m;

    assert_int_equal(send_keyed(place, keyed(group, "ann", "k", "one"), &s), ERR_OK);
    amend(place, s.message.id, "two");
    m = replayed(place, group, "ann", "k", "one");
    assert_int_equal(m.id, s.message.id);
    assert_true(str_is(m.content, "two"));
    assert_true(m.edited_at != 0);
    assert_mismatch(place, group, "ann", "k", "two");
    amend(place, s.message.id, "three");
    replayed(place, group, "ann", "k", "one");
    assert_mismatch(place, group, "ann", "k", "two");
    assert_mismatch(place, group, "ann", "k", "three");
    amend(place, s.message.id, "one");
    replayed(place, group, "ann", "k", "one");
    amend(place, s.message.id, "four");
    amend(place, s.message.id, NULL);
    m = replayed(place, group, "ann", "k", "one");
    assert_int_equal(m.content.n, 0);
    assert_true(m.deleted_at != 0);
    assert_int_equal(m.edited_at, 0);
    assert_true(str_is(m.client_id, "k"));
    assert_mismatch(place, group, "ann", "k", "");
    assert_mismatch(place, group, "ann", "k", "four");
    assert_mismatch(place, group, "ann", "k", "one ");
}

/* Also an empty message, and one that was deleted without an edit. */
static void
a_deleted_message_is_still_repeated(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    static const char *const contents[] = {"", "x", "0", "a long one, to be told from others by 16 bits"};

    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        char key[4] = {'k', (char)('0' + i)};
        struct sending s;

        assert_int_equal(send_keyed(place, keyed(group, "ann", key, contents[i]), &s), ERR_OK);
        amend(place, s.message.id, NULL);
        assert_int_equal(replayed(place, group, "ann", key, contents[i]).id, s.message.id);
        assert_mismatch(place, group, "ann", key, "other");
    }
}

static void
a_repeat_works_after_the_sender_has_left(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    struct sending s;

    assert_int_equal(send_keyed(place, keyed(group, "ann", "k", "one"), &s), ERR_OK);
    support_leave(place, group, "ann");
    assert_int_equal(replayed(place, group, "ann", "k", "one").id, s.message.id);
    assert_mismatch(place, group, "ann", "k", "two");
    assert_int_equal(send_keyed(place, keyed(group, "ann", "l", "one"), &s), ERR_SENDER_NOT_MEMBER);
}

static void
a_refused_send_uses_up_no_key(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann");
    struct sending s;

    support_create(place, TYPE_GROUP, "bob");
    assert_int_equal(send_keyed(place, keyed(group, "bob", "k", "one"), &s), ERR_SENDER_NOT_MEMBER);
    assert_int_equal(send_keyed(place, keyed(99, "bob", "k", "one"), &s), ERR_CONVERSATION);
    assert_int_equal(send_keyed(place, keyed(group, "zoe", "k", "one"), &s), ERR_USERNAME);
    support_join(place, group, "bob");
    assert_int_equal(send_keyed(place, keyed(group, "bob", "k", "two"), &s), ERR_OK);
    assert_false(s.replayed);
}

#define SENDERS 8
#define KEYS    40

struct race {
    struct store *store;
    int64_t conversation;
    int64_t ids[SENDERS][KEYS];
    _Atomic int first; /* sends whose answer was not marked as a repeat */
    _Atomic int errors;
};

/* The same user, on several machines. */
static void
send_all(void *arg, int n)
{
    struct race *race = arg;
    struct arena arena;

    arena_init(&arena);
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        struct sending s = {
            .arena = &arena,
            .message = {.conversation = race->conversation, .sender = str_c("ann"), .content = str_c("x")}};

        snprintf(key, sizeof(key), "key %d", i);
        s.message.client_id = str_c(key);
        if (send_message(race->store, &s) != ERR_OK)
            atomic_fetch_add(&race->errors, 1);
        race->ids[n][i] = s.message.id;
        atomic_fetch_add(&race->first, !s.replayed);
        arena_reset(&arena);
    }
    arena_clear(&arena);
}

static void
concurrent_repeats_get_the_same_message(void **state)
{
    struct place *place = *state;
    struct race *race = calloc(1, sizeof(*race));

    assert_non_null(race);
    race->store = &place->store;
    race->conversation = support_create(place, TYPE_GROUP, "ann");
    support_threads(SENDERS, send_all, race);
    assert_int_equal(atomic_load(&race->errors), 0);
    assert_int_equal(atomic_load(&race->first), KEYS);
    for (int n = 0; n < SENDERS; n++)
        for (int i = 0; i < KEYS; i++)
            assert_int_equal(race->ids[n][i], race->ids[0][i]);
    assert_int_equal(support_instance(place).last_message_id, KEYS);
    assert_int_equal(support_conversation(place, race->conversation).version, KEYS + 1);
    free(race);
}

static bool
valid(const char *bytes, size_t n)
{
    return support_accepts(send_client_id_valid, bytes, n);
}

static void
a_key_is_printable_ascii(void **state)
{
    char text[CLIENT_ID_BYTES_MAX + 2];

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char key[3] = {'a', (char)byte, 'b'};

        assert_int_equal(valid(key, 3), byte >= 0x20 && byte <= 0x7e);
        assert_int_equal(valid(key + 1, 1), byte >= 0x20 && byte <= 0x7e);
    }
    memset(text, 'x', sizeof(text));
    for (size_t n = 0; n <= sizeof(text); n++)
        assert_int_equal(valid(text, n), n >= 1 && n <= CLIENT_ID_BYTES_MAX);
    assert_false(send_client_id_valid((struct str){0}));
}

/* --- replies */

static enum err
reply(struct place *place, int64_t conversation, const char *sender, int64_t reply_to, struct message *m)
{
    struct sending s = {
        .arena = &place->arena,
        .message = {.conversation = conversation,
                    .sender = str_c(sender),
                    .content = str_c("re"),
                    .reply_to = reply_to},
    };
    enum err err = send_message(&place->store, &s);

    *m = s.message;
    return err;
}

static void
a_reply_is_to_a_message_of_its_conversation(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    int64_t other = support_create(place, TYPE_GROUP, "ann");
    struct message target = support_send(place, group, "bob", "x");
    struct message strange = support_send(place, other, "ann", "x");
    static const int64_t wrong[] = {99, -1, INT64_MAX};
    struct message m;
    struct message now;

    assert_int_equal(reply(place, group, "ann", target.id, &m), ERR_OK);
    assert_int_equal(m.reply_to, target.id);
    assert_int_equal(support_message(place, m.id, &now), ERR_OK);
    assert_int_equal(now.reply_to, target.id);
    /* To a reply, to one's own message, and to a deleted one. */
    assert_int_equal(reply(place, group, "ann", m.id, &m), ERR_OK);
    amend(place, m.id, NULL);
    assert_int_equal(reply(place, group, "ann", m.id, &m), ERR_OK);
    assert_int_equal(reply(place, group, "ann", strange.id, &m), ERR_REPLY_TO);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(reply(place, group, "ann", wrong[i], &m), ERR_REPLY_TO);
    /* A user who may not send gets that error first. */
    assert_int_equal(reply(place, other, "bob", target.id, &m), ERR_SENDER_NOT_MEMBER);
    assert_int_equal(support_instance(place).last_message_id, 5);
    assert_int_equal(support_conversation(place, group).version, 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(a_key_sends_once),
        TEST(another_reply_to_is_a_mismatch),
        TEST(a_repeat_is_recognised_by_the_first_content),
        TEST(a_deleted_message_is_still_repeated),
        TEST(a_repeat_works_after_the_sender_has_left),
        TEST(a_refused_send_uses_up_no_key),
        TEST(concurrent_repeats_get_the_same_message),
        cmocka_unit_test(a_key_is_printable_ascii),
        TEST(a_reply_is_to_a_message_of_its_conversation),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
