/*
 * Checks: the first message after a moment is the one that looking at each finds, whatever the history:
 * even, clustered, all at once, of any length, for the whole and for any part of it.
 */
#include "support.h"

#include <inttypes.h>
#include <stdlib.h>
#include "store/accounts.h"
#include "store/messages.h"

#define HISTORIES  2000
#define LENGTH_MAX 500

struct history {
    int64_t count;
    int64_t *timestamps; /* of seq 1 … count, at 0 … count - 1 */
};

/* How far the next message is from the one before. */
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

    h->count = support_draw(chance, support_draw(chance, 12) == 0 ? LENGTH_MAX + 1 : 30);
    h->timestamps = calloc((size_t)h->count + 1, sizeof(*h->timestamps));
    assert_non_null(h->timestamps);
    for (int64_t i = 0; i < h->count; i++) {
        h->timestamps[i] = timestamp;
        timestamp += gap(chance, shape);
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
            m.id = ++tx->last_message_id;
            m.conversation = n + 1;
            m.seq = i + 1;
            m.timestamp = histories[n].timestamps[i];
            err = messages_add(tx, &m);
        }
    return err;
}

static void
assert_first_after(struct db *db, const struct history *h, int64_t conversation, int64_t low, int64_t high,
                   int64_t after)
{
    int64_t wanted = low;
    int64_t seq = -1;

    while (wanted <= high && h->timestamps[wanted - 1] <= after)
        wanted++;
    assert_int_equal(messages_first_after(db, conversation, low, high, after, &seq), ERR_OK);
    if (seq != wanted)
        fail_msg("conversation %" PRId64 ", %" PRId64 " … %" PRId64 " after %" PRId64 ": %" PRId64
                 " instead of %" PRId64,
                 conversation, low, high, after, seq, wanted);
}

/* Each moment at which the answer can change, and the one before it. */
static void
check_whole(struct db *db, const struct history *h, int64_t conversation)
{
    assert_first_after(db, h, conversation, 1, h->count, 0);
    assert_first_after(db, h, conversation, 1, h->count, INT64_MAX);
    for (int64_t i = 0; i < h->count; i++) {
        if (i > 0 && h->timestamps[i] == h->timestamps[i - 1])
            continue;
        assert_first_after(db, h, conversation, 1, h->count, h->timestamps[i]);
        assert_first_after(db, h, conversation, 1, h->count, h->timestamps[i] - 1);
    }
}

static void
check_parts(struct chance *chance, struct db *db, const struct history *h, int64_t conversation)
{
    for (int i = 0; i < 20; i++) {
        int64_t low = 1 + support_draw(chance, h->count + 1);
        int64_t high = low - 1 + support_draw(chance, h->count - low + 2);
        int64_t near = h->count == 0 ? 5 : h->timestamps[support_draw(chance, h->count)];

        assert_first_after(db, h, conversation, low, high, near - support_draw(chance, 2));
    }
}

static void
the_first_after_a_moment_is_found(void **state)
{
    struct place *place = *state;
    struct history *histories = calloc(HISTORIES, sizeof(*histories));
    struct chance chance;
    struct db *db;

    support_chance(&chance);
    assert_non_null(histories);
    for (int n = 0; n < HISTORIES; n++)
        make(&chance, &histories[n]);
    assert_int_equal(commit_run(place->store.commit, store_all, histories, 0), ERR_OK);
    assert_int_equal(pool_begin(place->store.pool, &db), ERR_OK);
    for (int n = 0; n < HISTORIES; n++) {
        check_whole(db, &histories[n], n + 1);
        check_parts(&chance, db, &histories[n], n + 1);
        free(histories[n].timestamps);
    }
    pool_end(place->store.pool, db);
    free(histories);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_after_a_moment_is_found, support_open, support_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
