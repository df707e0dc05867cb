/*
 * Checks that the engine in memory detects reads that a command did not declare, and that each kind
 * of command declares all its reads.
 */
#include "support.h"

#include <stdio.h>
#include "domain/amend.h"
#include "domain/belong.h"
#include "domain/converse.h"
#include "domain/reading.h"
#include "domain/send.h"
#include "store/accounts.h"
#include "store/markers.h"
#include "store/memory/data.h"
#include "store/messages.h"
#include "store/outbox.h"
#include "store/reactions.h"

#define THUMB "\xf0\x9f\x91\x8d"

/* The conversations, by how they are declared; and the messages of the second. */
enum { BY_ID = 1, BY_MESSAGE, BY_PAIR, BY_KEY };
enum { AMENDED = 1, REPLIED_TO };

static const struct str ann = {"ann", 3};
static const struct str bob = {"bob", 3};
static const struct str once = {"once", 4};
static const struct str thumb = {THUMB, 4};
static const struct creation_key key = {.creator = {"ann", 3}, .client_id = {"new", 3}};

/* The arguments of the reads below, and room for their results. */
struct probe {
    struct tx *tx;
    struct db *db;
    struct arena *arena;
    struct message_reader reader;
    struct posting posting;
    struct message message;
    struct message_key place;
    struct conversation conversation;
    struct instance instance;
    struct stay stay;
    struct str name;
    enum role role;
    int32_t id;
    int64_t number;
    int fingerprint;
    bool found;
};

static enum err
get_conversation(struct probe *p, int32_t id)
{
    return conversations_get(p->db, p->arena, id, &p->conversation, &p->found);
}

static enum err
read_conversation_by_id(struct probe *p)
{
    return get_conversation(p, BY_ID);
}

static enum err
read_conversation_of_message(struct probe *p)
{
    return get_conversation(p, BY_MESSAGE);
}

static enum err
read_conversation_of_pair(struct probe *p)
{
    return get_conversation(p, BY_PAIR);
}

static enum err
read_conversation_of_key(struct probe *p)
{
    return get_conversation(p, BY_KEY);
}

static enum err
read_account(struct probe *p)
{
    return accounts_exists(p->db, bob, &p->found);
}

static enum err
read_pair(struct probe *p)
{
    return conversations_by_pair(p->db, ann, bob, &p->id, &p->found);
}

static enum err
read_key(struct probe *p)
{
    return conversations_by_key(p->db, &key, &p->id, &p->fingerprint, &p->found);
}

static enum err
read_posting(struct probe *p)
{
    return conversations_for_sender(p->db, &p->posting);
}

static enum err
read_last(struct probe *p)
{
    return memberships_last(p->db, BY_ID, bob, &p->stay, &p->found);
}

static enum err
read_current(struct probe *p)
{
    return memberships_current(p->db, BY_ID, bob, &p->number, &p->found);
}

static enum err
read_role(struct probe *p)
{
    return memberships_role(p->db, BY_ID, bob, &p->role);
}

static enum err
read_owner(struct probe *p)
{
    return memberships_owner(p->db, p->arena, BY_ID, &p->name);
}

static enum err
read_heir(struct probe *p)
{
    return memberships_heir(p->db, p->arena, BY_ID, &p->name);
}

static enum err
read_names(struct probe *p)
{
    return memberships_names(p->db, p->arena, &p->posting.conversation, MEMBERS_FEW);
}

static enum err
read_marker(struct probe *p)
{
    return markers_get(p->db, BY_ID, ann, &p->number);
}

static enum err
read_head(struct probe *p)
{
    return messages_head(p->db, p->arena, AMENDED, &p->message, &p->found);
}

static enum err
read_place(struct probe *p)
{
    return messages_key(p->db, REPLIED_TO, &p->place, &p->found);
}

static enum err
read_whole(struct probe *p)
{
    return messages_by_id(&p->reader, AMENDED, &p->message, &p->found);
}

static enum err
read_reactions(struct probe *p)
{
    return messages_by_id(&p->reader, AMENDED, &p->message, &p->found);
}

static enum err
read_content(struct probe *p)
{
    return messages_content(p->db, p->arena, &p->message);
}

static enum err
read_sent(struct probe *p)
{
    return messages_by_client_id(&p->reader, once, &p->message, &p->fingerprint, &p->found);
}

static enum err
read_reaction_to_add(struct probe *p)
{
    return reactions_add(p->tx, &p->message, thumb, ann, &p->found);
}

static enum err
read_reaction_to_remove(struct probe *p)
{
    return reactions_remove(p->tx, &p->message, thumb, ann, &p->found);
}

static enum err
read_reactions_to_clear(struct probe *p)
{
    return reactions_clear(p->tx, &p->message, thumb, &p->found);
}

static enum err
read_openly_first(struct probe *p)
{
    return memberships_first(p->db, BY_ID, bob, &p->number);
}

static enum err
read_openly_message(struct probe *p)
{
    return messages_get(&p->reader, BY_MESSAGE, 1, &p->message, &p->found);
}

static enum err
read_openly_oldest(struct probe *p)
{
    return outbox_oldest(p->db, &p->number);
}

static enum err
read_openly_instance(struct probe *p)
{
    return instance_get(p->db, &p->instance);
}

/* A read, the member of the declaration that it needs, and the sentence without it. */
struct watched {
    enum err (*read)(struct probe *p);
    size_t offset;
    size_t bytes;
    const char *said;
};

#define NOT_DECLARED   "reads something that the command did not declare: "
#define MEMBER(member) offsetof(struct command_reads, member), sizeof(((struct command_reads *)0)->member)

static const struct watched watched[] = {
    {read_conversation_by_id, MEMBER(conversation), "conversations_get() " NOT_DECLARED "conversation 1"},
    {read_conversation_of_message, MEMBER(message), "conversations_get() " NOT_DECLARED "conversation 2"},
    {read_conversation_of_pair, MEMBER(high), "conversations_get() " NOT_DECLARED "conversation 3"},
    {read_conversation_of_key, MEMBER(creation), "conversations_get() " NOT_DECLARED "conversation 4"},
    {read_account, MEMBER(users[1]), "accounts_exists() " NOT_DECLARED "account bob"},
    {read_pair, MEMBER(low), "conversations_by_pair() " NOT_DECLARED "the private chat of ann and bob"},
    {read_key, MEMBER(creation), "conversations_by_key() " NOT_DECLARED "creation key new of ann"},
    {read_posting, MEMBER(users[1]),
     "conversations_for_sender() " NOT_DECLARED "the last stay of bob in conversation 1"},
    {read_last, MEMBER(users[1]),
     "memberships_last() " NOT_DECLARED "the last stay of bob in conversation 1"},
    {read_current, MEMBER(users[1]),
     "memberships_current() " NOT_DECLARED "the last stay of bob in conversation 1"},
    {read_role, MEMBER(conversation),
     "memberships_role() " NOT_DECLARED "the last stay of bob in conversation 1"},
    {read_owner, MEMBER(owner), "memberships_owner() " NOT_DECLARED "the owner of conversation 1"},
    {read_heir, MEMBER(heir), "memberships_heir() " NOT_DECLARED "the next owner of conversation 1"},
    {read_names, MEMBER(names), "memberships_names() " NOT_DECLARED "the members of conversation 1"},
    {read_marker, MEMBER(marker), "markers_get() " NOT_DECLARED "the read marker of ann in conversation 1"},
    {read_head, MEMBER(message), "messages_head() " NOT_DECLARED "message 1"},
    {read_place, MEMBER(reply_to), "messages_key() " NOT_DECLARED "the place of message 2"},
    {read_whole, MEMBER(content), "messages_by_id() " NOT_DECLARED "the content of message 1"},
    {read_reactions, MEMBER(reactions),
     "reactions_read() " NOT_DECLARED "the reactions to message 1 as ann sees them"},
    {read_content, MEMBER(content), "messages_content() " NOT_DECLARED "the content of message 1"},
    {read_sent, MEMBER(client_id), "messages_by_client_id() " NOT_DECLARED "client_id once of ann"},
    {read_reaction_to_add, MEMBER(emoji),
     "reactions_add() " NOT_DECLARED "whether ann reacted to message 1 with " THUMB},
    {read_reaction_to_remove, MEMBER(emoji),
     "reactions_remove() " NOT_DECLARED "whether ann reacted to message 1 with " THUMB},
    {read_reactions_to_clear, MEMBER(emoji),
     "reactions_clear() " NOT_DECLARED "whether any user reacted to message 1 with " THUMB},
};

/* Reads that only `open` declares. */
static const struct watched opens[] = {
    {read_openly_first, 0, 0,
     "memberships_first() " NOT_DECLARED "something that only an open command may read"},
    {read_openly_message, 0, 0,
     "messages_get() " NOT_DECLARED "something that only an open command may read"},
    {read_openly_oldest, 0, 0,
     "outbox_oldest() " NOT_DECLARED "something that only an open command may read"},
    {read_openly_instance, 0, 0,
     "instance_get() " NOT_DECLARED "something that only an open command may read"},
};

/* The declaration of this test's command, and its memory. */
struct attempt {
    const struct watched *watched;
    struct arena *arena;
};

static enum err
read_in_tx(struct tx *tx, void *arg)
{
    const struct attempt *a = arg;
    struct probe p = {
        .tx = tx,
        .db = tx->db,
        .arena = a->arena,
        .reader = {tx->db, a->arena, ann},
        .posting = {.sender = bob, .conversation = {.id = BY_ID, .member_count = 2}},
        .message = {.id = AMENDED, .conversation = BY_MESSAGE, .seq = 1, .sender = ann},
    };

    return a->watched->read(&p);
}

/* Runs the read in a command with the declaration, and expects this sentence about it. */
static void
assert_said(struct place *place, const struct watched *w, const struct command_reads *reads, const char *said)
{
    struct attempt a = {w, &place->arena};
    char *undeclared = data_of(&place->store)->undeclared;

    undeclared[0] = '\0';
    assert_int_equal(store_run(&place->store, &(struct command){read_in_tx, &a, 0, *reads}), ERR_OK);
    assert_string_equal(undeclared, said);
}

static void
create(struct place *place, enum conversation_type type, const struct creation_key *under)
{
    struct str names[3] = {ann, bob};
    struct creation creation = {
        .arena = &place->arena, .type = type, .names = names, .name_count = 2, .creator = ann};

    if (under != NULL)
        creation.key = *under;
    creation.verified = under != NULL;
    assert_int_equal(converse_create(&place->store, &creation), ERR_OK);
}

static struct message
send_keyed(struct place *place, int32_t conversation, struct str client_id, int64_t reply_to)
{
    struct sending sending = {
        .arena = &place->arena,
        .message = {.conversation = conversation,
                    .sender = ann,
                    .content = str_c("text"),
                    .client_id = client_id,
                    .reply_to = reply_to},
    };

    assert_int_equal(send_message(&place->store, &sending), ERR_OK);
    return sending.message;
}

/* Everything that a command can declare, except `open`. */
static const struct command_reads everything = {
    .conversation = BY_ID,
    .message = AMENDED,
    .low = {"ann", 3},
    .high = {"bob", 3},
    .creation = &key,
    .users = {{"ann", 3}, {"bob", 3}},
    .marker = true,
    .names = true,
    .owner = true,
    .content = true,
    .reactions = true,
    .emoji = {THUMB, 4},
    .client_id = {"once", 4},
    .reply_to = REPLIED_TO,
    .heir = true,
};

static void
create_everything(struct place *place)
{
    create(place, TYPE_GROUP, NULL);
    create(place, TYPE_GROUP, NULL);
    create(place, TYPE_PRIVATE, NULL);
    create(place, TYPE_GROUP, &key);
    assert_int_equal(send_keyed(place, BY_MESSAGE, (struct str){0}, 0).id, AMENDED);
    assert_int_equal(send_keyed(place, BY_MESSAGE, once, 0).id, REPLIED_TO);
}

static void
undeclared_reads_are_named(void **state)
{
    struct place *place = *state;

    create_everything(place);
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
        struct command_reads reads = everything;

        assert_said(place, &watched[i], &reads, "");
        memset((char *)&reads + watched[i].offset, 0, watched[i].bytes);
        assert_said(place, &watched[i], &reads, watched[i].said);
    }
    place->undeclared = true;
}

static void
open_commands_may_read_anything(void **state)
{
    static const struct command_reads open = {.open = true};
    struct place *place = *state;

    create_everything(place);
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        assert_said(place, &opens[i], &open, "");
        assert_said(place, &opens[i], &everything, opens[i].said);
    }
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
        assert_said(place, &watched[i], &open, "");
    place->undeclared = true;
}

/* --- each kind of command */

static void
assert_all_declared(struct place *place, enum err err)
{
    assert_int_equal(err, ERR_OK);
    assert_string_equal(support_undeclared(place), "");
}

static void
sending_declares_its_reads(void **state)
{
    struct place *place = *state;
    struct message first;

    create(place, TYPE_GROUP, NULL);
    first = send_keyed(place, BY_ID, once, 0);
    assert_int_equal(send_keyed(place, BY_ID, once, 0).id, first.id);
    send_keyed(place, BY_ID, (struct str){0}, first.id);
    assert_all_declared(place, ERR_OK);
    /* A sender who has left gets the message of a key as it was. */
    assert_all_declared(place, amend_edit(&place->store, &(struct amendment){.arena = &place->arena,
                                                                             .id = first.id,
                                                                             .actor = {.username = ann},
                                                                             .content = str_c("other")}));
    support_leave(place, BY_ID, "ann");
    assert_int_equal(send_keyed(place, BY_ID, once, 0).id, first.id);
    assert_all_declared(place, ERR_OK);
}

static void
amending_declares_its_reads(void **state)
{
    static enum err (*const commands[])(struct store *, struct amendment *) = {
        amend_edit, amend_react, amend_react, amend_unreact, amend_react, amend_clear, amend_delete,
    };
    struct place *place = *state;

    create(place, TYPE_GROUP, NULL);
    send_keyed(place, BY_ID, once, 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct amendment a = {.arena = &place->arena,
                              .id = 1,
                              .actor = {.username = ann},
                              .content = str_c("other"),
                              .emoji = thumb};

        assert_all_declared(place, commands[i](&place->store, &a));
    }
    /* The owner deletes what another member sent. */
    support_send(place, BY_ID, "bob", "text");
    assert_all_declared(place, amend_delete(&place->store, &(struct amendment){.arena = &place->arena,
                                                                               .id = 2,
                                                                               .actor = {.username = ann}}));
}

static void
creating_declares_its_reads(void **state)
{
    struct place *place = *state;
    const struct creation_key other = {.creator = ann, .client_id = once};

    for (int i = 0; i < 2; i++) {
        create(place, TYPE_GROUP, NULL);
        create(place, TYPE_GROUP, &key);
        create(place, TYPE_PRIVATE, &other);
        create(place, TYPE_PRIVATE, NULL);
        assert_all_declared(place, ERR_OK);
    }
    assert_int_equal(support_count_conversations(place), 4);
}

static void
settings_declare_their_reads(void **state)
{
    struct place *place = *state;
    struct settings_change title = {
        .arena = &place->arena, .id = BY_ID, .actor = {.username = ann}, .title = str_c("Us")};
    struct settings_change policy = {
        .arena = &place->arena, .id = BY_ID, .actor = {.username = ann}, .join = JOIN_INVITE};

    create(place, TYPE_GROUP, NULL);
    assert_all_declared(place, converse_set_settings(&place->store, &title));
    assert_all_declared(place, converse_set_settings(&place->store, &policy));
    title.actor.username = bob;
    assert_int_equal(converse_set_settings(&place->store, &title), ERR_ROLE);
    assert_all_declared(place, ERR_OK);
}

static void
belonging_declares_its_reads(void **state)
{
    static const struct {
        enum err (*run)(struct store *, struct belonging *);
        const char *actor;
        const char *username;
        enum role role;
    } steps[] = {
        {belong_join, NULL, "ann", ROLE_NONE},    {belong_set, "ann", "cid", ROLE_NONE},
        {belong_set, "ann", "cid", ROLE_ADMIN},   {belong_set, "ann", "cid", ROLE_OWNER},
        {belong_remove, "cid", "bob", ROLE_NONE}, {belong_set, "cid", "bob", ROLE_MEMBER},
        {belong_leave, NULL, "cid", ROLE_NONE},   {belong_join, NULL, "cid", ROLE_NONE},
        {belong_remove, "ann", "cid", ROLE_NONE}, {belong_remove, "ann", "ann", ROLE_NONE},
    };
    struct place *place = *state;

    create(place, TYPE_GROUP, NULL);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct belonging b = {.arena = &place->arena,
                              .conversation = BY_ID,
                              .actor = {.username = str_c(steps[i].actor)},
                              .username = str_c(steps[i].username),
                              .role = steps[i].role};

        assert_all_declared(place, steps[i].run(&place->store, &b));
    }
}

static void
reading_declares_its_reads(void **state)
{
    struct place *place = *state;
    struct reading r = {.arena = &place->arena, .conversation = BY_ID, .username = bob, .seq = 1};

    create(place, TYPE_GROUP, NULL);
    support_send(place, BY_ID, "ann", "text");
    for (int i = 0; i < 2; i++)
        assert_all_declared(place, reading_mark(&place->store, &r));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(undeclared_reads_are_named),   TEST(open_commands_may_read_anything),
        TEST(sending_declares_its_reads),   TEST(amending_declares_its_reads),
        TEST(creating_declares_its_reads),  TEST(settings_declare_their_reads),
        TEST(belonging_declares_its_reads), TEST(reading_declares_its_reads),
    };

    support_choose("memory");
    return cmocka_run_group_tests(tests, support_group, NULL);
}
