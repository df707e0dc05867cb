/*
 * Checks: the searches for the first message after a moment, and for the first one created after a
 * version, find what a linear search finds, in histories that are even, clustered, all at once, and
 * of any length, for the whole history and for any part. A fingerprint of a content is 16 bits that
 * mostly differ.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "store/accounts.h"
#include "store/messages.h"

#define HISTORIES  2000
#define LENGTH_MAX 500

struct history {
    int64_t count;
    int64_t *timestamps; /* of seq 1 … count, at 0 … count - 1 */
    int64_t *versions;   /* the same, of those that created them */
};

/* Returns the distance from one message to the next. */
static int64_t
gap(struct chance *chance, int shape)
{
    switch (shape) {
    case 0: /* even */
        return 1000;
    case 1: /* nearly even */
        return 900 + support_draw(chance, 200);
    case 2: /* all at once */
        return 0;
    case 3: /* bursts with long silence between */
        return support_draw(chance, 20) == 0 ? 1 + support_draw(chance, INT64_C(1) << 40) : 0;
    case 4: /* close together, many equal */
        return support_draw(chance, 3);
    default: /* of every size */
        return support_draw(chance, INT64_C(1) << support_draw(chance, 30));
    }
}

static void
make(struct chance *chance, struct history *h)
{
    int shape = (int)support_draw(chance, 6);
    int64_t timestamp = 1 + support_draw(chance, INT64_C(1) << 41);
    int64_t version = 1;

    h->count = support_draw(chance, support_draw(chance, 12) == 0 ? LENGTH_MAX + 1 : 30);
    h->timestamps = calloc((size_t)h->count + 1, sizeof(*h->timestamps));
    h->versions = calloc((size_t)h->count + 1, sizeof(*h->versions));
    assert_non_null(h->timestamps);
    assert_non_null(h->versions);
    for (int64_t i = 0; i < h->count; i++) {
        h->timestamps[i] = timestamp;
        timestamp += gap(chance, shape);
        /* Each has its own; other changes come between. */
        version += 1 + gap(chance, shape);
        h->versions[i] = version;
    }
}

/* Stores history n as conversation n + 1. */
static enum err
store_all(struct tx *tx, void *arg)
{
    const struct history *histories = arg;
    struct message m = {.sender = str_c("ann"), .content = str_c("x")};
    enum err err = accounts_add(tx, m.sender);

    for (int64_t n = 0; n < HISTORIES; n++)
        for (int64_t i = 0; err == ERR_OK && i < histories[n].count; i++) {
            m.conversation = n + 1;
            m.seq = i + 1;
            m.timestamp = histories[n].timestamps[i];
            err = messages_add(tx, &m, histories[n].versions[i]);
        }
    return err;
}

/* The two ways to ask. */
typedef enum err find_fn(struct db *db, const struct message_range *range, int64_t after, int64_t *seq);

/* The searched values: values[0 … count-1] are those of the messages. */
struct searched {
    struct db *db;
    find_fn *find;
    int32_t conversation;
    const int64_t *values;
    int64_t count;
};

static void
assert_first(const struct searched *s, int64_t low, int64_t high, int64_t after)
{
    const struct message_range range = {s->conversation, low - 1, high};
    int64_t wanted = low;
    int64_t seq = -1;

    while (wanted <= high && s->values[wanted - 1] <= after)
        wanted++;
    assert_int_equal(s->find(s->db, &range, after, &seq), ERR_OK);
    if (seq != wanted)
        fail_msg("conversation %d, %" PRId64 " … %" PRId64 " after %" PRId64 ": %" PRId64
                 " instead of %" PRId64,
                 s->conversation, low, high, after, seq, wanted);
}

/* Tries each value at which the result can change, and the one before it. */
static void
check_whole(const struct searched *s)
{
    assert_first(s, 1, s->count, 0);
    assert_first(s, 1, s->count, INT64_MAX);
    for (int64_t i = 0; i < s->count; i++) {
        if (i > 0 && s->values[i] == s->values[i - 1])
            continue;
        assert_first(s, 1, s->count, s->values[i]);
        assert_first(s, 1, s->count, s->values[i] - 1);
    }
}

static void
check_parts(struct chance *chance, const struct searched *s)
{
    for (int i = 0; i < 20; i++) {
        int64_t low = 1 + support_draw(chance, s->count + 1);
        int64_t high = low - 1 + support_draw(chance, s->count - low + 2);
        int64_t near = s->count == 0 ? 5 : s->values[support_draw(chance, s->count)];

        assert_first(s, low, high, near - support_draw(chance, 2));
    }
}

static void
the_first_after_a_moment_or_a_version_is_found(void **state)
{
    struct place *place = *state;
    struct history *histories = calloc(HISTORIES, sizeof(*histories));
    struct chance chance;
    struct snapshot *snapshot;
    struct db *db;

    support_chance(&chance);
    assert_non_null(histories);
    for (int n = 0; n < HISTORIES; n++)
        make(&chance, &histories[n]);
    assert_int_equal(support_run(&place->store, store_all, histories), ERR_OK);
    snapshot = support_begin(place);
    db = snapshot->db;
    for (int n = 0; n < HISTORIES; n++) {
        struct history *h = &histories[n];
        const struct searched times = {db, messages_first_after, n + 1, h->timestamps, h->count};
        const struct searched versions = {db, messages_first_created_after, n + 1, h->versions, h->count};

        check_whole(&times);
        check_parts(&chance, &times);
        check_whole(&versions);
        check_parts(&chance, &versions);
        free(h->timestamps);
        free(h->versions);
    }
    snapshot_end(snapshot);
    free(histories);
}

static void
fingerprints_of_contents_mostly_differ(void **state)
{
    enum { TEXTS = 2000 };
    static bool seen[65536];
    int different = 0;

    (void)state;
    for (int i = 0; i < TEXTS; i++) {
        char text[16];
        int fingerprint;

        snprintf(text, sizeof(text), "text %d", i);
        fingerprint = messages_fingerprint(str_c(text));
        assert_in_range(fingerprint, 0, 65535);
        assert_int_equal(messages_fingerprint(str_c(text)), fingerprint);
        different += !seen[fingerprint];
        seen[fingerprint] = true;
    }
    /* With random fingerprints, some 30 of so many would be equal. */
    assert_true(different > TEXTS - 100);
    assert_in_range(messages_fingerprint((struct str){0}), 0, 65535);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_of_contents_mostly_differ),
        cmocka_unit_test_setup_teardown(the_first_after_a_moment_or_a_version_is_found, support_open,
                                        support_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
