/*
 * Checks the limits of the types of ids; that no place computed from them is in another
 * conversation; and that only decimal digits are read.
 */
#include "support.h"

#include "model/ids.h"
#include "store/listings.h"
#include "store/messages.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void
an_impossible_conversation_id_is_refused(void **state)
{
    static const int64_t none[] = {INT64_MIN,
                                   -4294967295,
                                   -2147483648,
                                   -1,
                                   0,
                                   INT64_C(1) << 31,
                                   UINT32_MAX,
                                   INT64_C(1) << 32,
                                   (INT64_C(1) << 32) + 1,
                                   (INT64_C(1) << 33) + 1,
                                   (INT64_C(1) << 62) + 1,
                                   INT64_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(ids_conversation(none[i]), CONVERSATION_NONE);
    assert_int_equal(ids_conversation(1), 1);
    assert_int_equal(ids_conversation(INT32_MAX), INT32_MAX);
}

static void
a_seq_beyond_the_last_possible_one_is_the_last_possible_one(void **state)
{
    static const int64_t beyond[] = {INT64_C(1) << 32, (INT64_C(1) << 32) + 1, INT64_C(1) << 62, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(beyond); i++)
        assert_int_equal(ids_seq(beyond[i]), 4294967295);
    assert_int_equal(ids_seq(-1), 0);
    assert_int_equal(ids_seq(INT64_MIN), 0);
    assert_int_equal(ids_seq(0), 0);
    assert_int_equal(ids_seq(4294967295), 4294967295);
}

/* The places of a statement, computed as SQLite does, for all values of the types. */
static void
no_place_is_another_conversations(void **state)
{
    static const int32_t conversations[] = {INT32_MIN, -1, CONVERSATION_NONE, 1, 2, INT32_MAX - 1, INT32_MAX};
    static const int64_t seqs[] = {0, 1, 2, INT32_MAX, 4294967294, 4294967295};
    struct place *place = *state;

    for (size_t i = 0; i < COUNT(conversations); i++)
        for (size_t k = 0; k < COUNT(seqs); k++) {
            int64_t at = support_ask(place, "SELECT (%d << 32) | %lld", conversations[i], (long long)seqs[k]);

            assert_int_equal(at >> 32, conversations[i]);
            assert_int_equal(at & 0xffffffff, seqs[k]);
        }
}

static bool
count_one(void *arg, const struct message *m)
{
    (void)m;
    *(int *)arg += 1;
    return true;
}

/* (id + 1) << 32 would wrap for the last id. */
static void
the_last_possible_conversation_is_as_good_as_the_first(void **state)
{
    static const int64_t places[] = {(INT64_C(1) << 32) | 1, ((INT64_C(1) << 31) - 1) << 32 | 1, INT64_MAX};
    struct place *place = *state;
    struct snapshot *snapshot;
    struct message m;
    int count = 0;
    bool found;

    support_tell(place, "INSERT INTO account (id, name, created_at) VALUES (1, 'ann', 1)");
    for (size_t i = 0; i < COUNT(places); i++)
        support_tell(place,
                     "INSERT INTO message (place, id, sender, timestamp, created_version, content)"
                     " VALUES (%lld, %d, 1, 1, 1, 'x')",
                     (long long)places[i], (int)i + 1);
    snapshot = support_begin(place);
    support_each_message(&(struct message_reader){snapshot->db, &place->arena, {0}}, INT32_MAX, 1, count_one,
                         &count);
    assert_int_equal(count, 2);
    count = 0;
    support_each_message(&(struct message_reader){snapshot->db, &place->arena, {0}}, 1, 1, count_one, &count);
    assert_int_equal(count, 1);
    assert_int_equal(messages_get(&(struct message_reader){snapshot->db, &place->arena, {0}}, INT32_MAX,
                                  SEQ_MAX, &m, &found),
                     ERR_OK);
    assert_true(found);
    assert_int_equal(m.conversation, INT32_MAX);
    assert_int_equal(m.seq, SEQ_MAX);
    snapshot_end(snapshot);
}

/* The number of keys in the range. */
static int
count_keys(struct db *db, int32_t conversation, int64_t after, int64_t until)
{
    struct message_key keys[4];
    struct key_walk walk = {.conversation = conversation,
                            .after = after,
                            .until = until,
                            .no_later = INT64_MAX,
                            .rows = (int)COUNT(keys),
                            .keys = keys};

    assert_int_equal(messages_keys(db, &walk), ERR_OK);
    return (int)walk.count;
}

/* Asserts that no function of the store finds a message at the seq in the empty conversation. */
static void
assert_nothing_at(struct place *place, struct db *db, int32_t empty, int64_t seq)
{
    const struct message_reader reader = {db, &place->arena, {0}};
    const struct message_place at = {empty, seq};
    struct message_batch batch = {.places = &at, .place_count = 1};
    struct message_page page = {.conversation = empty, .before = seq, .limit = 10, .bytes = 1000};
    struct listing_row row = {
        .id = empty, .conversation = {.id = empty, .last_seq = seq}, .last = {.until = INT64_MAX}};
    struct message m;
    int count = 0;
    bool found;

    assert_int_equal(messages_get(&reader, empty, seq, &m, &found), ERR_OK);
    assert_false(found);
    assert_int_equal(messages_at(&reader, &batch), ERR_OK);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.messages[0].id, 0);
    support_each_message(&reader, empty, seq, count_one, &count);
    count += count_keys(db, empty, 0, seq);
    count += count_keys(db, empty, seq, INT64_MAX);
    assert_int_equal(count, 0);
    assert_int_equal(messages_page_before(db, &page), ERR_OK);
    assert_int_equal(page.first, seq);
    assert_int_equal(listings_unread(db, str_c("bob"), &row, 1), ERR_OK);
    assert_int_equal(row.unread, 0);
}

/*
 * Whatever seq is passed to the store, it only reads the requested conversation: here, an empty
 * one.
 */
static void
no_seq_reaches_another_conversation(void **state)
{
    struct place *place = *state;
    int64_t empty = support_create(place, TYPE_GROUP, "ann");
    int64_t full = support_create(place, TYPE_GROUP, "ann bob");
    struct snapshot *snapshot;

    while ((full & empty) != empty || full == empty)
        full = support_create(place, TYPE_GROUP, "ann bob");
    support_send(place, full, "ann", "a secret");
    snapshot = support_begin(place);
    for (int shift = 0; shift < 63; shift++)
        for (int64_t near = -2; near <= 2; near++) {
            int64_t seqs[] = {(INT64_C(1) << shift) + near, (full << 32) + near,
                              ((full - empty) << 32) + near, -(INT64_C(1) << shift) + near,
                              INT64_MAX - 2 + near};

            for (size_t i = 0; i < COUNT(seqs); i++)
                assert_nothing_at(place, snapshot->db, (int32_t)empty, seqs[i]);
        }
    snapshot_end(snapshot);
}

/* The largest number of its kind; then one more, and texts that are not such a number. */
static void
only_digits_are_read(void **state)
{
    static const char *const wrong[] = {"",
                                        "0",
                                        "00",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1.0",
                                        "1e0",
                                        "0x1",
                                        "1_0",
                                        "1,0",
                                        "\xd9\xa1",
                                        "\xef\xbc\x91",
                                        "1\n",
                                        "one",
                                        "-0",
                                        "9223372036854775808",
                                        "18446744073709551617",
                                        "99999999999999999999"};
    int64_t message = 7;
    int32_t conversation = 7;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_false(ids_read_conversation(str_c(wrong[i]), &conversation));
        assert_false(ids_read_message(str_c(wrong[i]), &message));
    }
    assert_int_equal(conversation, 7);
    assert_int_equal(message, 7);
    assert_true(ids_read_message(str_c("9223372036854775807"), &message));
    assert_int_equal(message, INT64_MAX);
    assert_true(ids_read_conversation(str_c("2147483647"), &conversation));
    assert_int_equal(conversation, INT32_MAX);
    assert_true(ids_read_conversation(str_c("0000000001"), &conversation));
    assert_int_equal(conversation, 1);
    assert_true(ids_read_conversation(str_c("4294967297"), &conversation));
    assert_int_equal(conversation, CONVERSATION_NONE);
    assert_true(ids_read_conversation(str_c("2147483648"), &conversation));
    assert_int_equal(conversation, CONVERSATION_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_impossible_conversation_id_is_refused),
        cmocka_unit_test(a_seq_beyond_the_last_possible_one_is_the_last_possible_one),
        cmocka_unit_test_setup_teardown(no_place_is_another_conversations, support_open, support_close),
        cmocka_unit_test_setup_teardown(the_last_possible_conversation_is_as_good_as_the_first, support_open,
                                        support_close),
        cmocka_unit_test_setup_teardown(no_seq_reaches_another_conversation, support_open,
                                        support_check_and_close),
        cmocka_unit_test(only_digits_are_read),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
