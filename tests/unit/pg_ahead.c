/*
 * pg_ahead.c - checks: after each command of a group, the rows that the engine of PostgreSQL has
 * read ahead equal those on the server. Threads run random commands of domain/ at the same time, on
 * few conversations, users and messages, so that the commands of a group touch the same rows.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>
#include "domain/amend.h"
#include "domain/belong.h"
#include "domain/converse.h"
#include "domain/reading.h"
#include "domain/send.h"
#include "store/accounts.h"
#include "store/conversations.h"
#include "store/engine.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/pg/ahead.h"
#include "store/pg/engine.h"

#define THREADS       8
#define TURNS         60
#define CONVERSATIONS 3

static const char *const people[] = {"ann", "bob", "cid", "dan", "eve", "fay"};
#define PEOPLE (sizeof(people) / sizeof(people[0]))

/* The engine, except that check() follows each command. */
static struct engine checked;
static _Atomic int differences;
static _Atomic int compared;

/* Records whether two answers are the same. */
static void
expect(const char *what, bool same)
{
    atomic_fetch_add(&compared, 1);
    if (!same && atomic_fetch_add(&differences, 1) < 10)
        print_error("the server has another: %s\n", what);
}

static void
check_conversation(struct db *db, struct arena *arena, const struct pg_known_conversation *known)
{
    struct conversation c = {0};
    bool found = false;
    enum err err = conversations_get(db, arena, known->row.id, &c, &found);

    if (err != ERR_OK || found != known->found) {
        expect("whether there is a conversation", false);
        return;
    }
    c.members = known->row.members;
    expect("a conversation",
           !found || (c.version == known->row.version && c.last_seq == known->row.last_seq &&
                      c.updated_at == known->row.updated_at && c.member_count == known->row.member_count &&
                      c.engine_mark == known->row.engine_mark && c.invite_only == known->row.invite_only &&
                      str_eq(c.title, known->row.title)));
}

static bool
is_same(const struct stay *a, const struct stay *b)
{
    return a->joined_version == b->joined_version && a->after == b->after && a->until == b->until &&
           a->left_version == b->left_version && a->left_at == b->left_at && a->since_at == b->since_at &&
           a->role == b->role && a->removed == b->removed;
}

static void
check_standings(struct db *db, const struct pg_ahead *a)
{
    for (size_t i = 0; i < a->stay_count; i++) {
        const struct pg_known_stay *known = &a->stays[i];
        struct stay stay = {0};
        bool found = false;
        enum err err = memberships_last(db, known->conversation, known->username, &stay, &found);

        expect("a stay", err == ERR_OK && found == known->found && (!found || is_same(&stay, &known->stay)));
    }
    for (size_t i = 0; i < a->marker_count; i++) {
        const struct pg_known_marker *known = &a->markers[i];
        int64_t seq = -1;
        enum err err = markers_get(db, known->conversation, known->username, &seq);

        expect("a read marker", err == ERR_OK && seq == known->seq);
    }
    for (size_t i = 0; i < a->account_count; i++) {
        bool exists = false;
        enum err err = accounts_exists(db, a->accounts[i].name, &exists);

        expect("an account", err == ERR_OK && exists == (a->accounts[i].id != 0));
    }
}

static void
check_messages(struct db *db, struct arena *arena, const struct pg_ahead *a)
{
    struct message m;
    bool found = false;
    int fingerprint;

    for (size_t i = 0; i < a->head_count; i++) {
        const struct pg_known_head *known = &a->heads[i];
        enum err err = messages_head(db, arena, known->id, &m, &found);

        expect("a message",
               err == ERR_OK && found == known->found &&
                   (!found || (m.seq == known->message.seq && m.edited_at == known->message.edited_at &&
                               m.deleted_at == known->message.deleted_at &&
                               m.emoji_count == known->message.emoji_count &&
                               m.changed_version == known->message.changed_version &&
                               str_eq(m.sender, known->message.sender))));
    }
    for (size_t i = 0; i < a->key_count; i++) {
        const struct message_reader r = {db, arena, a->keys[i].sender};
        enum err err = messages_by_client_id(&r, a->keys[i].client_id, &m, &fingerprint, &found);

        expect("an unused key", err == ERR_OK && !found);
    }
}

/* Compares all entries with the server, which is read without them. */
static void
check(struct db *db)
{
    struct pg_ahead *a = pg_ahead(db);
    struct instance instance;
    struct arena arena;

    arena_init(&arena);
    /* The first statement sends the rows that were held back. */
    expect("the instance", instance_get(db, &instance) == ERR_OK);
    pg_set_ahead(db, NULL);
    for (size_t i = 0; i < a->conversation_count; i++)
        check_conversation(db, &arena, &a->conversations[i]);
    check_standings(db, a);
    check_messages(db, &arena, a);
    pg_set_ahead(db, a);
    arena_clear(&arena);
}

static enum err
run_and_check(struct tx *tx, void *arg)
{
    const struct command *command = arg;
    enum err err = command->run(tx, command->arg);

    if (err != ERR_STORAGE && err != ERR_MEMORY)
        check(tx->db);
    return err;
}

static enum err
run_checked(struct store *s, const struct command *command)
{
    struct command with_check = *command;

    with_check.run = run_and_check;
    with_check.arg = (void *)(uintptr_t)command;
    return pg_store_run(s, &with_check);
}

/* The work of one thread. */
struct turn {
    struct store *store;
    struct arena *arena;
    struct chance chance;
    int32_t conversation;
    struct str name;
    int64_t message; /* id */
};

static void
post(struct turn *t)
{
    char key[16];
    struct sending sending = {
        .arena = t->arena,
        .message = {.conversation = t->conversation, .sender = t->name, .content = str_c("x")},
    };

    snprintf(key, sizeof(key), "k%d", (int)support_draw(&t->chance, 40));
    if (support_draw(&t->chance, 2) == 0)
        sending.message.client_id = str_c(key);
    if (support_draw(&t->chance, 3) == 0)
        sending.message.reply_to = t->message;
    expect("posting", send_message(t->store, &sending) != ERR_STORAGE);
}

static void
change(struct turn *t)
{
    static enum err (*const commands[])(struct store *, struct amendment *) = {
        amend_edit, amend_delete, amend_react, amend_unreact, amend_clear};
    struct amendment a = {
        .arena = t->arena,
        .id = t->message,
        .actor = {.username = t->name},
        .content = str_c(support_draw(&t->chance, 2) == 0 ? "y" : "z"),
        .emoji = str_c(support_draw(&t->chance, 2) == 0 ? "👍" : "🎉"),
    };

    expect("changing", commands[support_draw(&t->chance, 5)](t->store, &a) != ERR_STORAGE);
}

static void
move(struct turn *t)
{
    struct belonging b = {.arena = t->arena, .conversation = t->conversation, .username = t->name};
    enum err err = support_draw(&t->chance, 3) == 0 ? belong_leave(t->store, &b) : belong_join(t->store, &b);

    expect("moving", err != ERR_STORAGE);
}

static void
mark(struct turn *t)
{
    struct reading r = {.arena = t->arena,
                        .conversation = t->conversation,
                        .username = t->name,
                        .seq = support_draw(&t->chance, 40)};

    expect("marking", reading_mark(t->store, &r) != ERR_STORAGE);
}

static void
do_turns(void *arg, int n)
{
    static void (*const turns[])(struct turn *) = {post, post, post, change, change, move, mark};
    struct turn t = *(const struct turn *)arg;
    struct arena arena;

    arena_init(&arena);
    t.arena = &arena;
    t.chance.state += (uint64_t)n * 1000003;
    for (int i = 0; i < TURNS; i++) {
        /* One of them does not exist yet. */
        t.conversation = (int32_t)support_draw(&t.chance, CONVERSATIONS + 1) + 1;
        t.name = str_c(people[support_draw(&t.chance, PEOPLE)]);
        t.message = support_draw(&t.chance, 30) + 1;
        turns[support_draw(&t.chance, sizeof(turns) / sizeof(turns[0]))](&t);
        arena_reset(&arena);
    }
    arena_clear(&arena);
}

static void
rows_read_ahead_equal_those_on_the_server(void **state)
{
    struct place *place = *state;
    struct turn t = {.store = &place->store};

    support_chance(&t.chance);
    for (int i = 0; i < CONVERSATIONS; i++)
        support_create(place, TYPE_GROUP, "ann bob cid dan eve");
    checked = pg_engine;
    checked.store_run = run_checked;
    place->store.connections->engine = &checked;
    support_threads(THREADS, do_turns, &t);
    place->store.connections->engine = &pg_engine;
    assert_int_equal(atomic_load(&differences), 0);
    assert_true(atomic_load(&compared) > THREADS * TURNS);
    /* Else each command had its own group. */
    assert_true(atomic_load(&place->shared->counters.commits) <
                atomic_load(&place->shared->counters.commands));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_read_ahead_equal_those_on_the_server, support_open,
                                        support_check_and_close),
    };

    support_choose("postgresql");
    return cmocka_run_group_tests(tests, support_group, NULL);
}
