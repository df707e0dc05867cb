/*
 * Checks: a user's list has their conversations by last activity, each with what a slow model
 * computes from all messages. A page never ends inside a tick, and paging to the end shows each
 * conversation once. Lists since a moment have conversations that were active, or left, or where
 * only a marker moved, however far active_at lags behind.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "domain/amend.h"
#include "domain/inbox.h"
#include "domain/reading.h"
#include "store/accounts.h"
#include "store/conversations.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"

#define USERS 5

static const char *const users[USERS] = {"ann", "bob", "cid", "dan", "eve"};

/* --- the expected list: computed from every conversation and every message */

/* An entry. */
struct entry {
    int64_t id;
    bool left;
    int64_t at;
    int64_t version;
    int64_t last_seq;
    int64_t read_seq;
    int64_t unread;
    int64_t newest; /* id of the newest message received; 0: there is none */
    int64_t members;
};

struct whose {
    const char *username;
    int64_t after; /* as in struct inbox */
    int64_t before;
};

/* The messages that a user received in one conversation. */
struct received {
    struct db *db;
    struct str username;
    struct entry *entry;
};

static bool
count_received(void *arg, const struct message *m)
{
    struct received *r = arg;
    struct entry *e = r->entry;
    struct span span;

    assert_int_equal(memberships_span(r->db, m->conversation, r->username, m->seq, &span), ERR_OK);
    if (!span.received)
        return true;
    e->newest = m->id;
    e->unread += m->seq > e->read_seq && m->deleted_at == 0 && !str_eq(m->sender, r->username);
    return true;
}

/* True from the moment on at which the user's marker in the conversation has not moved since. */
/* Has the user read there since? */
static bool
has_moved(struct db *db, struct arena *arena, const struct whose *w, int64_t conversation)
{
    struct moved_walk walk = {.username = str_c(w->username), .from = w->after + 1, .rows = 3};
    bool found = false;

    do {
        assert_int_equal(markers_moved(db, arena, &walk), ERR_OK);
        for (size_t i = 0; i < walk.count; i++)
            found = found || walk.moved[i].conversation == conversation;
    } while (!found && walk.count == 3);
    return found;
}

static bool
is_in_list(struct db *db, struct arena *arena, const struct whose *w, const struct entry *e)
{
    if (e->at >= w->before || (w->after < 0 && e->left))
        return false;
    if (w->after < 0 || e->at > w->after)
        return true;
    return has_moved(db, arena, w, e->id);
}

/* Fills the entry of the conversation for the user. Returns false if it is not in their list. */
static bool
look_at(struct db *db, struct arena *arena, const struct whose *w, const struct conversation *c,
        struct entry *e)
{
    struct str username = str_c(w->username);
    const struct message_reader reader = {.db = db, .arena = arena};
    struct received received = {db, username, e};
    struct stay last;
    bool found;

    assert_int_equal(memberships_last(db, c->id, username, &last, &found), ERR_OK);
    if (!found)
        return false;
    *e = (struct entry){
        .id = c->id,
        .left = last.left_version != 0,
        .at = last.left_version != 0 ? last.left_at : c->updated_at,
        .version = last.left_version != 0 ? last.left_version : c->version,
        .last_seq = last.left_version != 0 ? last.until : c->last_seq,
        .members = c->member_count,
    };
    if (!is_in_list(db, arena, w, e))
        return false;
    assert_int_equal(markers_get(db, c->id, username, &e->read_seq), ERR_OK);
    support_each_message(&reader, c->id, 1, count_received, &received);
    e->unread = e->unread > UNREAD_MAX ? UNREAD_MAX : e->unread;
    return true;
}

static int
latest_first(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    if (x->at != y->at)
        return x->at > y->at ? -1 : 1;
    return (x->id < y->id) - (x->id > y->id);
}

static size_t
expect(struct place *place, const struct whose *w, struct entry **rows)
{
    struct snapshot *snapshot = support_begin(place);
    struct arena *arena = &place->arena;
    size_t count = 0;
    bool found = true;

    *rows = arena_alloc(arena, sizeof(**rows));
    for (int32_t id = 1; found; id++) {
        struct conversation c;
        struct entry e;

        assert_int_equal(conversations_get(snapshot->db, arena, id, &c, &found), ERR_OK);
        if (!found || !look_at(snapshot->db, arena, w, &c, &e))
            continue;
        *rows = arena_grow(arena, count == 0 ? NULL : *rows, count, sizeof(**rows));
        assert_non_null(*rows);
        (*rows)[count++] = e;
    }
    snapshot_end(snapshot);
    qsort(*rows, count, sizeof(**rows), latest_first);
    return count;
}

/* Returns the end of the tick that holds the n-th row. */
static size_t
tick_end(const struct entry *rows, size_t count, size_t n)
{
    while (n > 0 && n < count && rows[n].at == rows[n - 1].at)
        n++;
    return n < count ? n : count;
}

/* Returns how many rows make a page: as many whole ticks as fit, but at least one. */
static size_t
page_length(const struct entry *rows, size_t count, size_t limit)
{
    size_t length = tick_end(rows, count, 1);

    for (size_t n = 1; n <= limit && n <= count; n++)
        if (tick_end(rows, count, n) == n)
            length = n;
    return length;
}

/* --- a page, received */

struct got {
    const struct entry *rows;
    size_t count;
    size_t room; /* the page takes no more after this many entries */
};

static bool
take(void *arg, const struct listing *l)
{
    struct got *got = arg;
    const struct entry *row = &got->rows[got->count];
    const struct conversation *c = &l->conversation;

    assert_int_equal(c->id, row->id);
    assert_int_equal(l->left, row->left);
    assert_int_equal(c->updated_at, row->at);
    assert_int_equal(c->version, row->version);
    assert_int_equal(c->last_seq, row->last_seq);
    if (!l->left) {
        assert_int_equal(l->read_seq, row->read_seq);
        assert_int_equal(l->unread, row->unread);
        assert_int_equal(l->newest == NULL ? 0 : l->newest->id, row->newest);
        assert_int_equal(c->member_count, row->members);
        assert_int_equal(c->members_read, row->members > MEMBERS_FEW ? 0 : row->members);
        assert_true(l->role == ROLE_MEMBER);
    }
    got->count++;
    return got->count < got->room;
}

static bool
count_only(void *arg, const struct listing *l)
{
    (void)l;
    *(size_t *)arg += 1;
    return true;
}

/*
 * Reads and checks one page. *before becomes the beginning of the next one. Returns false if this
 * was the last.
 */
static bool
ask(struct place *place, const struct whose *w, int limit, size_t room, int64_t *before)
{
    struct inbox inbox = {.username = str_c(w->username),
                          .updated_after = w->after,
                          .updated_before = w->before,
                          .limit = limit};
    struct got got = {.room = room};
    struct snapshot *snapshot;
    struct entry *rows;
    size_t count = expect(place, w, &rows);
    size_t n = page_length(rows, count, (size_t)limit);

    if (room < n)
        n = tick_end(rows, count, room);
    got.rows = rows;
    snapshot = support_begin(place);
    assert_int_equal(inbox_list(snapshot, &place->arena, &inbox, take, &got), ERR_OK);
    snapshot_end(snapshot);
    assert_int_equal(strlen(inbox.epoch), 32);
    if (got.count != n || inbox.has_next != (n < count))
        fail_msg("%s, %" PRId64 " … %" PRId64 ", limit %d: %zu%s instead of %zu of %zu", w->username,
                 w->after, w->before, limit, got.count, inbox.has_next ? " and more" : "", n, count);
    if (n > 0)
        *before = rows[n - 1].at;
    arena_reset(&place->arena);
    return inbox.has_next;
}

/* Reads to the end. Each page must be the next one, so together they hold every entry once. */
static void
ask_all(struct place *place, const char *username, int64_t after, int limit)
{
    struct whose w = {username, after, INT64_MAX};

    while (ask(place, &w, limit, SIZE_MAX, &w.before))
        ;
}

static int64_t
some_update(struct place *place, struct chance *chance)
{
    int64_t id = 1 + support_draw(chance, support_count_conversations(place));

    return support_conversation(place, id).updated_at;
}

static void
ask_at_random(struct place *place, struct chance *chance)
{
    int64_t now = support_tick(place);
    int64_t start = support_conversation(place, 1).created_at;
    struct whose w = {users[support_draw(chance, USERS)], -1, INT64_MAX};
    int limit = 1 + (int)support_draw(chance, support_draw(chance, 4) == 0 ? PAGE_LIMIT_MAX : 12);
    size_t room = support_draw(chance, 3) == 0 ? 1 + (size_t)support_draw(chance, 10) : SIZE_MAX;
    int64_t before;

    if (support_draw(chance, 2) == 0)
        w.after = start - 1 + support_draw(chance, now - start + 2);
    /* Exactly at the moment of a change. */
    if (support_draw(chance, 3) == 0)
        w.after = some_update(place, chance);
    if (support_draw(chance, 2) == 0)
        w.before = start + support_draw(chance, now - start + 2);
    if (support_draw(chance, 3) == 0)
        w.before = some_update(place, chance);
    ask(place, &w, limit, room, &before);
}

/* --- the commands */

/* Changes in many conversations in one tick, as a group of commands makes them. */
struct burst {
    struct chance *chance;
    int64_t conversations;
    int count;
    int64_t later_ms; /* before each change, if each is to have a tick of its own */
};

static enum err
post(struct tx *tx, int64_t conversation, struct str sender)
{
    struct message m = {.conversation = conversation, .sender = sender, .content = str_c("x")};
    struct posting posting = {.sender = sender, .conversation = {.id = conversation}};
    struct conversation *c = &posting.conversation;
    enum err err = conversations_for_sender(tx->db, &posting);

    if (err != ERR_OK || !posting.is_member)
        return err;
    err = conversations_bump(tx, c, 1, 0);
    m.seq = c->last_seq;
    m.timestamp = tx->tick;
    return err == ERR_OK ? messages_add(tx, &m, c->version) : err;
}

static enum err
burst_in_tx(struct tx *tx, void *arg)
{
    const struct burst *b = arg;
    enum err err = ERR_OK;

    for (int i = 0; err == ERR_OK && i < b->count; i++) {
        err = post(tx, 1 + support_draw(b->chance, b->conversations),
                   str_c(users[support_draw(b->chance, USERS)]));
        tx->tick += b->later_ms;
    }
    return err;
}

/* Deletes the newest message. */
static void
erase_one(struct place *place, int64_t conversation)
{
    struct amendment a = {.arena = &place->arena};
    struct snapshot *snapshot = support_begin(place);
    const struct message_reader reader = {.db = snapshot->db, .arena = &place->arena};
    const struct conversation *c = support_find(place, snapshot, conversation);
    struct message m;
    bool found;

    assert_int_equal(messages_get(&reader, c->id, c->last_seq, &m, &found), ERR_OK);
    snapshot_end(snapshot);
    a.id = m.id;
    a.actor.username = m.sender;
    if (found)
        assert_int_equal(amend_delete(&place->store, &a), ERR_OK);
}

/* Advances the clock: by a moment, or by more than activity may lag behind. */
static void
pass_time(struct place *place, struct chance *chance)
{
    static const int64_t spans_ms[] = {
        1, 10, ACTIVE_LAG_MS / 2, ACTIVE_LAG_MS - 1, ACTIVE_LAG_MS, ACTIVE_LAG_MS + 1, 200000};

    support_pass_time(place, spans_ms[support_draw(chance, sizeof(spans_ms) / sizeof(spans_ms[0]))]);
}

static void
happen(struct place *place, struct chance *chance, int64_t conversations)
{
    int64_t conversation = 1 + support_draw(chance, conversations);
    const char *username = users[support_draw(chance, USERS)];
    struct reading r = {
        .arena = &place->arena, .conversation = conversation, .username = str_c(username), .seq = 1};
    struct burst b = {chance, conversations, 1 + (int)support_draw(chance, 9), 0};
    enum err err = ERR_OK;

    r.seq += support_draw(chance, 4);
    switch (support_draw(chance, 8)) {
    case 0:
        err = support_try_join(place, conversation, username);
        break;
    case 1:
        err = support_try_leave(place, conversation, username);
        break;
    case 2:
        err = reading_mark(&place->store, &r);
        err = err == ERR_NOT_A_MEMBER ? ERR_OK : err;
        break;
    case 3:
        erase_one(place, conversation);
        break;
    case 4:
        pass_time(place, chance);
        break;
    default:
        err = support_run(&place->store, burst_in_tx, &b);
    }
    assert_int_equal(err, ERR_OK);
}

static void
lists_of_random_histories_are_right(void **state)
{
    enum { CONVERSATIONS = 25, STEPS = 200 };
    struct place *place = *state;
    struct chance chance;

    support_chance(&chance);
    for (int i = 0; i < CONVERSATIONS; i++)
        support_create(place, TYPE_GROUP,
                       i % 3 == 0   ? "ann bob cid dan eve"
                       : i % 3 == 1 ? "ann cid"
                                    : "ann");
    for (int i = 0; i < STEPS; i++) {
        happen(place, &chance, CONVERSATIONS);
        ask_at_random(place, &chance);
        ask_at_random(place, &chance);
    }
    for (int u = 0; u < USERS; u++)
        for (int limit = 1; limit < CONVERSATIONS; limit += 3)
            ask_all(place, users[u], -1, limit);
    ask_all(place, "ann", 0, 4);
    ask_all(place, "nobody", -1, 4);
}

/* --- few members, and many */

static void
ask_for_some(struct place *place)
{
    static const char *const some[] = {"m000", "m001", "m099", "ann", "bob"};

    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        ask_all(place, some[i], -1, 1);
        ask_all(place, some[i], 0, 10);
    }
}

static void
a_conversation_may_grow_and_shrink_past_the_many(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, support_crowd(place, MEMBERS_FEW));
    int64_t large = support_create(place, TYPE_GROUP, support_crowd(place, MEMBERS_FEW + 5));

    arena_reset(&place->arena);
    support_create(place, TYPE_GROUP, "ann bob m000");
    for (int round = 0; round < 3; round++) {
        support_join(place, group, "ann");
        support_check(place);
        ask_for_some(place);
        support_pass_time(place, 70000);
        support_send(place, group, "m001", "x");
        support_join(place, group, "bob");
        support_check(place);
        ask_for_some(place);
        support_pass_time(place, 70000);
        support_leave(place, group, "ann");
        support_check(place);
        support_leave(place, group, "bob");
        support_check(place);
        ask_for_some(place);
        support_send(place, large, "m000", "x");
        ask_for_some(place);
    }
}

/* --- special cases */

static size_t
length_of(struct place *place, const char *username, int64_t after)
{
    struct inbox inbox = {
        .username = str_c(username), .updated_after = after, .updated_before = INT64_MAX, .limit = 1000};
    struct snapshot *snapshot = support_begin(place);
    size_t count = 0;

    assert_int_equal(inbox_list(snapshot, &place->arena, &inbox, count_only, &count), ERR_OK);
    snapshot_end(snapshot);
    return count;
}

static void
left_and_read_conversations_are_only_in_lists_since_a_moment(void **state)
{
    struct place *place = *state;
    int64_t read = support_create(place, TYPE_GROUP, "ann bob");
    int64_t left = support_create(place, TYPE_GROUP, "ann bob");
    struct reading r = {.arena = &place->arena, .conversation = read, .username = str_c("ann"), .seq = 1};
    int64_t moment;

    support_send(place, read, "bob", "x");
    moment = support_tick(place);
    assert_int_equal(length_of(place, "ann", moment), 0);
    assert_int_equal(reading_mark(&place->store, &r), ERR_OK);
    assert_int_equal(length_of(place, "ann", moment), 1);
    assert_int_equal(length_of(place, "bob", moment), 0);
    support_leave(place, left, "ann");
    assert_int_equal(length_of(place, "ann", moment), 2);
    assert_int_equal(length_of(place, "ann", -1), 1);
    ask_all(place, "ann", moment, 1);
    /* A user who returns has one entry. */
    support_join(place, left, "ann");
    assert_int_equal(length_of(place, "ann", moment), 2);
    assert_int_equal(length_of(place, "ann", -1), 2);
    support_leave(place, left, "ann");
    ask_all(place, "ann", moment, 1);
    /* A marker in a conversation that the user has left is in no list. */
    support_leave(place, read, "ann");
    assert_int_equal(length_of(place, "ann", support_tick(place) - 1), 1);
    ask_all(place, "ann", moment, 10);
}

/* Messages come so irregularly that active_at lags by anything up to ACTIVE_LAG_MS. */
static void
activity_is_found_however_far_its_record_lags(void **state)
{
    enum { COUNT = 40 };
    struct place *place = *state;
    struct chance chance;

    support_chance(&chance);
    for (int i = 0; i < COUNT; i++)
        support_create(place, TYPE_GROUP, "ann bob cid dan eve");
    for (int round = 0; round < 12; round++) {
        int64_t now = support_tick(place);

        for (int i = 0; i < 8; i++) {
            struct burst b = {&chance, COUNT, 10,
                              support_draw(&chance, i % 2 == 0 ? 3000 : 2 * ACTIVE_LAG_MS)};

            assert_int_equal(support_run(&place->store, burst_in_tx, &b), ERR_OK);
        }
        for (int limit = 1; limit < COUNT; limit += 1 + round % 3)
            ask_all(place, "ann", round % 2 == 0 ? -1 : now + support_draw(&chance, 150000), limit);
    }
}

/* --- thousands of conversations */

#define MANY 3000

static enum err
create_many(struct tx *tx, void *arg)
{
    struct str none = {0};
    enum err err = accounts_add(tx, str_c("ann"));

    (void)arg;
    for (int i = 0; err == ERR_OK && i < MANY; i++) {
        struct conversation c = {.type = TYPE_GROUP, .title = str_c(""), .member_count = 1};

        err = conversations_add(tx, none, none, &c);
        if (err == ERR_OK)
            err = memberships_add(tx, &c, str_c("ann"), ROLE_MEMBER);
        /* A few seconds apart, several in each tick. */
        tx->tick += i % 4 == 3 ? 5000 : 0;
    }
    return err;
}

static void
live_with_many(struct place *place)
{
    struct chance chance = {7};
    struct burst b = {&chance, MANY, 400, 700};

    assert_int_equal(support_run(&place->store, create_many, NULL), ERR_OK);
    assert_int_equal(support_run(&place->store, burst_in_tx, &b), ERR_OK);
}

static void
lists_of_thousands_are_right(void **state)
{
    struct place *place = *state;
    struct whose w = {"ann", -1, INT64_MAX};
    int64_t before;

    live_with_many(place);
    for (int limit = 1; limit <= 10; limit += 3)
        ask(place, &w, limit, SIZE_MAX, &before);
    ask_all(place, "ann", -1, 500);
    ask_all(place, "ann", support_tick(place) - 100000, 7);
}

/* All share one tick, so they are one page, whatever the limit. */
static void
a_tick_larger_than_the_page_is_whole(void **state)
{
    struct place *place = *state;
    struct chance chance = {3};
    struct burst b = {&chance, 30, 300, 0};

    for (int i = 0; i < 30; i++)
        support_create(place, TYPE_GROUP, "ann bob cid dan eve");
    assert_int_equal(support_run(&place->store, burst_in_tx, &b), ERR_OK);
    for (int limit = 1; limit <= 31; limit += 6) {
        ask_all(place, "ann", -1, limit);
        ask_all(place, "ann", 0, limit);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_of_random_histories_are_right, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(a_conversation_may_grow_and_shrink_past_the_many, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(left_and_read_conversations_are_only_in_lists_since_a_moment,
                                        support_open, support_check_and_close),
        cmocka_unit_test_setup_teardown(activity_is_found_however_far_its_record_lags, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(lists_of_thousands_are_right, support_open, support_check_and_close),
        cmocka_unit_test_setup_teardown(a_tick_larger_than_the_page_is_whole, support_open,
                                        support_check_and_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
