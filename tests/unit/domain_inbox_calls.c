/*
 * Checks: a page of a user's list takes the same number of calls of the store, however many entries
 * it has. An engine behind a network pays a round trip for each.
 */
#include "support.h"

/* inbox_list(), with its calls of the store counted. The library has the original. */
#define inbox_list counted_list

#include "domain/inbox.h"
#include "domain/reading.h"
#include "store/instance.h"
#include "store/listings.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"

static int calls;

#define CALL(call) (calls++, call)

/* The walks of a list are passed by their names, so they are counted behind them. */
static enum err
counted_present(struct db *db, struct arena *arena, struct list_walk *walk)
{
    return CALL(memberships_present(db, arena, walk));
}

static enum err
counted_left(struct db *db, struct arena *arena, struct list_walk *walk)
{
    return CALL(memberships_left(db, arena, walk));
}

#define memberships_present counted_present
#define memberships_left    counted_left

#define instance_get(...)      CALL(instance_get(__VA_ARGS__))
#define markers_moved(...)     CALL(markers_moved(__VA_ARGS__))
#define listings_standing(...) CALL(listings_standing(__VA_ARGS__))
#define listings_names(...)    CALL(listings_names(__VA_ARGS__))
#define listings_unread(...)   CALL(listings_unread(__VA_ARGS__))
#define messages_at(...)       CALL(messages_at(__VA_ARGS__))

/* Nothing that reads a single entry may be called for a page. */
#pragma GCC poison conversations_get memberships_last memberships_current memberships_role memberships_names
#pragma GCC poison memberships_past_before markers_get messages_get reactions_read

#include "domain/inbox.c"

static bool
count_entry(void *arg, const struct listing *l)
{
    (void)l;
    *(int *)arg += 1;
    return true;
}

/* Returns how many calls a page takes. It must have so many entries. */
static int
calls_of(struct place *place, int64_t after, int limit, int entries)
{
    struct inbox inbox = {
        .username = str_c("ann"), .updated_after = after, .updated_before = INT64_MAX, .limit = limit};
    struct snapshot *snapshot = support_begin(place);
    int count = 0;

    calls = 0;
    assert_int_equal(inbox_list(snapshot, &place->arena, &inbox, count_entry, &count), ERR_OK);
    snapshot_end(snapshot);
    assert_int_equal(count, entries);
    return calls;
}

/* Groups of ann with an unread message and one that she has read; each third has been left. */
static void
make_groups(struct place *place, int count)
{
    for (int i = 0; i < count; i++) {
        int64_t id = support_create(place, TYPE_GROUP, "ann bob");
        struct reading r = {
            .arena = &place->arena, .conversation = (int32_t)id, .username = str_c("ann"), .seq = 1};

        support_send(place, id, "bob", "read");
        support_send(place, id, "bob", "unread");
        assert_int_equal(reading_mark(&place->store, &r), ERR_OK);
        if (i % 3 == 2)
            support_leave(place, id, "ann");
    }
}

static void
a_longer_page_takes_no_more_calls_of_the_store(void **state)
{
    struct place *place = *state;
    int whole;
    int since;

    make_groups(place, 3);
    whole = calls_of(place, -1, 50, 2);
    since = calls_of(place, 0, 50, 3);
    assert_in_range(whole, 1, 8);
    assert_in_range(since, 1, 10);
    make_groups(place, 87);
    assert_int_equal(calls_of(place, -1, 1000, 60), whole);
    /*
     * All conversations were active in the last ten seconds, so even a short page reads the
     * positions of all: 16 at first, and then as many again as it has read.
     */
    assert_in_range(calls_of(place, -1, 1, 1), whole, whole + 2);
    assert_in_range(calls_of(place, -1, 50, 50), whole, whole + 1);
    assert_int_equal(calls_of(place, 0, 1000, 90), since);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_longer_page_takes_no_more_calls_of_the_store, support_open,
                                        support_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
