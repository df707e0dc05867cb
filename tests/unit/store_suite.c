/*
 * Checks what the headers of store/ promise, for any engine: every function, its edge cases and its
 * errors. Counters have no gaps, a refused command leaves nothing, and a snapshot sees one state.
 * Memberships are compared with a model that keeps every stay in an array.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include "store/accounts.h"
#include "store/conversations.h"
#include "store/listings.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"
#include "store/reactions.h"

static const struct str none = {0};

/* --- helpers of most tests */

/* Runs the command, which must succeed. */
static void
run(struct place *place, command_fn *command, void *arg)
{
    assert_int_equal(support_run(&place->store, command, arg), ERR_OK);
}

/* A group of ann, the owner, and bob; cid has an account. Its id is 1. */
static enum err
found_group(struct tx *tx, void *arg)
{
    struct conversation c = {.type = TYPE_GROUP, .title = str_c("Us"), .member_count = 2};
    enum err err = accounts_add(tx, str_c("ann"));

    (void)arg;
    if (err == ERR_OK)
        err = accounts_add(tx, str_c("bob"));
    if (err == ERR_OK)
        err = accounts_add(tx, str_c("cid"));
    if (err == ERR_OK)
        err = conversations_add(tx, none, none, &c);
    if (err == ERR_OK)
        err = memberships_add(tx, &c, str_c("ann"), ROLE_OWNER);
    return err == ERR_OK ? memberships_add(tx, &c, str_c("bob"), ROLE_MEMBER) : err;
}

/* Returns the conversation as the transaction sees it. */
static struct conversation
conversation_in(struct tx *tx, int32_t id)
{
    struct conversation c = {0};
    struct arena arena;
    bool found = false;

    arena_init(&arena);
    assert_int_equal(conversations_get(tx->db, &arena, id, &c, &found), ERR_OK);
    assert_true(found);
    c.title = none;
    arena_clear(&arena);
    return c;
}

/* The next message of the conversation. */
static enum err
post(struct tx *tx, int32_t conversation, const char *sender, const char *content, const char *client_id)
{
    struct conversation c = conversation_in(tx, conversation);
    struct message m = {.conversation = conversation,
                        .sender = str_c(sender),
                        .content = str_c(content),
                        .client_id = str_c(client_id)};
    enum err err = conversations_bump(tx, &c, 1, 0);

    m.seq = c.last_seq;
    m.timestamp = tx->tick;
    if (err == ERR_OK)
        err = messages_add(tx, &m, c.version);
    return err == ERR_OK ? outbox_add(tx, EVENT_MESSAGE_CREATED, &c, m.seq, none) : err;
}

static enum err
post_one(struct tx *tx, void *arg)
{
    return post(tx, 1, "ann", arg, NULL);
}

/* Returns the head of a message, as commands read it before they change it. */
static struct message
head_in(struct tx *tx, struct arena *arena, int64_t id)
{
    struct message m = {0};
    bool found = false;

    assert_int_equal(messages_head(tx->db, arena, id, &m, &found), ERR_OK);
    assert_true(found);
    return m;
}

/* --- the instance, and how commands change it */

static void
an_instance_counts_densely_from_nothing(void **state)
{
    struct place *place = *state;
    struct instance before = support_instance(place);

    assert_int_equal(strlen(before.epoch), 32);
    assert_int_equal(before.last_message_id, 0);
    assert_int_equal(before.last_change, 0);
    run(place, found_group, NULL);
    for (int64_t n = 1; n <= 20; n++) {
        struct instance now;

        run(place, post_one, (char[]){"x"});
        now = support_instance(place);
        assert_string_equal(now.epoch, before.epoch);
        assert_true(now.tick > before.tick);
        assert_int_equal(now.last_message_id, n);
        assert_int_equal(now.last_change, n);
        before = now;
    }
    assert_int_equal(atomic_load(&place->shared->counters.commands), 21);
    assert_int_equal(atomic_load(&place->shared->counters.commits), 21);
    assert_int_equal(atomic_load(&place->shared->committed_change), 20);
}

static enum err
read_only(struct tx *tx, void *arg)
{
    bool exists;

    *(int64_t *)arg = tx->tick;
    return accounts_exists(tx->db, str_c("ann"), &exists);
}

static enum err
jump_ahead(struct tx *tx, void *arg)
{
    tx->tick += *(const int64_t *)arg;
    return instance_probe(tx, 0);
}

static void
a_tick_is_above_the_last_one_whatever_the_clock_says(void **state)
{
    struct place *place = *state;
    int64_t hour_ms = 3600000;
    int64_t tick;
    int64_t seen = 0;

    run(place, jump_ahead, &hour_ms);
    tick = support_tick(place);
    run(place, read_only, &seen);
    assert_int_equal(seen, tick + 1);
    /* It wrote nothing, so nothing was committed. */
    assert_int_equal(support_tick(place), tick);
    assert_int_equal(atomic_load(&place->shared->counters.commits), 1);
    run(place, found_group, NULL);
    assert_int_equal(support_tick(place), tick + 1);
    assert_int_equal(support_conversation(place, 1).created_at, tick + 1);
}

/* Adds rows to every table, changes and deletes some, and then returns the error in *arg. */
static enum err
change_everything(struct tx *tx, void *arg)
{
    struct creation_key key = {str_c("bob"), str_c("key"), 7};
    struct conversation c = {.type = TYPE_PRIVATE, .title = str_c(""), .member_count = 2};
    struct arena arena;
    struct message m;
    bool changed;

    arena_init(&arena);
    assert_int_equal(accounts_add(tx, str_c("dan")), ERR_OK);
    assert_int_equal(conversations_add(tx, str_c("bob"), str_c("dan"), &c), ERR_OK);
    assert_int_equal(conversations_add_key(tx, &key, c.id), ERR_OK);
    assert_int_equal(memberships_add(tx, &c, str_c("bob"), ROLE_MEMBER), ERR_OK);
    assert_int_equal(memberships_add(tx, &c, str_c("dan"), ROLE_MEMBER), ERR_OK);
    assert_int_equal(post(tx, c.id, "bob", "new", "k2"), ERR_OK);
    m = head_in(tx, &arena, 1);
    assert_int_equal(reactions_remove(tx, &m, str_c("a"), str_c("bob"), &changed), ERR_OK);
    assert_true(changed);
    assert_int_equal(reactions_add(tx, &m, str_c("b"), str_c("cid"), &changed), ERR_OK);
    assert_int_equal(messages_set_reacted(tx, &m, 9), ERR_OK);
    assert_int_equal(messages_edit(tx, &m, str_c("edited"), 10), ERR_OK);
    m = head_in(tx, &arena, 2);
    assert_int_equal(messages_delete(tx, &m, 11), ERR_OK);
    assert_int_equal(markers_set(tx, 1, str_c("bob"), 2), ERR_OK);
    assert_int_equal(markers_set(tx, 1, str_c("ann"), 1), ERR_OK);
    c = conversation_in(tx, 1);
    c.title = str_c("renamed");
    assert_int_equal(conversations_bump(tx, &c, 0, 0), ERR_OK);
    assert_int_equal(conversations_set_settings(tx, &c), ERR_OK);
    assert_int_equal(memberships_end(tx, &c, str_c("bob"), 1, true), ERR_OK);
    assert_int_equal(memberships_add(tx, &c, str_c("cid"), ROLE_MEMBER), ERR_OK);
    assert_int_equal(memberships_set_role(tx, &c, str_c("cid"), ROLE_ADMIN), ERR_OK);
    arena_clear(&arena);
    return *(const enum err *)arg;
}

/* Describes everything that change_everything() changes. */
static enum err
prepare_everything(struct tx *tx, void *arg)
{
    struct arena arena;
    struct message m;
    bool changed;
    enum err err = found_group(tx, arg);

    arena_init(&arena);
    if (err == ERR_OK)
        err = post(tx, 1, "ann", "one", "k1");
    if (err == ERR_OK)
        err = post(tx, 1, "bob", "two", NULL);
    m = head_in(tx, &arena, 1);
    if (err == ERR_OK)
        err = reactions_add(tx, &m, str_c("a"), str_c("bob"), &changed);
    if (err == ERR_OK)
        err = messages_set_reacted(tx, &m, 4);
    if (err == ERR_OK)
        err = markers_set(tx, 1, str_c("bob"), 1);
    arena_clear(&arena);
    return err;
}

static void
a_command_that_fails_after_it_has_written_leaves_nothing(void **state)
{
    static const enum err verdicts[] = {ERR_ROLE, ERR_TOO_MANY_REACTIONS, ERR_STORAGE, ERR_MEMORY};
    struct place *place = *state;
    enum err verdict = ERR_OK;
    const char *before;

    place->refuses_late = true;
    run(place, prepare_everything, NULL);
    before = support_describe(place);
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        verdict = verdicts[i];
        assert_int_equal(support_run(&place->store, change_everything, &verdict), ERR_STORAGE);
        assert_string_equal(support_describe(place), before);
    }
    verdict = ERR_OK;
    run(place, change_everything, &verdict);
    assert_string_not_equal(support_describe(place), before);
    assert_int_equal(support_count_conversations(place), 2);
    assert_int_equal(support_instance(place).last_message_id, 3);
    assert_int_equal(support_instance(place).last_change, 3);
}

/* --- snapshots */

struct other_thread {
    struct place *place;
    _Atomic int errors;
};

static void
post_three(void *arg, int n)
{
    struct other_thread *t = arg;

    (void)n;
    for (int i = 0; i < 3; i++)
        if (support_run(&t->place->store, post_one, (char[]){"later"}) != ERR_OK)
            atomic_fetch_add(&t->errors, 1);
}

/* Counts every message key of conversation 1 in *count; or returns an error. */
static enum err
count_keys(struct db *db, int64_t *count)
{
    struct message_key keys[7];
    struct key_walk walk = {
        .conversation = 1, .until = INT64_MAX, .no_later = INT64_MAX, .rows = 7, .keys = keys};
    enum err err;

    do {
        err = messages_keys(db, &walk);
        *count += (int64_t)walk.count;
    } while (err == ERR_OK && walk.count == 7);
    return err;
}

/*
 * Returns the number of messages of conversation 1, if its row, its messages and the instance
 * agree; else -1.
 */
static int64_t
messages_seen(struct db *db)
{
    struct conversation c = {0};
    struct instance instance = {0};
    struct arena arena;
    int64_t count = 0;
    bool found = false;
    enum err err;

    arena_init(&arena);
    err = conversations_get(db, &arena, 1, &c, &found);
    arena_clear(&arena);
    if (err == ERR_OK)
        err = count_keys(db, &count);
    if (err == ERR_OK)
        err = instance_get(db, &instance);
    if (err != ERR_OK || !found || c.last_seq != count || c.version != count + 1 ||
        instance.last_message_id != count)
        return -1;
    return count;
}

static void
a_snapshot_sees_one_state(void **state)
{
    struct place *place = *state;
    struct other_thread t = {.place = place};
    struct snapshot *first;
    struct snapshot *second;

    run(place, found_group, NULL);
    run(place, post_one, (char[]){"one"});
    first = support_begin(place);
    assert_int_equal(messages_seen(first->db), 1);
    support_threads(1, post_three, &t);
    second = support_begin(place);
    assert_int_equal(messages_seen(second->db), 4);
    support_threads(1, post_three, &t);
    assert_int_equal(messages_seen(first->db), 1);
    assert_int_equal(messages_seen(second->db), 4);
    snapshot_end(first);
    assert_int_equal(messages_seen(second->db), 4);
    snapshot_end(second);
    first = support_begin(place);
    assert_int_equal(messages_seen(first->db), 7);
    snapshot_end(first);
    snapshot_end(NULL);
    assert_int_equal(atomic_load(&t.errors), 0);
}

#define THREADS 6
#define TURNS   40

/* Half of the threads write; the others read one state twice. */
static void
write_or_look(void *arg, int n)
{
    struct other_thread *t = arg;

    for (int i = 0; i < TURNS; i++) {
        struct snapshot *snapshot;
        int64_t seen;

        if (n % 2 == 0) {
            if (support_run(&t->place->store, post_one, (char[]){"x"}) != ERR_OK)
                atomic_fetch_add(&t->errors, 1);
            continue;
        }
        if (snapshot_begin(&t->place->store, &snapshot) != ERR_OK) {
            atomic_fetch_add(&t->errors, 1);
            continue;
        }
        seen = messages_seen(snapshot->db);
        if (seen < 0 || messages_seen(snapshot->db) != seen)
            atomic_fetch_add(&t->errors, 1);
        snapshot_end(snapshot);
    }
}

static void
readers_and_writers_do_not_meet(void **state)
{
    struct place *place = *state;
    struct other_thread t = {.place = place};

    run(place, found_group, NULL);
    support_threads(THREADS, write_or_look, &t);
    assert_int_equal(atomic_load(&t.errors), 0);
    assert_int_equal(support_conversation(place, 1).last_seq, THREADS / 2 * TURNS);
}

static void
a_read_only_store_sees_the_writes_of_another(void **state)
{
    struct place *place = *state;
    struct store reading = {0};
    struct snapshot *snapshot;

    run(place, found_group, NULL);
    assert_int_equal(store_open_for_reading(&reading, place->uri, 1, place->shared), ERR_OK);
    for (int64_t n = 0; n < 3; n++) {
        assert_int_equal(snapshot_begin(&reading, &snapshot), ERR_OK);
        assert_int_equal(messages_seen(snapshot->db), n);
        snapshot_end(snapshot);
        run(place, post_one, (char[]){"x"});
    }
    store_close(&reading);
    store_close(&reading);
    assert_int_equal(support_conversation(place, 1).last_seq, 3);
}

/* --- accounts and conversations */

static enum err
add_accounts(struct tx *tx, void *arg)
{
    enum err err = accounts_add(tx, str_c("ann"));

    (void)arg;
    if (err == ERR_OK)
        err = accounts_add(tx, str_c("ann"));
    return err == ERR_OK ? accounts_add(tx, (struct str){"bobby", 3}) : err;
}

static void
accounts_are_distinguished_by_every_byte(void **state)
{
    static const char *const others[] = {"Ann", "an", "anna", "bobby", "", "a"};
    struct place *place = *state;

    run(place, add_accounts, NULL);
    run(place, add_accounts, NULL);
    assert_true(support_has_account(place, "ann"));
    assert_true(support_has_account(place, "bob"));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(support_has_account(place, others[i]));
    /* The second time nothing was written. */
    assert_int_equal(atomic_load(&place->shared->counters.commits), 1);
}

/* A private chat of the pair in *arg. */
static enum err
add_pair(struct tx *tx, void *arg)
{
    const struct str *pair = arg;
    struct conversation c = {.type = TYPE_PRIVATE, .title = str_c("")};

    return conversations_add(tx, pair[0], pair[1], &c);
}

static void
a_pair_has_one_private_chat(void **state)
{
    struct place *place = *state;
    struct str pair[] = {str_c("ann"), str_c("bob")};
    struct str other[] = {str_c("ann"), str_c("cid")};
    struct snapshot *snapshot;
    int32_t id = 0;
    bool found;

    run(place, found_group, NULL);
    run(place, add_pair, pair);
    run(place, add_pair, other);
    assert_int_equal(support_run(&place->store, add_pair, pair), ERR_STORAGE);
    assert_int_equal(support_count_conversations(place), 3);
    snapshot = support_begin(place);
    assert_int_equal(conversations_by_pair(snapshot->db, pair[0], pair[1], &id, &found), ERR_OK);
    assert_true(found);
    assert_int_equal(id, 2);
    assert_int_equal(conversations_by_pair(snapshot->db, pair[1], other[1], &id, &found), ERR_OK);
    assert_false(found);
    snapshot_end(snapshot);
}

static enum err
bump_and_rename(struct tx *tx, void *arg)
{
    struct conversation *c = arg;
    enum err err;

    *c = conversation_in(tx, 1);
    c->title = str_c("Others");
    c->invite_only = true;
    err = conversations_bump(tx, c, 3, -1);
    return err == ERR_OK ? conversations_set_settings(tx, c) : err;
}

static void
a_conversation_is_read_as_it_was_stored(void **state)
{
    static const int32_t strange[] = {0, -1, 2, INT32_MAX, INT32_MIN};
    struct place *place = *state;
    struct conversation told;
    struct conversation c;
    struct snapshot *snapshot;
    bool found = true;

    run(place, found_group, NULL);
    c = support_conversation(place, 1);
    assert_int_equal(c.type, TYPE_GROUP);
    assert_true(str_is(c.title, "Us"));
    assert_false(c.invite_only);
    assert_int_equal(c.version, 1);
    assert_int_equal(c.last_seq, 0);
    assert_int_equal(c.member_count, 2);
    assert_int_equal(c.created_at, support_tick(place));
    assert_int_equal(c.updated_at, c.created_at);
    run(place, bump_and_rename, &told);
    c = support_conversation(place, 1);
    assert_true(str_is(c.title, "Others"));
    assert_true(c.invite_only);
    assert_int_equal(c.version, 2);
    assert_int_equal(told.version, 2);
    assert_int_equal(c.last_seq, 3);
    assert_int_equal(c.member_count, 1);
    assert_int_equal(c.updated_at, support_tick(place));
    assert_true(c.created_at < c.updated_at);
    snapshot = support_begin(place);
    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        assert_int_equal(conversations_get(snapshot->db, &place->arena, strange[i], &c, &found), ERR_OK);
        assert_false(found);
    }
    snapshot_end(snapshot);
}

static void
sending_reads_the_conversation_and_the_membership(void **state)
{
    struct place *place = *state;
    struct posting posting = {.sender = str_c("bob"), .conversation = {.id = 1}};
    struct snapshot *snapshot;
    struct db *db;

    run(place, found_group, NULL);
    run(place, post_one, (char[]){"x"});
    snapshot = support_begin(place);
    db = snapshot->db;
    assert_int_equal(conversations_for_sender(db, &posting), ERR_OK);
    assert_true(posting.found);
    assert_true(posting.is_member);
    assert_int_equal(posting.conversation.id, 1);
    assert_int_equal(posting.conversation.last_seq, 1);
    assert_int_equal(posting.conversation.version, 2);
    assert_int_equal(posting.conversation.member_count, 2);
    posting.sender = str_c("cid");
    assert_int_equal(conversations_for_sender(db, &posting), ERR_OK);
    assert_true(posting.found);
    assert_false(posting.is_member);
    posting = (struct posting){.sender = str_c("ann"), .conversation = {.id = 2}};
    assert_int_equal(conversations_for_sender(db, &posting), ERR_OK);
    assert_false(posting.found);
    snapshot_end(snapshot);
}

static enum err
add_key(struct tx *tx, void *arg)
{
    return conversations_add_key(tx, arg, 1);
}

static void
a_creation_key_is_used_once(void **state)
{
    struct place *place = *state;
    struct creation_key keys[] = {{str_c("ann"), str_c("k"), 1},
                                  {str_c("ann"), str_c("K"), 2},
                                  {str_c("bob"), str_c("k"), 65535},
                                  {str_c(""), str_c("k"), 0}};
    struct creation_key unknown = {str_c("cid"), str_c("k"), 1};
    struct snapshot *snapshot;
    int32_t id;
    int fingerprint;
    bool found;

    run(place, found_group, NULL);
    for (int i = 0; i < 4; i++)
        run(place, add_key, &keys[i]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(support_run(&place->store, add_key, &keys[i]), ERR_STORAGE);
    snapshot = support_begin(place);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(conversations_by_key(snapshot->db, &keys[i], &id, &fingerprint, &found), ERR_OK);
        assert_true(found);
        assert_int_equal(id, 1);
        assert_int_equal(fingerprint, keys[i].fingerprint);
    }
    assert_int_equal(conversations_by_key(snapshot->db, &unknown, &id, &fingerprint, &found), ERR_OK);
    assert_false(found);
    snapshot_end(snapshot);
}

/* --- memberships, compared with a model of all stays */

#define PEOPLE    5
#define STAYS_MAX 400
#define STEPS     150

static const char *const people[PEOPLE] = {"ann", "bob", "cid", "dan", "eve"};

struct model_stay {
    int who;
    struct stay stay;
    int64_t version; /* of the last change to it */
    bool is_last;
};

struct model {
    struct chance chance;
    struct conversation c;
    struct model_stay stays[STAYS_MAX];
    int count;
};

/* Returns the last stay of the user; NULL: there was none. */
static struct model_stay *
last_of(struct model *m, int who)
{
    for (int i = m->count - 1; i >= 0; i--)
        if (m->stays[i].who == who)
            return &m->stays[i];
    return NULL;
}

static bool
is_present(const struct model_stay *s)
{
    return s != NULL && s->stay.left_version == 0;
}

static enum err
model_join(struct tx *tx, struct model *m, int who)
{
    struct model_stay *before = last_of(m, who);
    enum err err = conversations_bump(tx, &m->c, 0, 1);

    if (err == ERR_OK)
        err = memberships_add(tx, &m->c, str_c(people[who]), ROLE_MEMBER);
    if (before != NULL)
        before->is_last = false;
    assert_true(m->count < STAYS_MAX);
    m->stays[m->count++] = (struct model_stay){
        .who = who,
        .version = m->c.version,
        .is_last = true,
        .stay = {.joined_version = m->c.version,
                 .after = m->c.last_seq,
                 .until = INT64_MAX,
                 .since_at = before == NULL ? tx->tick : before->stay.since_at,
                 .role = ROLE_MEMBER},
    };
    return err;
}

static enum err
model_leave(struct tx *tx, struct model *m, struct model_stay *s, bool removed)
{
    enum err err = conversations_bump(tx, &m->c, 0, -1);

    s->stay.left_version = m->c.version;
    s->stay.left_at = tx->tick;
    s->stay.until = m->c.last_seq;
    s->stay.removed = removed;
    s->version = m->c.version;
    return err == ERR_OK ? memberships_end(tx, &m->c, str_c(people[s->who]), s->stay.joined_version, removed)
                         : err;
}

/* Only members and admins: other tests are about owners. */
static enum err
model_set_role(struct tx *tx, struct model *m, struct model_stay *s, enum role role)
{
    enum err err = conversations_bump(tx, &m->c, 0, 0);

    s->stay.role = role;
    s->version = m->c.version;
    return err == ERR_OK ? memberships_set_role(tx, &m->c, str_c(people[s->who]), role) : err;
}

static enum err
live_on(struct tx *tx, void *arg)
{
    struct model *m = arg;
    int who = (int)support_draw(&m->chance, PEOPLE);
    struct model_stay *s = last_of(m, who);
    enum err err = ERR_OK;

    switch (support_draw(&m->chance, 4)) {
    case 0:
        err = post(tx, m->c.id, "ann", "x", NULL);
        m->c.version++;
        m->c.last_seq++;
        break;
    case 1:
        if (is_present(s))
            err = model_set_role(tx, m, s, support_draw(&m->chance, 2) == 0 ? ROLE_ADMIN : ROLE_MEMBER);
        break;
    default:
        err =
            is_present(s) ? model_leave(tx, m, s, support_draw(&m->chance, 2) == 0) : model_join(tx, m, who);
    }
    return err;
}

static enum err
found_empty(struct tx *tx, void *arg)
{
    struct model *m = arg;
    enum err err = ERR_OK;

    for (int i = 0; err == ERR_OK && i < PEOPLE; i++)
        err = accounts_add(tx, str_c(people[i]));
    m->c = (struct conversation){.type = TYPE_GROUP, .title = str_c("")};
    return err == ERR_OK ? conversations_add(tx, none, none, &m->c) : err;
}

static void
assert_stay(const struct stay *a, const struct stay *b)
{
    assert_int_equal(a->joined_version, b->joined_version);
    assert_int_equal(a->after, b->after);
    assert_int_equal(a->until, b->until);
    assert_int_equal(a->left_version, b->left_version);
    assert_int_equal(a->left_at, b->left_at);
    assert_int_equal(a->since_at, b->since_at);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->removed, b->removed);
}

/* Compares the user's last stay. */
static void
check_standing(struct model *m, struct db *db, int who)
{
    const struct model_stay *last = last_of(m, who);
    struct str name = str_c(people[who]);
    struct stay stay = {0};
    int64_t version = 0;
    enum role role;
    bool found;

    assert_int_equal(memberships_last(db, m->c.id, name, &stay, &found), ERR_OK);
    assert_int_equal(found, last != NULL);
    if (found)
        assert_stay(&stay, &last->stay);
    assert_int_equal(memberships_current(db, m->c.id, name, &version, &found), ERR_OK);
    assert_int_equal(found, is_present(last));
    if (found)
        assert_int_equal(version, last->stay.joined_version);
    assert_int_equal(memberships_role(db, m->c.id, name, &role), ERR_OK);
    assert_int_equal(role, is_present(last) ? last->stay.role : ROLE_NONE);
    assert_int_equal(memberships_first(db, m->c.id, name, &version), ERR_OK);
    for (int i = m->count - 1; i >= 0; i--)
        if (m->stays[i].who == who)
            stay = m->stays[i].stay;
    assert_int_equal(version, last == NULL ? 0 : stay.joined_version);
}

static bool
received(const struct model *m, int who, int64_t seq)
{
    for (int i = 0; i < m->count; i++)
        if (m->stays[i].who == who && seq > m->stays[i].stay.after && seq <= m->stays[i].stay.until)
            return true;
    return false;
}

/* The span contains the message, and its messages are all received or all not. */
static void
check_spans(const struct model *m, struct db *db, int who)
{
    for (int64_t seq = 1; seq <= m->c.last_seq + 1; seq++) {
        struct span span;

        assert_int_equal(memberships_span(db, m->c.id, str_c(people[who]), seq, &span), ERR_OK);
        assert_true(seq > span.after && seq <= span.until);
        assert_int_equal(span.received, received(m, who, seq));
        for (int64_t s = span.after + 1; s <= span.until && s <= m->c.last_seq; s++)
            assert_int_equal(received(m, who, s), span.received);
    }
}

static void
check_past(const struct model *m, struct db *db, int who)
{
    for (int64_t seq = 0; seq <= m->c.last_seq + 1; seq++) {
        const struct stay *wanted = NULL;
        struct span span;

        for (int i = 0; i < m->count; i++) {
            const struct stay *s = &m->stays[i].stay;

            if (m->stays[i].who == who && s->left_version != 0 && s->until > s->after && s->after < seq)
                wanted = s;
        }
        assert_int_equal(memberships_past_before(db, m->c.id, str_c(people[who]), seq, &span), ERR_OK);
        assert_int_equal(span.received, wanted != NULL);
        if (wanted != NULL) {
            assert_int_equal(span.after, wanted->after);
            assert_int_equal(span.until, wanted->until);
        }
    }
}

/* Whether the user received each message, as far as their last stay tells. */
static void
check_receipts(struct model *m, struct db *db, int who)
{
    const struct model_stay *last = last_of(m, who);
    struct message_key keys[7];
    enum receipt receipts[7];
    struct message_search search = {
        .viewer = str_c(people[who]), .rows = 7, .keys = keys, .receipts = receipts};
    int64_t seq = 0;

    do {
        assert_int_equal(messages_since(db, &search), ERR_OK);
        for (size_t i = 0; i < search.count; i++) {
            enum receipt wanted = RECEIPT_YES;

            assert_int_equal(keys[i].seq, ++seq);
            if (last == NULL || seq > last->stay.until)
                wanted = RECEIPT_NO;
            else if (seq <= last->stay.after)
                wanted = RECEIPT_EARLIER;
            assert_int_equal(receipts[i], wanted);
        }
    } while (!search.all);
    assert_int_equal(seq, m->c.last_seq);
}

/* Walks over the members whom the version concerns, and counts each: 1 if present, else 100. */
static void
count_concerned(const struct model *m, struct db *db, struct arena *arena, struct concerned_walk *walk,
                int seen[PEOPLE])
{
    struct concerned members[2 * PEOPLE];

    walk->conversation = m->c.id;
    walk->members = members;
    do {
        assert_int_equal(memberships_names_at(db, arena, walk), ERR_OK);
        assert_true(walk->count <= 2 * (size_t)walk->rows);
        for (size_t i = 0; i < walk->count; i++) {
            int who = 0;

            while (!str_is(members[i].name, people[who]))
                who++;
            seen[who] += members[i].present ? 1 : 100;
        }
    } while (!walk->all);
}

/*
 * Compares, for each version, the members when it was made, and those who left by it. Batches of 1
 * continue at every place.
 */
static void
check_concerned(const struct model *m, struct db *db, struct arena *arena)
{
    for (int64_t version = 1; version <= m->c.version + 1; version++) {
        int wanted[PEOPLE] = {0};

        for (int i = 0; i < m->count; i++) {
            const struct stay *s = &m->stays[i].stay;

            if (s->joined_version <= version && (s->left_version == 0 || s->left_version >= version))
                wanted[m->stays[i].who] += s->left_version == 0 ? 1 : 100;
        }
        for (int rows = 1; rows <= PEOPLE; rows += PEOPLE - 1) {
            struct concerned_walk walk = {.version = version, .rows = rows};
            int seen[PEOPLE] = {0};

            count_concerned(m, db, arena, &walk, seen);
            assert_memory_equal(seen, wanted, sizeof(seen));
        }
    }
}

/* The names of all present members are in order, at once and page by page. */
static void
check_names(struct model *m, struct db *db, struct arena *arena)
{
    struct conversation c = m->c;
    int n = 0;

    assert_int_equal(memberships_names(db, arena, &c, PEOPLE), ERR_OK);
    for (int who = 0; who < PEOPLE; who++)
        if (is_present(last_of(m, who)))
            assert_true(str_is(c.members[n++], people[who]));
    assert_int_equal(c.members_read, n);
    assert_int_equal(memberships_names(db, arena, &c, n - 1), ERR_OK);
    assert_int_equal(c.members_read, 0);
    for (int limit = 1; limit <= PEOPLE; limit++) {
        struct membership_page page = {
            .conversation = m->c.id, .after = none, .limit = limit, .has_next = n > 0};

        for (int seen = 0; page.has_next; seen += (int)page.count) {
            assert_int_equal(memberships_page(db, arena, &page), ERR_OK);
            assert_int_equal(page.count, n - seen < limit ? n - seen : limit);
            assert_int_equal(page.has_next, seen + (int)page.count < n);
            page.after = page.members[page.count - 1].username;
        }
    }
}

/* Returns the longest-standing present member with the role; NULL: there is none. */
static const char *
longest(struct model *m, enum role role)
{
    const struct model_stay *oldest = NULL;

    for (int who = 0; who < PEOPLE; who++) {
        const struct model_stay *s = last_of(m, who);

        if (is_present(s) && s->stay.role == role &&
            (oldest == NULL || s->stay.joined_version < oldest->stay.joined_version))
            oldest = s;
    }
    return oldest == NULL ? NULL : people[oldest->who];
}

static void
check_heir(struct model *m, struct db *db, struct arena *arena)
{
    const char *heir = longest(m, ROLE_ADMIN);
    struct str told;

    if (heir == NULL)
        heir = longest(m, ROLE_MEMBER);
    assert_int_equal(memberships_heir(db, arena, m->c.id, &told), ERR_OK);
    assert_int_equal(told.p == NULL, heir == NULL);
    assert_true(str_eq(told, str_c(heir)));
    assert_int_equal(memberships_owner(db, arena, m->c.id, &told), ERR_OK);
    assert_null(told.p);
}

static void
assert_step(const struct membership_step *step, const struct model_stay *s)
{
    assert_int_equal(step->version, s->version);
    assert_int_equal(step->standing.left, !is_present(s));
    assert_int_equal(step->standing.role, s->stay.role);
}

/* Each user once, ordered by the version of their last change. */
static void
check_walk(struct model *m, struct db *db, struct arena *arena)
{
    struct membership_walk walk = {.conversation = m->c.id};
    int64_t version = 0;
    int seen = 0;
    int wanted = 0;

    for (int who = 0; who < PEOPLE; who++)
        wanted += last_of(m, who) != NULL;
    do {
        assert_int_equal(memberships_walk(db, arena, &walk), ERR_OK);
        for (size_t i = 0; i < walk.count; i++) {
            const struct membership_step *step = &walk.steps[i];
            const struct model_stay *s;
            int who = 0;

            while (!str_is(step->standing.username, people[who]))
                who++;
            s = last_of(m, who);
            if (s == NULL)
                fail_msg("%s never was a member", people[who]);
            else
                assert_step(step, s);
            assert_true(step->version > version);
            version = step->version;
            seen++;
        }
    } while (walk.count > 0);
    assert_int_equal(seen, wanted);
}

static void
memberships_match_a_model_of_all_stays(void **state)
{
    struct place *place = *state;
    struct model *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    support_chance(&m->chance);
    run(place, found_empty, m);
    for (int step = 0; step < STEPS; step++) {
        struct snapshot *snapshot;

        run(place, live_on, m);
        if (step % 10 != 9)
            continue;
        snapshot = support_begin(place);
        for (int who = 0; who < PEOPLE; who++) {
            check_standing(m, snapshot->db, who);
            check_spans(m, snapshot->db, who);
            check_past(m, snapshot->db, who);
            check_receipts(m, snapshot->db, who);
        }
        check_concerned(m, snapshot->db, &place->arena);
        check_names(m, snapshot->db, &place->arena);
        check_heir(m, snapshot->db, &place->arena);
        check_walk(m, snapshot->db, &place->arena);
        snapshot_end(snapshot);
        arena_reset(&place->arena);
    }
    free(m);
}

/* arg: the user who becomes the owner, or joins as one. */
static enum err
crown(struct tx *tx, void *arg)
{
    struct conversation c = conversation_in(tx, 1);
    struct str name = str_c(arg);
    enum err err = conversations_bump(tx, &c, 0, 0);

    if (err != ERR_OK)
        return err;
    return str_is(name, "cid") ? memberships_add(tx, &c, name, ROLE_OWNER)
                               : memberships_set_role(tx, &c, name, ROLE_OWNER);
}

static void
a_group_has_at_most_one_owner(void **state)
{
    struct place *place = *state;
    const char *before;

    run(place, found_group, NULL);
    before = support_describe(place);
    assert_int_equal(support_run(&place->store, crown, (char[]){"bob"}), ERR_STORAGE);
    assert_int_equal(support_run(&place->store, crown, (char[]){"cid"}), ERR_STORAGE);
    assert_string_equal(support_describe(place), before);
    run(place, crown, (char[]){"ann"});
}

static enum err
add_stranger(struct tx *tx, void *arg)
{
    struct conversation c = conversation_in(tx, 1);

    return memberships_add(tx, &c, str_c(arg), ROLE_MEMBER);
}

static enum err
add_to_nothing(struct tx *tx, void *arg)
{
    struct conversation c = {.id = 99, .version = 1};

    (void)arg;
    return memberships_add(tx, &c, str_c("ann"), ROLE_MEMBER);
}

static enum err
mark_for_stranger(struct tx *tx, void *arg)
{
    return markers_set(tx, 1, str_c(arg), 1);
}

static enum err
post_as_stranger(struct tx *tx, void *arg)
{
    return post(tx, 1, arg, "x", NULL);
}

static void
rows_that_refer_to_unknown_objects_are_not_stored(void **state)
{
    struct place *place = *state;
    const char *before;

    run(place, found_group, NULL);
    before = support_describe(place);
    assert_int_equal(support_run(&place->store, add_stranger, (char[]){"zoe"}), ERR_STORAGE);
    assert_int_equal(support_run(&place->store, add_to_nothing, NULL), ERR_STORAGE);
    assert_int_equal(support_run(&place->store, mark_for_stranger, (char[]){"zoe"}), ERR_STORAGE);
    assert_int_equal(support_run(&place->store, post_as_stranger, (char[]){"zoe"}), ERR_STORAGE);
    assert_string_equal(support_describe(place), before);
}

/* --- a user's conversations */

/* Six groups of ann and bob, created in a tick each; ann leaves every third one. */
static enum err
found_next(struct tx *tx, void *arg)
{
    int *number = arg;
    struct conversation c = {.type = TYPE_GROUP, .title = str_c(""), .member_count = 2};
    enum err err = conversations_add(tx, none, none, &c);

    if (err == ERR_OK)
        err = memberships_add(tx, &c, str_c("ann"), ROLE_MEMBER);
    if (err == ERR_OK)
        err = memberships_add(tx, &c, str_c("bob"), ROLE_MEMBER);
    if (err == ERR_OK && ++*number % 3 == 0) {
        err = conversations_bump(tx, &c, 0, -1);
        if (err == ERR_OK)
            err = memberships_end(tx, &c, str_c("ann"), 1, false);
    }
    return err;
}

/* The positions of a part of ann's list, read in batches of `rows`. */
struct walked {
    struct list_position entries[16];
    int count;
};

static struct walked
walk_list(struct place *place, struct db *db, bool left, int rows, struct list_walk walk)
{
    struct walked w = {.count = 0};

    walk.username = str_c("ann");
    walk.rows = rows;
    do {
        assert_int_equal((left ? memberships_left : memberships_present)(db, &place->arena, &walk), ERR_OK);
        assert_true(walk.count <= (size_t)rows);
        for (size_t i = 0; i < walk.count; i++) {
            assert_in_range(w.count, 0, 15);
            if (w.count > 0)
                assert_true(walk.positions[i].active_at <= w.entries[w.count - 1].active_at);
            w.entries[w.count++] = walk.positions[i];
        }
    } while (walk.count == (size_t)rows);
    return w;
}

/* Conversations 2 … 7 of found_next(). */
static void
found_six(struct place *place)
{
    int number = 0;

    run(place, found_group, NULL);
    for (int i = 0; i < 6; i++)
        run(place, found_next, &number);
}

static void
a_users_list_is_walked_from_the_latest_on(void **state)
{
    struct place *place = *state;
    struct list_walk all = {.after = -1, .until = ACTIVE_ALWAYS};
    struct walked left;
    struct snapshot *snapshot;

    found_six(place);
    snapshot = support_begin(place);
    for (int rows = 1; rows <= 8; rows++) {
        struct walked present = walk_list(place, snapshot->db, false, rows, all);

        assert_int_equal(present.count, 5);
        assert_int_equal(present.entries[0].conversation, 6);
        assert_int_equal(present.entries[4].conversation, 1);
        assert_false(present.entries[0].left);
        left = walk_list(place, snapshot->db, true, rows, all);
        assert_int_equal(left.count, 2);
        assert_int_equal(left.entries[0].conversation, 7);
        assert_int_equal(left.entries[1].conversation, 4);
        assert_true(left.entries[0].left);
        assert_int_equal(left.entries[0].version, 2);
        assert_int_equal(left.entries[0].last_seq, 0);
        assert_int_equal(left.entries[0].type, TYPE_GROUP);
    }
    all.until = left.entries[1].active_at;
    assert_int_equal(walk_list(place, snapshot->db, true, 8, all).count, 1);
    all.after = all.until;
    assert_int_equal(walk_list(place, snapshot->db, true, 8, all).count, 0);
    snapshot_end(snapshot);
}

/* ann joins three more groups in one transaction. */
static enum err
found_three(struct tx *tx, void *arg)
{
    enum err err = ERR_OK;
    int number = 0;

    (void)arg;
    for (int i = 0; i < 3 && err == ERR_OK; i++) {
        number = 0;
        err = found_next(tx, &number);
    }
    return err;
}

/* A batch may end between conversations that were active in the same tick. */
static void
a_walk_of_a_list_misses_nothing_of_a_tick(void **state)
{
    struct place *place = *state;
    struct snapshot *snapshot;

    found_six(place);
    run(place, found_three, NULL);
    snapshot = support_begin(place);
    for (int rows = 1; rows <= 9; rows++) {
        struct walked w = walk_list(place, snapshot->db, false, rows,
                                    (struct list_walk){.after = -1, .until = ACTIVE_ALWAYS});

        assert_int_equal(w.count, 8);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(w.entries[i].conversation, 10 - i);
            assert_int_equal(w.entries[i].active_at, w.entries[0].active_at);
        }
    }
    snapshot_end(snapshot);
}

static void
a_users_active_conversations_are_found(void **state)
{
    struct place *place = *state;
    struct active_search search = {.username = str_c("ann"), .limit = 10};
    struct joined_first first = {.username = str_c("ann"), .limit = 4};
    struct snapshot *snapshot;

    found_six(place);
    search.after = support_conversation(place, 5).updated_at;
    snapshot = support_begin(place);
    assert_int_equal(memberships_active(snapshot->db, &place->arena, &search), ERR_OK);
    assert_true(search.all);
    assert_int_equal(search.count, 2);
    for (size_t i = 0; i < search.count; i++) {
        bool left = search.joined[i].conversation == 7;

        assert_true(left || search.joined[i].conversation == 6);
        assert_int_equal(search.joined[i].last_seq, 0);
        assert_int_equal(search.joined[i].joined_seq, left ? INT64_MAX : 0);
    }
    search.limit = 1;
    assert_int_equal(memberships_active(snapshot->db, &place->arena, &search), ERR_OK);
    assert_false(search.all);
    assert_true(search.count <= 1);
    assert_int_equal(memberships_since(snapshot->db, &place->arena, &first), ERR_OK);
    assert_int_equal(first.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(first.joined[i].conversation, i + 1);
        assert_int_equal(first.joined[i].left_at == INT64_MAX, i + 1 != 4);
        if (i > 0)
            assert_true(first.joined[i].since_at > first.joined[i - 1].since_at);
    }
    first.username = str_c("cid");
    assert_int_equal(memberships_since(snapshot->db, &place->arena, &first), ERR_OK);
    assert_int_equal(first.count, 0);
    snapshot_end(snapshot);
}

/* --- messages */

static enum err
post_keyed(struct tx *tx, void *arg)
{
    return post(tx, 1, "ann", "keyed", arg);
}

static void
a_message_is_found_by_place_id_and_key(void **state)
{
    struct place *place = *state;
    const struct message_reader reader = {0};
    struct message_reader r = reader;
    struct message_key key;
    struct snapshot *snapshot;
    struct message m;
    int fingerprint;
    bool found;

    run(place, found_group, NULL);
    run(place, post_one, (char[]){"one"});
    run(place, post_keyed, (char[]){"k"});
    assert_int_equal(support_run(&place->store, post_keyed, (char[]){"k"}), ERR_STORAGE);
    snapshot = support_begin(place);
    r.db = snapshot->db;
    r.arena = &place->arena;
    r.viewer = str_c("ann");
    assert_int_equal(messages_get(&r, 1, 2, &m, &found), ERR_OK);
    assert_true(found);
    assert_int_equal(m.id, 2);
    assert_true(str_is(m.sender, "ann"));
    assert_true(str_is(m.content, "keyed"));
    assert_true(str_is(m.client_id, "k"));
    assert_true(m.has_viewer);
    assert_int_equal(m.reply_to + m.edited_at + m.deleted_at + m.changed_version + m.emoji_count, 0);
    assert_int_equal(messages_by_id(&r, 1, &m, &found), ERR_OK);
    assert_true(found && m.seq == 1 && m.client_id.p == NULL && str_is(m.content, "one"));
    assert_int_equal(messages_head(r.db, r.arena, 2, &m, &found), ERR_OK);
    assert_true(found && m.content.n == 0 && str_is(m.client_id, "k"));
    assert_int_equal(messages_content(r.db, r.arena, &m), ERR_OK);
    assert_true(str_is(m.content, "keyed"));
    assert_int_equal(messages_key(r.db, 2, &key, &found), ERR_OK);
    assert_true(found && key.id == 2 && key.conversation == 1 && key.seq == 2);
    assert_int_equal(key.timestamp, m.timestamp);
    assert_int_equal(messages_by_client_id(&r, str_c("k"), &m, &fingerprint, &found), ERR_OK);
    assert_true(found && m.id == 2 && fingerprint == -1);
    snapshot_end(snapshot);
}

static void
no_message_is_found_where_there_is_none(void **state)
{
    static const int64_t strange[] = {0, -1, 2, INT64_MAX, INT64_MIN};
    struct place *place = *state;
    struct message_reader r = {.arena = &place->arena, .viewer = str_c("bob")};
    struct message_key key;
    struct snapshot *snapshot;
    struct message m = {.conversation = 1, .seq = 99};
    int fingerprint;
    bool found;

    run(place, found_group, NULL);
    run(place, post_keyed, (char[]){"k"});
    snapshot = support_begin(place);
    r.db = snapshot->db;
    assert_int_equal(messages_content(r.db, r.arena, &m), ERR_STORAGE);
    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        assert_int_equal(messages_get(&r, 1, strange[i], &m, &found), ERR_OK);
        assert_false(found);
        assert_int_equal(messages_by_id(&r, strange[i], &m, &found), ERR_OK);
        assert_false(found);
        assert_int_equal(messages_head(r.db, r.arena, strange[i], &m, &found), ERR_OK);
        assert_false(found);
        assert_int_equal(messages_key(r.db, strange[i], &key, &found), ERR_OK);
        assert_false(found);
    }
    assert_int_equal(messages_get(&r, 2, 1, &m, &found), ERR_OK);
    assert_false(found);
    /* Keys are the sender's own. */
    assert_int_equal(messages_by_client_id(&r, str_c("k"), &m, &fingerprint, &found), ERR_OK);
    assert_false(found);
    snapshot_end(snapshot);
}

/* Edits message 1, and then deletes it. */
static enum err
edit_first(struct tx *tx, void *arg)
{
    struct message_reader r = {.db = tx->db, .arena = arg};
    struct conversation c = conversation_in(tx, 1);
    struct message m;
    bool found;
    enum err err = messages_by_id(&r, 1, &m, &found);

    if (err == ERR_OK)
        err = conversations_bump(tx, &c, 0, 0);
    if (err == ERR_OK)
        err = messages_edit(tx, &m, str_c("other"), c.version);
    assert_true(str_is(m.content, "other"));
    assert_int_equal(m.edited_at, tx->tick);
    assert_int_equal(m.changed_version, c.version);
    return err;
}

static enum err
delete_first(struct tx *tx, void *arg)
{
    struct message_reader r = {.db = tx->db, .arena = arg};
    struct conversation c = conversation_in(tx, 1);
    struct message m;
    bool found;
    enum err err = messages_by_id(&r, 1, &m, &found);

    if (err == ERR_OK)
        err = conversations_bump(tx, &c, 0, 0);
    if (err == ERR_OK)
        err = messages_delete(tx, &m, c.version);
    assert_int_equal(m.content.n, 0);
    assert_int_equal(m.deleted_at, tx->tick);
    return err;
}

/* Returns message 1 in its present state, and the fingerprint of its first content. */
static struct message
first_now(struct place *place, int *fingerprint)
{
    struct snapshot *snapshot = support_begin(place);
    struct message_reader r = {snapshot->db, &place->arena, str_c("ann")};
    struct message m;
    bool found;

    assert_int_equal(messages_by_client_id(&r, str_c("k"), &m, fingerprint, &found), ERR_OK);
    assert_true(found);
    snapshot_end(snapshot);
    return m;
}

static void
edits_and_deletions_keep_the_fingerprint_of_the_first_content(void **state)
{
    struct place *place = *state;
    struct message m;
    int fingerprint;

    run(place, found_group, NULL);
    run(place, post_keyed, (char[]){"k"});
    m = first_now(place, &fingerprint);
    assert_int_equal(fingerprint, -1);
    for (int i = 0; i < 2; i++) {
        run(place, edit_first, &place->arena);
        m = first_now(place, &fingerprint);
        assert_int_equal(fingerprint, messages_fingerprint(str_c("keyed")));
        assert_true(str_is(m.content, "other"));
        assert_int_equal(m.edited_at, support_tick(place));
        assert_int_equal(m.changed_version, 3 + i);
    }
    run(place, delete_first, &place->arena);
    m = first_now(place, &fingerprint);
    assert_int_equal(fingerprint, messages_fingerprint(str_c("keyed")));
    assert_int_equal(m.content.n, 0);
    assert_int_equal(m.edited_at, 0);
    assert_int_equal(m.deleted_at, support_tick(place));
    assert_int_equal(m.changed_version, 5);
}

/* Thirty messages: bob's are those whose seq is a multiple of three. One tick for every two. */
static void
post_thirty(struct place *place)
{
    run(place, found_group, NULL);
    for (int i = 1; i <= 30; i++)
        run(place, i % 3 == 0 ? post_as_stranger : post_one, i % 3 == 0 ? (char[]){"bob"} : (char[]){"x"});
}

struct collected {
    int64_t seqs[64];
    int count;
    int limit;
};

static bool
collect_message(void *arg, const struct message *m)
{
    struct collected *c = arg;

    c->seqs[c->count++] = m->seq;
    return c->count < c->limit;
}

/* Notes the keys of a batch. */
static void
collect_keys(struct collected *c, const struct message_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(keys[i].conversation, 1);
        assert_in_range(c->count, 0, 63);
        c->seqs[c->count++] = keys[i].seq;
    }
}

/* Asserts that these are the keys first, first + 1 …, as many as expected. */
static void
assert_run(const struct collected *c, int64_t first, int count)
{
    assert_int_equal(c->count, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(c->seqs[i], first + i);
}

static void
messages_are_read_by_seq(void **state)
{
    struct place *place = *state;
    struct message_reader r = {.arena = &place->arena};
    struct collected c = {.limit = 64};
    struct snapshot *snapshot;

    post_thirty(place);
    snapshot = support_begin(place);
    r.db = snapshot->db;
    support_each_message(&r, 1, 1, collect_message, &c);
    assert_run(&c, 1, 30);
    c = (struct collected){.limit = 4};
    support_each_message(&r, 1, 20, collect_message, &c);
    assert_run(&c, 20, 4);
    c = (struct collected){.limit = 64};
    support_each_message(&r, 1, 31, collect_message, &c);
    support_each_message(&r, 2, 1, collect_message, &c);
    support_each_message(&r, 1, INT64_MAX, collect_message, &c);
    assert_run(&c, 0, 0);
    snapshot_end(snapshot);
}

/*
 * Returns the keys after < seq <= until that are not later, read in batches of `rows`, and in
 * *later the walk's.
 */
static struct collected
walk_keys(struct db *db, struct key_walk walk, int rows, bool *later)
{
    struct message_key keys[64];
    struct collected c = {0};

    walk.conversation = 1;
    walk.rows = rows;
    walk.keys = keys;
    do {
        assert_int_equal(messages_keys(db, &walk), ERR_OK);
        assert_true(walk.count <= (size_t)rows);
        collect_keys(&c, keys, walk.count);
    } while (walk.count == (size_t)rows);
    *later = walk.later;
    return c;
}

static void
keys_of_a_conversation_are_walked_by_seq(void **state)
{
    static const int rows[] = {1, 3, 5, 6, 64};
    struct place *place = *state;
    struct snapshot *snapshot;
    struct collected c;
    struct message m;
    bool later;

    post_thirty(place);
    assert_int_equal(support_message(place, 20, &m), ERR_OK);
    snapshot = support_begin(place);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct key_walk some = {.after = 4, .until = 9, .no_later = INT64_MAX};
        struct key_walk rest = {.after = 4, .until = INT64_MAX, .no_later = INT64_MAX};
        struct key_walk empty = {.after = 8, .until = 8, .no_later = INT64_MAX};
        struct key_walk early = {.after = 4, .until = 25, .no_later = m.timestamp};

        c = walk_keys(snapshot->db, some, rows[i], &later);
        assert_run(&c, 5, 5);
        assert_false(later);
        c = walk_keys(snapshot->db, rest, rows[i], &later);
        assert_run(&c, 5, 26);
        c = walk_keys(snapshot->db, empty, rows[i], &later);
        assert_run(&c, 0, 0);
        c = walk_keys(snapshot->db, early, rows[i], &later);
        assert_run(&c, 5, 16);
        assert_true(later);
    }
    snapshot_end(snapshot);
}

static void
a_page_before_a_seq_is_bounded_by_number_and_bytes(void **state)
{
    static const struct {
        int64_t seq;
        int limit;
        size_t bytes;
        int64_t first;
    } cases[] = {{31, 10, 1000, 21}, {31, 100, 1000, 1}, {5, 3, 1000, 2}, {1, 5, 1000, 1},
                 {31, 10, 0, 30},    {31, 10, 2, 28},    {2, 1, 0, 1}};
    struct place *place = *state;
    struct snapshot *snapshot;

    post_thirty(place);
    snapshot = support_begin(place);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message_page page = {
            .conversation = 1, .before = cases[i].seq, .limit = cases[i].limit, .bytes = cases[i].bytes};

        assert_int_equal(messages_page_before(snapshot->db, &page), ERR_OK);
        assert_int_equal(page.first, cases[i].first);
    }
    snapshot_end(snapshot);
}

/* One batch of the keys since the moment. */
static struct message_search
search_since(struct db *db, int64_t after, int rows, struct collected *c)
{
    struct message_key keys[64];
    struct message_search search = {.after = after, .rows = rows, .keys = keys};

    *c = (struct collected){0};
    assert_int_equal(messages_since(db, &search), ERR_OK);
    collect_keys(c, keys, search.count);
    return search;
}

static void
messages_anywhere_are_read_by_time(void **state)
{
    struct place *place = *state;
    struct collected c;
    struct snapshot *snapshot;
    struct message m;

    post_thirty(place);
    assert_int_equal(support_message(place, 20, &m), ERR_OK);
    snapshot = support_begin(place);
    assert_true(search_since(snapshot->db, m.timestamp, 10, &c).all);
    assert_run(&c, 21, 10);
    assert_false(search_since(snapshot->db, m.timestamp - 1, 10, &c).all);
    assert_run(&c, 20, 10);
    assert_true(search_since(snapshot->db, INT64_MAX, 10, &c).all);
    assert_run(&c, 0, 0);
    for (int rows = 1; rows <= 31; rows++) {
        struct message_key keys[31];
        struct message_search search = {.rows = rows, .keys = keys};

        c = (struct collected){0};
        do {
            assert_int_equal(messages_since(snapshot->db, &search), ERR_OK);
            collect_keys(&c, keys, search.count);
        } while (!search.all);
        assert_run(&c, 1, 30);
    }
    snapshot_end(snapshot);
}

/* Deletes the message *arg. */
static enum err
delete_one(struct tx *tx, void *arg)
{
    struct conversation c = conversation_in(tx, 1);
    struct arena arena;
    struct message m;
    enum err err = conversations_bump(tx, &c, 0, 0);

    arena_init(&arena);
    m = head_in(tx, &arena, *(const int64_t *)arg);
    if (err == ERR_OK)
        err = messages_delete(tx, &m, c.version);
    arena_clear(&arena);
    return err;
}

/* Walks to the end in batches of `rows`; collects seqs. */
static void
walk_all(struct db *db, struct arena *arena, enum message_order order, int rows, struct collected *c)
{
    struct message_walk walk = {
        .order = order, .conversation = 1, .from = order == MESSAGES_BY_CHANGE ? 0 : 1, .rows = rows};
    struct message_reader r = {.db = db, .arena = arena};
    int64_t version = 0;

    *c = (struct collected){0};
    do {
        assert_int_equal(messages_walk(&r, &walk), ERR_OK);
        assert_true(walk.count <= (size_t)rows);
        for (size_t i = 0; i < walk.count; i++) {
            const struct message_step *step = &walk.steps[i];

            assert_true(order == MESSAGES_BY_SEQ || step->version > version);
            version = step->version;
            if (order == MESSAGES_BY_CHANGE)
                assert_int_equal(version, step->message.changed_version);
            assert_int_equal(step->message.id == 0, step->changed_since);
            c->seqs[c->count++] = step->message.seq;
        }
    } while (walk.count > 0);
}

/* Returns which messages a walk by creation leaves to the walk by change. */
static int
count_changed_since(struct db *db, struct arena *arena)
{
    struct message_walk walk = {.order = MESSAGES_BY_CREATION, .conversation = 1, .from = 1, .rows = 30};
    struct message_reader r = {.db = db, .arena = arena};
    int count = 0;

    assert_int_equal(messages_walk(&r, &walk), ERR_OK);
    for (size_t i = 0; i < walk.count; i++)
        count += walk.steps[i].changed_since;
    return count;
}

static void
walks_come_to_every_message_in_order(void **state)
{
    static const int rows[] = {1, 2, 7, 30, 64};
    struct place *place = *state;
    struct snapshot *snapshot;

    post_thirty(place);
    for (int64_t id = 25; id > 5; id -= 10)
        run(place, delete_one, &id);
    snapshot = support_begin(place);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct collected c;

        walk_all(snapshot->db, &place->arena, MESSAGES_BY_SEQ, rows[i], &c);
        assert_run(&c, 1, 30);
        walk_all(snapshot->db, &place->arena, MESSAGES_BY_CREATION, rows[i], &c);
        assert_run(&c, 1, 30);
        walk_all(snapshot->db, &place->arena, MESSAGES_BY_CHANGE, rows[i], &c);
        assert_int_equal(c.count, 2);
        assert_int_equal(c.seqs[0], 25);
        assert_int_equal(c.seqs[1], 15);
    }
    assert_int_equal(count_changed_since(snapshot->db, &place->arena), 2);
    snapshot_end(snapshot);
}

static void
messages_at_places_come_in_their_order(void **state)
{
    static const struct message_place places[] = {{1, 30}, {1, 0}, {2, 1}, {1, 31}, {1, 5}, {1, 5}, {1, 1}};
    static const int64_t seqs[] = {30, 0, 0, 0, 5, 5, 1};
    struct place *place = *state;
    struct message_reader r = {.arena = &place->arena, .viewer = str_c("ann")};
    struct message_batch batch = {.places = places, .place_count = 7};
    struct snapshot *snapshot;

    post_thirty(place);
    snapshot = support_begin(place);
    r.db = snapshot->db;
    assert_int_equal(messages_at(&r, &batch), ERR_OK);
    assert_int_equal(batch.count, 7);
    for (size_t i = 0; i < batch.count; i++) {
        assert_int_equal(batch.messages[i].seq, seqs[i]);
        assert_int_equal(batch.messages[i].id, seqs[i]);
    }
    batch.place_count = 0;
    assert_int_equal(messages_at(&r, &batch), ERR_OK);
    assert_int_equal(batch.count, 0);
    snapshot_end(snapshot);
}

/* Returns a content of the maximum length, or longer. */
static const char *
large_content(void)
{
    static char text[12001];

    memset(text, 'x', sizeof(text) - 1);
    return text;
}

static enum err
post_large(struct tx *tx, void *arg)
{
    (void)arg;
    return post(tx, 1, "ann", large_content(), NULL);
}

#define LARGE 50

/* So many large messages take more than two batches. */
static void
a_batch_of_messages_is_bounded_by_bytes(void **state)
{
    struct place *place = *state;
    struct message_reader r = {.arena = &place->arena};
    struct message_walk walk = {.conversation = 1, .from = 1, .rows = LARGE};
    struct message_place places[LARGE];
    struct message_batch batch = {.places = places, .place_count = LARGE};
    struct snapshot *snapshot;
    size_t most = MESSAGES_BATCH_BYTES / strlen(large_content()) + 1;
    size_t walked = 0;

    run(place, found_group, NULL);
    for (int i = 0; i < LARGE; i++) {
        run(place, post_large, NULL);
        places[i] = (struct message_place){1, i + 1};
    }
    snapshot = support_begin(place);
    r.db = snapshot->db;
    assert_int_equal(messages_at(&r, &batch), ERR_OK);
    assert_int_equal(batch.count, most);
    assert_int_equal(messages_walk(&r, &walk), ERR_OK);
    assert_int_equal(walk.count, most);
    for (walked = walk.count; walk.count > 0; walked += walk.count) {
        assert_int_equal(walk.from, walked + 1);
        assert_int_equal(messages_walk(&r, &walk), ERR_OK);
    }
    assert_int_equal(walked, LARGE);
    snapshot_end(snapshot);
}

/* --- the entries of a page of a user's list */

/* bob leaves conversation 1, or comes back. */
static enum err
leave_one(struct tx *tx, void *arg)
{
    struct conversation c = conversation_in(tx, 1);
    int64_t joined_version = 0;
    bool is_member = false;
    enum err err = memberships_current(tx->db, 1, str_c("bob"), &joined_version, &is_member);

    (void)arg;
    assert_true(is_member);
    if (err == ERR_OK)
        err = conversations_bump(tx, &c, 0, -1);
    return err == ERR_OK ? memberships_end(tx, &c, str_c("bob"), joined_version, false) : err;
}

static enum err
come_back(struct tx *tx, void *arg)
{
    struct conversation c = conversation_in(tx, 1);
    enum err err = conversations_bump(tx, &c, 0, 1);

    (void)arg;
    return err == ERR_OK ? memberships_add(tx, &c, str_c("bob"), ROLE_MEMBER) : err;
}

/* Returns the user's row of conversation 1. */
static struct listing_row
row_of(struct place *place, const char *username)
{
    struct snapshot *snapshot = support_begin(place);
    struct listing_row row = {.id = 1};
    struct arena *arena = &place->arena;

    assert_int_equal(listings_standing(snapshot->db, arena, str_c(username), &row, 1), ERR_OK);
    assert_int_equal(listings_names(snapshot->db, arena, &row, 1), ERR_OK);
    assert_int_equal(listings_unread(snapshot->db, str_c(username), &row, 1), ERR_OK);
    snapshot_end(snapshot);
    return row;
}

static int64_t
count_after(struct place *place, const char *username, int64_t read_seq)
{
    struct listing_row row = row_of(place, username);
    struct snapshot *snapshot = support_begin(place);

    row.read_seq = read_seq;
    assert_int_equal(listings_unread(snapshot->db, str_c(username), &row, 1), ERR_OK);
    snapshot_end(snapshot);
    return row.unread;
}

static enum err
post_thousands(struct tx *tx, void *arg)
{
    enum err err = ERR_OK;

    (void)arg;
    for (int i = 0; err == ERR_OK && i < UNREAD_MAX + 10; i++)
        err = post(tx, 1, "ann", "x", NULL);
    return err;
}

static void
unread_messages_of_others_are_counted_up_to_a_limit(void **state)
{
    struct place *place = *state;
    int64_t id = 4;

    post_thirty(place);
    run(place, delete_one, &id);
    assert_int_equal(count_after(place, "ann", 0), 10);
    assert_int_equal(count_after(place, "bob", 0), 19);
    assert_int_equal(count_after(place, "bob", 3), 17);
    assert_int_equal(count_after(place, "bob", 29), 0);
    assert_int_equal(count_after(place, "bob", 30), 0);
    assert_int_equal(count_after(place, "bob", 99), 0);
    run(place, post_thousands, NULL);
    assert_int_equal(count_after(place, "ann", 0), 10);
    assert_int_equal(count_after(place, "bob", 0), UNREAD_MAX);
}

static void
messages_outside_of_ones_stays_are_neither_unread_nor_newest(void **state)
{
    struct place *place = *state;
    struct listing_row row;

    post_thirty(place);
    run(place, leave_one, NULL);
    run(place, post_one, (char[]){"missed"});
    row = row_of(place, "bob");
    assert_int_equal(row.unread, 20);
    assert_int_equal(row.newest_seq, 30);
    assert_int_equal(row.last.until, 30);
    assert_int_equal(row.conversation.last_seq, 31);
    assert_int_equal(row.conversation.members_read, 1);
    run(place, come_back, NULL);
    row = row_of(place, "bob");
    assert_int_equal(row.unread, 20);
    assert_int_equal(row.newest_seq, 30);
    assert_int_equal(row.last.after, 31);
    run(place, post_one, (char[]){"received"});
    row = row_of(place, "bob");
    assert_int_equal(row.unread, 21);
    assert_int_equal(row.newest_seq, 32);
    assert_int_equal(row.conversation.members_read, 2);
}

/* Creates groups 2 … 5 of ann, also of bob if the id is even. */
static enum err
found_groups(struct tx *tx, void *arg)
{
    enum err err = found_group(tx, arg);

    for (int i = 2; err == ERR_OK && i <= 5; i++) {
        struct conversation c = {.type = TYPE_GROUP, .title = str_c("x"), .member_count = i % 2 == 0 ? 2 : 1};

        err = conversations_add(tx, none, none, &c);
        if (err == ERR_OK)
            err = memberships_add(tx, &c, str_c("ann"), ROLE_ADMIN);
        if (err == ERR_OK && i % 2 == 0)
            err = memberships_add(tx, &c, str_c("bob"), ROLE_MEMBER);
        if (err == ERR_OK)
            err = markers_set(tx, c.id, str_c("ann"), i);
    }
    return err;
}

static void
assert_row(struct db *db, struct arena *arena, const struct listing_row *row)
{
    struct conversation c;
    struct stay last;
    int64_t read_seq;
    bool found;

    assert_int_equal(conversations_get(db, arena, row->id, &c, &found), ERR_OK);
    assert_int_equal(row->conversation.id, row->id);
    assert_int_equal(row->conversation.version, c.version);
    assert_int_equal(row->conversation.created_at, c.created_at);
    assert_int_equal(row->conversation.updated_at, c.updated_at);
    assert_int_equal(row->conversation.member_count, c.member_count);
    assert_true(str_eq(row->conversation.title, c.title));
    assert_int_equal(row->conversation.members_read, c.member_count);
    assert_true(str_is(row->conversation.members[0], "ann"));
    assert_int_equal(memberships_last(db, row->id, str_c("ann"), &last, &found), ERR_OK);
    assert_int_equal(row->last.joined_version, last.joined_version);
    assert_int_equal(row->last.role, last.role);
    assert_int_equal(row->last.since_at, last.since_at);
    assert_int_equal(markers_get(db, row->id, str_c("ann"), &read_seq), ERR_OK);
    assert_int_equal(row->read_seq, read_seq);
    assert_int_equal(row->newest_seq, 0);
    assert_int_equal(row->unread, 0);
}

static void
a_page_does_not_mix_up_its_entries(void **state)
{
    struct place *place = *state;
    struct arena *arena = &place->arena;
    struct listing_row rows[] = {{.id = 5}, {.id = 1}, {.id = 2}, {.id = 4}, {.id = 3}};
    struct listing_row strange[] = {{.id = 1}, {.id = 6}};
    struct snapshot *snapshot;
    struct db *db;

    run(place, found_groups, NULL);
    snapshot = support_begin(place);
    db = snapshot->db;
    assert_int_equal(listings_standing(db, arena, str_c("ann"), rows, 5), ERR_OK);
    assert_int_equal(listings_names(db, arena, rows, 5), ERR_OK);
    assert_int_equal(listings_unread(db, str_c("ann"), rows, 5), ERR_OK);
    for (size_t i = 0; i < 5; i++)
        assert_row(db, arena, &rows[i]);
    assert_int_equal(listings_standing(db, arena, str_c("ann"), rows, 0), ERR_OK);
    assert_int_equal(listings_standing(db, arena, str_c("ann"), strange, 2), ERR_STORAGE);
    assert_int_equal(listings_standing(db, arena, str_c("cid"), strange, 1), ERR_STORAGE);
    snapshot_end(snapshot);
}

/* --- read markers */

struct mark {
    const char *username;
    int64_t seq;
};

static enum err
set_mark(struct tx *tx, void *arg)
{
    const struct mark *mark = arg;

    return markers_set(tx, 1, str_c(mark->username), mark->seq);
}

/*
 * Returns how many conversations the user has read in since, read in batches of `rows`; *last: the
 * last one.
 */
static int
walk_moved(struct place *place, struct db *db, const char *username, int64_t from, int rows,
           struct moved_marker *last)
{
    struct moved_walk walk = {.username = str_c(username), .from = from, .rows = rows};
    int count = 0;

    do {
        assert_int_equal(markers_moved(db, &place->arena, &walk), ERR_OK);
        assert_true(walk.count <= (size_t)rows);
        for (size_t i = 0; i < walk.count; i++) {
            *last = walk.moved[i];
            count++;
        }
    } while (walk.count == (size_t)rows);
    return count;
}

/* bob reads in conversations 2 … 7, in one tick. */
static enum err
read_six(struct tx *tx, void *arg)
{
    enum err err = ERR_OK;

    (void)arg;
    for (int32_t id = 2; id <= 7 && err == ERR_OK; id++)
        err = markers_set(tx, id, str_c("bob"), 1);
    return err;
}

/* A batch may end between markers that moved in the same tick. */
static void
a_walk_of_markers_misses_nothing_of_a_tick(void **state)
{
    struct place *place = *state;
    struct snapshot *snapshot;
    struct moved_marker last = {0};
    int64_t tick;

    found_six(place);
    run(place, set_mark, &(struct mark){"bob", 1});
    run(place, read_six, NULL);
    tick = support_tick(place);
    snapshot = support_begin(place);
    for (int rows = 1; rows <= 8; rows++) {
        assert_int_equal(walk_moved(place, snapshot->db, "bob", 0, rows, &last), 7);
        assert_int_equal(last.conversation, 7);
        assert_int_equal(walk_moved(place, snapshot->db, "bob", tick, rows, &last), 6);
        assert_int_equal(walk_moved(place, snapshot->db, "bob", tick + 1, rows, &last), 0);
    }
    snapshot_end(snapshot);
}

static void
markers_are_kept_for_each_user(void **state)
{
    static struct mark marks[] = {{"bob", 1}, {"ann", 2}, {"cid", 1}, {"bob", 3}};
    struct place *place = *state;
    struct read_marker *markers;
    struct snapshot *snapshot;
    size_t count;
    int64_t tick = 0;
    struct moved_marker moved = {0};
    int64_t seq;

    run(place, found_group, NULL);
    for (int i = 0; i < 4; i++) {
        run(place, set_mark, &marks[i]);
        if (i == 2)
            tick = support_tick(place);
    }
    snapshot = support_begin(place);
    assert_int_equal(markers_get(snapshot->db, 1, str_c("bob"), &seq), ERR_OK);
    assert_int_equal(seq, 3);
    assert_int_equal(markers_get(snapshot->db, 1, str_c("dan"), &seq), ERR_OK);
    assert_int_equal(seq, 0);
    assert_int_equal(markers_get(snapshot->db, 2, str_c("bob"), &seq), ERR_OK);
    assert_int_equal(seq, 0);
    /* cid is not a member. */
    assert_int_equal(markers_of_conversation(snapshot->db, &place->arena, 1, &markers, &count), ERR_OK);
    assert_int_equal(count, 2);
    assert_true(str_is(markers[0].username, "ann") && markers[0].seq == 2);
    assert_true(str_is(markers[1].username, "bob") && markers[1].seq == 3);
    assert_int_equal(walk_moved(place, snapshot->db, "bob", tick + 1, 8, &moved), 1);
    assert_int_equal(moved.conversation, 1);
    assert_true(moved.updated_at > 0);
    assert_int_equal(walk_moved(place, snapshot->db, "ann", tick + 1, 8, &moved), 0);
    assert_int_equal(walk_moved(place, snapshot->db, "cid", 0, 8, &moved), 0);
    snapshot_end(snapshot);
}

/* --- reactions */

struct reacting {
    enum { ADD, REMOVE, CLEAR, CLEAR_ALL } how;
    const char *emoji;
    const char *username;
    bool changed; /* out */
};

/* To message 1. */
static enum err
react(struct tx *tx, void *arg)
{
    struct reacting *r = arg;
    struct arena arena;
    struct message m;
    enum err err;

    arena_init(&arena);
    m = head_in(tx, &arena, 1);
    if (r->how == ADD)
        err = reactions_add(tx, &m, str_c(r->emoji), str_c(r->username), &r->changed);
    else if (r->how == REMOVE)
        err = reactions_remove(tx, &m, str_c(r->emoji), str_c(r->username), &r->changed);
    else if (r->how == CLEAR)
        err = reactions_clear(tx, &m, str_c(r->emoji), &r->changed);
    else
        err = reactions_clear_all(tx, &m);
    if (err == ERR_OK)
        err = messages_set_reacted(tx, &m, conversation_in(tx, 1).version + 1);
    arena_clear(&arena);
    return err;
}

/* Returns "emoji count names, …" of message 1, with a * after each emoji of the viewer. */
static const char *
reactions_now(struct place *place, const char *viewer)
{
    struct snapshot *snapshot = support_begin(place);
    struct message_reader r = {snapshot->db, &place->arena, str_c(viewer)};
    char text[512] = "";
    struct message m;
    size_t n = 0;
    bool found;

    assert_int_equal(messages_by_id(&r, 1, &m, &found), ERR_OK);
    assert_int_equal(m.emoji_count, m.reaction_count);
    for (size_t i = 0; i < m.reaction_count; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s%s %d", i > 0 ? ", " : "",
                              (int)m.reactions[i].emoji.n, m.reactions[i].emoji.p,
                              m.reactions[i].mine ? "*" : "", (int)m.reactions[i].count);
        for (size_t k = 0; k < m.reactions[i].name_count; k++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", m.reactions[i].names[k].p);
    }
    snapshot_end(snapshot);
    return arena_copy(&place->arena, str_c(text)).p;
}

static void
reactions_are_counted_by_emoji(void **state)
{
    static struct {
        struct reacting reacting;
        bool changes;
        const char *now; /* as bob sees it */
    } steps[] = {
        {{ADD, "b", "bob", false}, true, "b* 1 bob"},
        {{ADD, "b", "ann", false}, true, "b* 2 ann bob"},
        {{ADD, "b", "ann", false}, false, "b* 2 ann bob"},
        {{ADD, "a", "cid", false}, true, "a 1 cid, b* 2 ann bob"},
        {{REMOVE, "a", "bob", false}, false, "a 1 cid, b* 2 ann bob"},
        {{REMOVE, "c", "bob", false}, false, "a 1 cid, b* 2 ann bob"},
        {{REMOVE, "b", "bob", false}, true, "a 1 cid, b 1 ann"},
        {{REMOVE, "a", "cid", false}, true, "b 1 ann"},
        {{ADD, "a", "bob", false}, true, "a* 1 bob, b 1 ann"},
        {{CLEAR, "c", NULL, false}, false, "a* 1 bob, b 1 ann"},
        {{CLEAR, "b", NULL, false}, true, "a* 1 bob"},
        {{ADD, "b", "ann", false}, true, "a* 1 bob, b 1 ann"},
        {{CLEAR_ALL, NULL, NULL, false}, false, ""},
        {{ADD, "b", "ann", false}, true, "b 1 ann"},
    };
    struct place *place = *state;

    run(place, found_group, NULL);
    run(place, post_one, (char[]){"one"});
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        run(place, react, &steps[i].reacting);
        assert_int_equal(steps[i].reacting.changed, steps[i].changes);
        assert_string_equal(reactions_now(place, "bob"), steps[i].now);
    }
}

static void
a_message_has_so_many_different_emoji(void **state)
{
    struct place *place = *state;
    struct reacting r = {.how = ADD, .username = "ann"};
    char emoji[8];

    run(place, found_group, NULL);
    run(place, post_one, (char[]){"one"});
    r.emoji = emoji;
    for (int i = 0; i < EMOJI_PER_MESSAGE; i++) {
        snprintf(emoji, sizeof(emoji), "e%02d", i);
        run(place, react, &r);
    }
    r.username = "bob";
    run(place, react, &r);
    assert_true(r.changed);
    snprintf(emoji, sizeof(emoji), "other");
    assert_int_equal(support_run(&place->store, react, &r), ERR_TOO_MANY_REACTIONS);
}

static enum err
crowd_reacts(struct tx *tx, void *arg)
{
    struct arena arena;
    struct message m;
    enum err err = ERR_OK;

    (void)arg;
    arena_init(&arena);
    m = head_in(tx, &arena, 1);
    for (int i = 0; err == ERR_OK && i < REACTION_NAMES_MAX + 5; i++) {
        char name[8];
        bool changed;

        snprintf(name, sizeof(name), "m%03d", i);
        err = accounts_add(tx, str_c(name));
        if (err == ERR_OK)
            err = reactions_add(tx, &m, str_c("a"), str_c(name), &changed);
    }
    if (err == ERR_OK)
        err = messages_set_reacted(tx, &m, conversation_in(tx, 1).version + 1);
    arena_clear(&arena);
    return err;
}

static void
reactors_are_read_by_pages(void **state)
{
    enum { ALL = REACTION_NAMES_MAX + 5 };
    struct place *place = *state;
    struct message_key key = {.id = 1, .conversation = 1, .seq = 1};
    struct reactors page = {.emoji = str_c("a"), .after = str_c(""), .limit = 20, .has_next = true};
    struct snapshot *snapshot;
    struct message m;
    int seen = 0;

    run(place, found_group, NULL);
    run(place, post_one, (char[]){"one"});
    run(place, crowd_reacts, NULL);
    assert_int_equal(support_message(place, 1, &m), ERR_OK);
    assert_int_equal(m.reactions[0].count, ALL);
    assert_int_equal(m.reactions[0].name_count, REACTION_NAMES_MAX);
    snapshot = support_begin(place);
    while (page.has_next) {
        assert_int_equal(reactions_page(snapshot->db, &place->arena, &key, &page), ERR_OK);
        assert_int_equal(page.count, ALL);
        assert_int_equal(page.name_count, ALL - seen < 20 ? ALL - seen : 20);
        seen += (int)page.name_count;
        page.after = page.names[page.name_count - 1];
    }
    assert_int_equal(seen, ALL);
    page = (struct reactors){.emoji = str_c("z"), .after = str_c(""), .limit = 20};
    assert_int_equal(reactions_page(snapshot->db, &place->arena, &key, &page), ERR_OK);
    assert_int_equal(page.count, 0);
    assert_int_equal(page.name_count, 0);
    assert_false(page.has_next);
    snapshot_end(snapshot);
}

/* --- the outbox */

static enum err
note_reaction(struct tx *tx, void *arg)
{
    struct conversation c = conversation_in(tx, 1);

    (void)arg;
    return outbox_add_reaction(
        tx, &c,
        &(struct change){
            .seq = 7, .username = str_c("bob"), .emoji = str_c("a"), .added = true, .event = EVENT_READ});
}

static void
the_outbox_holds_changes_in_order(void **state)
{
    struct place *place = *state;
    struct change *changes;
    struct snapshot *snapshot;
    int64_t oldest = -1;

    snapshot = support_begin(place);
    assert_int_equal(outbox_oldest(snapshot->db, &oldest), ERR_OK);
    assert_int_equal(oldest, 0);
    snapshot_end(snapshot);
    run(place, found_group, NULL);
    place->store.payer = UINT64_MAX;
    for (int i = 0; i < 5; i++)
        run(place, post_one, (char[]){"x"});
    run(place, note_reaction, NULL);
    assert_int_equal(support_changes(place, &changes), 6);
    assert_int_equal(changes[4].id, 5);
    assert_int_equal(changes[4].seq, 5);
    assert_int_equal(changes[4].version, 6);
    assert_null(changes[4].username.p);
    assert_null(changes[4].emoji.p);
    assert_true(changes[4].payer == UINT64_MAX);
    assert_int_equal(changes[5].event, EVENT_MESSAGE_UPDATED);
    assert_int_equal(changes[5].conversation, 1);
    assert_int_equal(changes[5].version, 6);
    assert_int_equal(changes[5].tick, support_tick(place));
    assert_true(changes[5].added && str_is(changes[5].emoji, "a") && str_is(changes[5].username, "bob"));
}

/* A walk continues where its last batch ended, and sees no change twice. */
static void
a_walk_over_the_outbox_continues_after_each_batch(void **state)
{
    static const size_t counts[] = {4, 2, 0};
    struct place *place = *state;
    struct outbox_walk walk = {.rows = 4};
    struct snapshot *snapshot;
    int64_t id = 0;

    run(place, found_group, NULL);
    for (int i = 0; i < 5; i++)
        run(place, post_one, (char[]){"x"});
    run(place, note_reaction, NULL);
    snapshot = support_begin(place);
    for (size_t batch = 0; batch < sizeof(counts) / sizeof(counts[0]); batch++) {
        assert_int_equal(outbox_after(snapshot->db, &place->arena, &walk), ERR_OK);
        assert_int_equal(walk.count, counts[batch]);
        for (size_t i = 0; i < walk.count; i++)
            assert_int_equal(walk.changes[i].id, ++id);
        assert_int_equal(walk.after, id);
    }
    snapshot_end(snapshot);
}

static void
acknowledged_changes_go_with_a_later_command(void **state)
{
    struct place *place = *state;
    struct change *changes;
    struct snapshot *snapshot;
    int64_t oldest;

    run(place, found_group, NULL);
    for (int i = 0; i < 5; i++)
        run(place, post_one, (char[]){"x"});
    atomic_store(&place->shared->acknowledged_change, 4);
    assert_int_equal(support_changes(place, &changes), 5);
    run(place, post_one, (char[]){"x"});
    assert_int_equal(support_changes(place, &changes), 2);
    assert_int_equal(changes[0].id, 5);
    snapshot = support_begin(place);
    assert_int_equal(outbox_oldest(snapshot->db, &oldest), ERR_OK);
    assert_int_equal(oldest, 5);
    snapshot_end(snapshot);
    atomic_store(&place->shared->acknowledged_change, 100);
    run(place, post_one, (char[]){"x"});
    /* Ids continue where they were. */
    assert_int_equal(support_instance(place).last_change, 7);
}

static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_close)
    TEST(an_instance_counts_densely_from_nothing),
    TEST(a_tick_is_above_the_last_one_whatever_the_clock_says),
    TEST(a_command_that_fails_after_it_has_written_leaves_nothing),
    TEST(a_snapshot_sees_one_state),
    TEST(readers_and_writers_do_not_meet),
    TEST(a_read_only_store_sees_the_writes_of_another),
    TEST(accounts_are_distinguished_by_every_byte),
    TEST(a_pair_has_one_private_chat),
    TEST(a_conversation_is_read_as_it_was_stored),
    TEST(sending_reads_the_conversation_and_the_membership),
    TEST(a_creation_key_is_used_once),
    TEST(memberships_match_a_model_of_all_stays),
    TEST(a_group_has_at_most_one_owner),
    TEST(rows_that_refer_to_unknown_objects_are_not_stored),
    TEST(a_users_list_is_walked_from_the_latest_on),
    TEST(a_walk_of_a_list_misses_nothing_of_a_tick),
    TEST(a_users_active_conversations_are_found),
    TEST(a_message_is_found_by_place_id_and_key),
    TEST(no_message_is_found_where_there_is_none),
    TEST(edits_and_deletions_keep_the_fingerprint_of_the_first_content),
    TEST(messages_are_read_by_seq),
    TEST(keys_of_a_conversation_are_walked_by_seq),
    TEST(a_page_before_a_seq_is_bounded_by_number_and_bytes),
    TEST(messages_anywhere_are_read_by_time),
    TEST(walks_come_to_every_message_in_order),
    TEST(messages_at_places_come_in_their_order),
    TEST(a_batch_of_messages_is_bounded_by_bytes),
    TEST(unread_messages_of_others_are_counted_up_to_a_limit),
    TEST(messages_outside_of_ones_stays_are_neither_unread_nor_newest),
    TEST(a_page_does_not_mix_up_its_entries),
    TEST(markers_are_kept_for_each_user),
    TEST(a_walk_of_markers_misses_nothing_of_a_tick),
    TEST(reactions_are_counted_by_emoji),
    TEST(a_message_has_so_many_different_emoji),
    TEST(reactors_are_read_by_pages),
    TEST(the_outbox_holds_changes_in_order),
    TEST(a_walk_over_the_outbox_continues_after_each_batch),
    TEST(acknowledged_changes_go_with_a_later_command),
#undef TEST
};

int
main(void)
{
    return cmocka_run_group_tests(tests, support_group, NULL);
}
