/*
 * Checks: a page of changes holds exactly the messages and members whose last change is after the
 * requested version and not after the page's own, each once, in its present state, in the order of
 * those changes. For a member, it holds only the messages that they received. A client that applies
 * page after page while others write ends with the present state. Pages are bounded by number, by
 * size, and by the rows they skip, and always advance.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "domain/amend.h"
#include "domain/changes.h"
#include "domain/converse.h"
#include "domain/reading.h"
#include "domain/send.h"
#include "store/conversations.h"
#include "store/messages.h"

#define USERS        8
#define EMOJIS       4
#define MESSAGES_MAX 6000
#define SKIPPED_MAX  2000 /* rows that a page may skip */

/* In byte order, as everything that is sorted by name. */
static const char *const users[USERS] = {"Zoe", "_1", "ann", "bob", "cid", "dan", "eve", "fay"};
static const char *const emojis[EMOJIS] = {"+1", ":-)", "\xe2\x9d\xa4\xef\xb8\x8f", "\xf0\x9f\x91\x8d"};

/* --- the model: one conversation, as simple arrays */

struct said {
    int sender;
    int text; /* the number of its text: see write_text() */
    size_t bytes;
    int64_t id;
    int64_t timestamp;
    int64_t edited_at;
    int64_t deleted_at;
    unsigned reactions[EMOJIS]; /* bit n: by user n */
    unsigned receivers;         /* bit n: user n was a member */
    int64_t version;            /* of the last change */
};

struct model {
    int64_t conversation;
    int64_t version;
    int64_t last_seq;
    struct said said[MESSAGES_MAX + 1]; /* by seq */
    unsigned members;                   /* bit n: user n is one */
    int64_t standing[USERS];            /* version of the last join or leave; 0: neither */
    int64_t read[USERS];
    char title[16];
    int texts;         /* messages written */
    int64_t bytes_max; /* of a text */
    struct chance chance;
};

/* A text; unless it is very short, all texts differ. */
static struct str
write_text(struct place *place, int text, size_t bytes)
{
    char *p = arena_alloc(&place->arena, bytes + 1);
    char head[16];
    size_t n = (size_t)snprintf(head, sizeof(head), "%d", text);

    assert_non_null(p);
    memset(p, 'a' + text % 26, bytes);
    memcpy(p, head, n < bytes ? n : bytes);
    return (struct str){p, bytes};
}

static bool
has(unsigned set, int n)
{
    return (set >> n & 1) != 0;
}

static struct model *
model_new(struct place *place, int64_t bytes_max)
{
    struct model *model = calloc(1, sizeof(*model));

    assert_non_null(model);
    model->bytes_max = bytes_max;
    /*
     * Creates all users, and a second conversation, which must not be mixed up with the tested one.
     */
    support_create(place, TYPE_GROUP, "Zoe _1 ann bob cid dan eve fay");
    support_send(place, 1, "ann", "elsewhere");
    model->conversation = support_create(place, TYPE_GROUP, "ann bob cid");
    support_send(place, 1, "bob", "elsewhere");
    model->version = 1;
    model->members = 7U << 2;
    for (int i = 2; i < 5; i++)
        model->standing[i] = 1;
    return model;
}

/* --- the commands */

static void
say(struct place *place, struct model *model, int user)
{
    size_t bytes = (size_t)support_draw(&model->chance, model->bytes_max);
    struct sending sending = {.arena = &place->arena,
                              .message = {.conversation = model->conversation,
                                          .sender = str_c(users[user]),
                                          .content = write_text(place, ++model->texts, bytes)}};

    assert_int_equal(send_message(&place->store, &sending),
                     has(model->members, user) ? ERR_OK : ERR_SENDER_NOT_MEMBER);
    if (!has(model->members, user))
        return;
    assert_true(model->last_seq < MESSAGES_MAX);
    model->said[++model->last_seq] = (struct said){
        .sender = user,
        .text = model->texts,
        .bytes = bytes,
        .id = sending.message.id,
        .timestamp = sending.message.timestamp,
        .receivers = model->members,
        .version = ++model->version,
    };
}

static struct amendment
amendment(struct place *place, const struct said *s, int user)
{
    return (struct amendment){.arena = &place->arena, .id = s->id, .actor.username = str_c(users[user])};
}

static void
edit(struct place *place, struct model *model, struct said *s)
{
    size_t bytes = (size_t)support_draw(&model->chance, model->bytes_max);
    struct amendment a = amendment(place, s, s->sender);

    a.content = write_text(place, ++model->texts, bytes);
    if (!has(model->members, s->sender)) {
        assert_int_equal(amend_edit(&place->store, &a), ERR_NOT_A_MEMBER);
        return;
    }
    if (s->deleted_at != 0) {
        assert_int_equal(amend_edit(&place->store, &a), ERR_MESSAGE_DELETED);
        return;
    }
    assert_int_equal(amend_edit(&place->store, &a), ERR_OK);
    /* Very short texts may be equal. */
    if (str_eq(a.content, write_text(place, s->text, s->bytes)))
        return;
    s->text = model->texts;
    s->bytes = bytes;
    s->edited_at = a.message.edited_at;
    s->version = ++model->version;
}

static void
erase(struct place *place, struct model *model, struct said *s)
{
    struct amendment a = amendment(place, s, s->sender);

    assert_int_equal(amend_delete(&place->store, &a), ERR_OK);
    if (s->deleted_at != 0)
        return;
    s->bytes = 0;
    s->edited_at = 0;
    s->deleted_at = a.message.deleted_at;
    memset(s->reactions, 0, sizeof(s->reactions));
    s->version = ++model->version;
}

static void
react(struct place *place, struct model *model, struct said *s, int user)
{
    int emoji = (int)support_draw(&model->chance, EMOJIS);
    bool adds = support_draw(&model->chance, 3) > 0;
    struct amendment a = amendment(place, s, user);
    enum err err;

    a.emoji = str_c(emojis[emoji]);
    err = adds ? amend_react(&place->store, &a) : amend_unreact(&place->store, &a);
    if (!has(model->members, user)) {
        assert_int_equal(err, ERR_NOT_A_MEMBER);
        return;
    }
    assert_int_equal(err, adds && s->deleted_at != 0 ? ERR_MESSAGE_DELETED : ERR_OK);
    if (err != ERR_OK || has(s->reactions[emoji], user) == adds)
        return;
    s->reactions[emoji] ^= 1U << user;
    s->version = ++model->version;
}

static void
come_or_go(struct place *place, struct model *model, int user)
{
    if (has(model->members, user))
        support_leave(place, model->conversation, users[user]);
    else
        support_join(place, model->conversation, users[user]);
    model->members ^= 1U << user;
    model->standing[user] = ++model->version;
}

static void
call_it(struct place *place, struct model *model, int user)
{
    struct settings_change settings = {
        .arena = &place->arena, .id = model->conversation, .actor.username = str_c(users[user])};
    char title[16];

    snprintf(title, sizeof(title), "title %d", (int)support_draw(&model->chance, 3));
    settings.title = str_c(title);
    assert_int_equal(converse_set_settings(&place->store, &settings),
                     has(model->members, user) ? ERR_OK : ERR_NOT_A_MEMBER);
    if (!has(model->members, user) || strcmp(title, model->title) == 0)
        return;
    memcpy(model->title, title, sizeof(title));
    model->version++;
}

static void
look_at(struct place *place, struct model *model, int user, int64_t seq)
{
    struct reading r = {.arena = &place->arena,
                        .conversation = model->conversation,
                        .username = str_c(users[user]),
                        .seq = seq};

    assert_int_equal(reading_mark(&place->store, &r), has(model->members, user) ? ERR_OK : ERR_NOT_A_MEMBER);
    if (has(model->members, user) && seq > model->read[user])
        model->read[user] = seq;
}

/* Runs a random command; most of them change something. */
static void
happen(struct place *place, struct model *model)
{
    int user = (int)support_draw(&model->chance, USERS);
    int64_t what = support_draw(&model->chance, model->last_seq == 0 ? 4 : 20);
    int64_t seq = 1 + support_draw(&model->chance, model->last_seq + (model->last_seq == 0));

    if (what < 7)
        say(place, model, user);
    else if (what < 10)
        edit(place, model, &model->said[seq]);
    else if (what < 12)
        erase(place, model, &model->said[seq]);
    else if (what < 16)
        react(place, model, &model->said[seq], user);
    else if (what < 18)
        come_or_go(place, model, user);
    else if (what < 19)
        call_it(place, model, user);
    else
        look_at(place, model, user, seq);
}

/* --- a page, compared with the model */

/* A client that applies pages. */
struct client {
    int user; /* -1: none, all messages */
    int64_t version;
    int64_t said[MESSAGES_MAX + 1]; /* by seq: the version at which it was taken; 0: not held */
    unsigned members;
    int64_t read[USERS];
    char title[16];
};

struct got {
    struct place *place;
    const struct model *model;
    const struct changes_page *page;
    int user;
    struct client *client; /* NULL: no client applies it */
    int count;
    size_t bytes;
    int64_t last; /* version of the last one */
};

static void
assert_reactions(const struct message *m, const struct said *s)
{
    size_t n = 0;

    for (int e = 0; e < EMOJIS; e++) {
        size_t named = 0;

        if (s->reactions[e] == 0)
            continue;
        assert_true(n < m->reaction_count);
        assert_true(str_is(m->reactions[n].emoji, emojis[e]));
        for (int u = 0; u < USERS; u++)
            if (has(s->reactions[e], u)) {
                assert_true(named < m->reactions[n].name_count);
                assert_true(str_is(m->reactions[n].names[named++], users[u]));
            }
        assert_int_equal(m->reactions[n].name_count, named);
        assert_int_equal(m->reactions[n].count, named);
        n++;
    }
    assert_int_equal(m->reaction_count, n);
}

static void
take(void *arg, const struct message *m)
{
    struct got *got = arg;
    const struct said *s;

    assert_int_equal(m->conversation, got->model->conversation);
    assert_in_range(m->seq, 1, got->model->last_seq);
    s = &got->model->said[m->seq];
    assert_int_equal(m->id, s->id);
    assert_int_equal(m->timestamp, s->timestamp);
    assert_int_equal(m->edited_at, s->edited_at);
    assert_int_equal(m->deleted_at, s->deleted_at);
    assert_true(str_is(m->sender, users[s->sender]));
    assert_true(str_eq(m->content, write_text(got->place, s->text, s->bytes)));
    assert_reactions(m, s);
    assert_true(got->user < 0 || has(s->receivers, got->user));
    /* Ascending, so none comes twice. */
    assert_true(s->version > got->last);
    got->last = s->version;
    got->count++;
    got->bytes += s->bytes;
    if (got->client != NULL)
        got->client->said[m->seq] = s->version;
}

/*
 * Asserts that the members on the page are those whose standing changed, in order, with their
 * present roles.
 */
static void
assert_standings(const struct model *model, const struct changes_page *page, struct client *client)
{
    size_t wanted = 0;
    int64_t last = page->after;
    int before = -1;

    for (int u = 0; u < USERS; u++)
        wanted += model->standing[u] > page->after && model->standing[u] <= page->version;
    assert_int_equal(page->member_count, wanted);
    for (size_t i = 0; i < page->member_count; i++) {
        const struct standing *m = &page->members[i];
        int u = 0;

        while (u < USERS && !str_is(m->username, users[u]))
            u++;
        assert_true(u < USERS);
        assert_true(model->standing[u] > last || (model->standing[u] == 1 && last == 1 && u > before));
        last = model->standing[u];
        before = u;
        assert_int_equal(m->left, !has(model->members, u));
        assert_true(m->role == ROLE_MEMBER);
        if (client != NULL)
            client->members = m->left ? client->members & ~(1U << u) : client->members | 1U << u;
    }
}

static void
assert_markers(const struct model *model, const struct changes_page *page, struct client *client)
{
    size_t n = 0;

    assert_true(page->few);
    for (int u = 0; u < USERS; u++) {
        if (!has(model->members, u) || model->read[u] == 0)
            continue;
        assert_true(n < page->marker_count);
        assert_true(str_is(page->markers[n].username, users[u]));
        assert_int_equal(page->markers[n].seq, model->read[u]);
        n++;
        if (client != NULL)
            client->read[u] = model->read[u];
    }
    assert_int_equal(page->marker_count, n);
}

static void
assert_object(const struct model *model, const struct changes_page *page)
{
    const struct conversation *c = &page->object;
    size_t n = 0;

    assert_int_equal(page->changed, model->version > page->after);
    assert_int_equal(c->id, model->conversation);
    assert_int_equal(c->version, model->version);
    assert_int_equal(c->last_seq, model->last_seq);
    assert_true(str_is(c->title, model->title));
    for (int u = 0; u < USERS; u++)
        if (has(model->members, u))
            assert_true(n < c->members_read && str_is(c->members[n++], users[u]));
    assert_int_equal(c->members_read, n);
    assert_int_equal(c->member_count, n);
}

/* Asserts that the page has exactly the changes between the two versions, and is not too long. */
static void
assert_page(const struct model *model, const struct got *got, int limit)
{
    const struct changes_page *page = got->page;
    int64_t shown = got->count + (int64_t)page->member_count;
    int wanted = 0;

    for (int64_t seq = 1; seq <= model->last_seq; seq++) {
        const struct said *s = &model->said[seq];

        wanted += s->version > page->after && s->version <= page->version &&
                  (got->user < 0 || has(s->receivers, got->user));
    }
    assert_int_equal(got->count, wanted);
    assert_true(got->count == 0 || got->last <= page->version);
    if (!page->has_next) {
        assert_int_equal(page->version, model->version);
    } else {
        assert_in_range(page->version, page->after + 1, model->version - 1);
        /* It ended because it was full, large, or had skipped many rows. */
        assert_true(shown >= limit || got->bytes > PAGE_BYTES_MAX ||
                    page->version - page->after >= SKIPPED_MAX);
    }
    /* The first members share a version, so no page ends between them. */
    assert_true(shown <= limit || page->version == 1);
}

/* Which page of changes to read. */
struct question {
    const struct model *model;
    int user; /* -1: nobody */
    int64_t after;
    int limit;
    struct client *client; /* which applies the page; NULL: none */
};

/* Reads and checks one page. Returns its version. */
static int64_t
ask(struct place *place, const struct question *q, bool *has_next)
{
    const struct model *model = q->model;
    struct client *client = q->client;
    struct snapshot *snapshot = support_begin(place);
    struct changes_page page = {
        .conversation = support_find(place, snapshot, model->conversation),
        .after = q->after,
        .username = q->user < 0 ? (struct str){0} : str_c(users[q->user]),
        .limit = q->limit,
    };
    struct got got = {place, model, &page, q->user, client, 0, 0, q->after};
    enum err err = changes_page(snapshot, &place->arena, &page, take, &got);

    snapshot_end(snapshot);
    *has_next = page.has_next;
    if (q->user >= 0 && !has(model->members, q->user)) {
        assert_int_equal(err, ERR_NOT_A_MEMBER);
        return q->after;
    }
    assert_int_equal(err, ERR_OK);
    assert_int_equal(strlen(page.epoch), 32);
    assert_page(model, &got, q->limit);
    assert_standings(model, &page, client);
    assert_markers(model, &page, client);
    assert_object(model, &page);
    if (client != NULL && page.changed)
        snprintf(client->title, sizeof(client->title), "%.*s", (int)page.object.title.n, page.object.title.p);
    arena_reset(&place->arena);
    return page.version;
}

static void
ask_at_random(struct place *place, struct model *model)
{
    int user = (int)support_draw(&model->chance, USERS + 1) - 1;
    int64_t after = support_draw(&model->chance, model->version + 2);
    int limit = 1 + (int)support_draw(&model->chance, support_draw(&model->chance, 4) == 0 ? 1000 : 20);
    bool has_next;

    ask(place, &(struct question){model, user, after, limit, NULL}, &has_next);
}

/* --- clients */

static void
apply_page(struct place *place, struct model *model, struct client *client, bool *has_next)
{
    int limit = 1 + (int)support_draw(&model->chance, 12);

    /* A user who leaves drops the conversation, and starts anew. */
    if (client->user >= 0 && !has(model->members, client->user)) {
        *client = (struct client){.user = client->user};
        *has_next = false;
        return;
    }
    const struct question q = {model, client->user, client->version, limit, client};

    client->version = ask(place, &q, has_next);
}

static void
assert_present(const struct model *model, const struct client *client)
{
    assert_int_equal(client->version, model->version);
    assert_int_equal(client->members, model->members);
    assert_string_equal(client->title, model->title);
    for (int64_t seq = 1; seq <= model->last_seq; seq++) {
        const struct said *s = &model->said[seq];
        bool received = client->user < 0 || has(s->receivers, client->user);

        /* A message that was taken is in the state of that time; no change has come since. */
        assert_int_equal(client->said[seq], received ? s->version : 0);
    }
    for (int u = 0; u < USERS; u++)
        if (has(model->members, u))
            assert_int_equal(client->read[u], model->read[u]);
}

static void
clients_that_apply_pages_during_writes_end_with_the_present(void **state)
{
    enum { STEPS = 700, CLIENTS = 5 };
    struct place *place = *state;
    struct model *model = model_new(place, 20);
    struct client *clients = calloc(CLIENTS, sizeof(*clients));

    assert_non_null(clients);
    support_chance(&model->chance);
    for (int i = 0; i < CLIENTS; i++)
        clients[i].user = i - 1;
    for (int i = 0; i < STEPS; i++) {
        struct client *client = &clients[support_draw(&model->chance, CLIENTS)];
        bool has_next;

        happen(place, model);
        if (support_draw(&model->chance, 3) == 0)
            apply_page(place, model, client, &has_next);
        if (support_draw(&model->chance, 3) == 0)
            ask_at_random(place, model);
        arena_reset(&place->arena);
    }
    for (int i = 0; i < CLIENTS; i++) {
        bool has_next = true;

        while (has_next)
            apply_page(place, model, &clients[i], &has_next);
        if (clients[i].user < 0 || has(model->members, clients[i].user))
            assert_present(model, &clients[i]);
    }
    free(clients);
    free(model);
}

/* --- many changes in one transaction, because each commit would wait for the disk */

struct bulk {
    struct model *model;
    int says;   /* messages by user 2, then … */
    int edits;  /* … the first of all are edited, then … */
    int erases; /* … the last of all deleted */
};

static enum err
say_in_tx(struct tx *tx, struct model *model, struct conversation *c)
{
    struct said *s = &model->said[++model->last_seq];
    struct message m = {.conversation = model->conversation, .sender = str_c(users[2]), .content = str_c("")};
    enum err err = conversations_bump(tx, c, 1, 0);

    m.seq = c->last_seq;
    m.timestamp = tx->tick;
    if (err == ERR_OK)
        err = messages_add(tx, &m, c->version);
    *s = (struct said){.sender = 2,
                       .id = m.id,
                       .timestamp = m.timestamp,
                       .receivers = model->members,
                       .version = ++model->version};
    return err;
}

static enum err
edit_in_tx(struct tx *tx, struct model *model, struct conversation *c, int64_t seq)
{
    struct said *s = &model->said[seq];
    struct message m = {.conversation = model->conversation, .seq = seq};
    char text[16];
    enum err err = conversations_bump(tx, c, 0, 0);

    s->text = ++model->texts;
    s->bytes = (size_t)snprintf(text, sizeof(text), "%d", s->text);
    s->edited_at = tx->tick;
    s->version = ++model->version;
    return err == ERR_OK ? messages_edit(tx, &m, str_c(text), c->version) : err;
}

static enum err
erase_in_tx(struct tx *tx, struct model *model, struct conversation *c, int64_t seq)
{
    struct said *s = &model->said[seq];
    struct message m = {.conversation = model->conversation, .seq = seq};
    enum err err = conversations_bump(tx, c, 0, 0);

    s->bytes = 0;
    s->edited_at = 0;
    s->deleted_at = tx->tick;
    s->version = ++model->version;
    return err == ERR_OK ? messages_delete(tx, &m, c->version) : err;
}

static enum err
bulk_in_tx(struct tx *tx, void *arg)
{
    const struct bulk *bulk = arg;
    struct model *model = bulk->model;
    struct conversation c;
    struct arena arena;
    bool found;
    enum err err;

    arena_init(&arena);
    err = conversations_get(tx->db, &arena, model->conversation, &c, &found);
    for (int i = 0; err == ERR_OK && i < bulk->says; i++)
        err = say_in_tx(tx, model, &c);
    for (int i = 0; err == ERR_OK && i < bulk->edits; i++)
        err = edit_in_tx(tx, model, &c, i + 1);
    for (int i = 0; err == ERR_OK && i < bulk->erases; i++)
        err = erase_in_tx(tx, model, &c, model->last_seq - i);
    arena_clear(&arena);
    return err;
}

static void
happen_many(struct place *place, struct model *model, int says, int edits, int erases)
{
    struct bulk bulk = {model, says, edits, erases};

    assert_int_equal(support_run(&place->store, bulk_in_tx, &bulk), ERR_OK);
}

/* Reads from `after` to the end. *empty: how many pages showed no object. */
static int
page_through(struct place *place, const struct model *model, int user, int64_t after, int limit)
{
    struct question q = {model, user, after, limit, NULL};
    bool has_next = true;
    int pages = 0;

    while (has_next) {
        q.after = ask(place, &q, &has_next);
        pages++;
    }
    return pages;
}

static void
rows_skipped_for_a_page_are_bounded(void **state)
{
    struct place *place = *state;
    struct model *model = model_new(place, 20);

    model->chance.state = 1;
    come_or_go(place, model, 3);
    happen_many(place, model, 4500, 2500, 30);
    come_or_go(place, model, 3);
    happen_many(place, model, 10, 5, 3);
    /* 2,500 messages that changed later are skipped before the first object of the page. */
    assert_int_equal(page_through(place, model, -1, 6, 1000), 6);
    page_through(place, model, -1, 0, 37);
    /*
     * Bob was away while all but ten were sent: that gap is skipped in one step, its 2,530 changes
     * are not.
     */
    assert_int_equal(page_through(place, model, 3, 0, 1000), 2);
    page_through(place, model, 3, 0, 1);
    page_through(place, model, 3, model->version - 20, 3);
    free(model);
}

/* Rows before them are not read. */
static void
a_late_member_needs_one_page(void **state)
{
    struct place *place = *state;
    struct model *model = model_new(place, 20);

    model->chance.state = 1;
    happen_many(place, model, 5000, 0, 0);
    come_or_go(place, model, 7);
    happen_many(place, model, 3, 0, 0);
    assert_int_equal(page_through(place, model, 7, 0, 1000), 1);
    free(model);
}

static void
large_messages_make_short_pages(void **state)
{
    struct place *place = *state;
    struct model *model = model_new(place, 65537);

    support_chance(&model->chance);
    for (int i = 0; i < 100; i++) {
        say(place, model, 2);
        arena_reset(&place->arena);
    }
    assert_true(page_through(place, model, -1, 0, PAGE_LIMIT_MAX) > 1);
    assert_true(page_through(place, model, 4, 0, PAGE_LIMIT_MAX) > 1);
    for (int64_t seq = 1; seq <= 60; seq++) {
        edit(place, model, &model->said[seq]);
        arena_reset(&place->arena);
    }
    assert_true(page_through(place, model, -1, 20, PAGE_LIMIT_MAX) > 1);
    free(model);
}

/* --- many members */

static void
count_message(void *arg, const struct message *m)
{
    (void)m;
    *(int *)arg += 1;
}

static struct changes_page
page_of(struct place *place, int64_t conversation, int64_t after, int limit, int *messages)
{
    struct snapshot *snapshot = support_begin(place);
    struct changes_page page = {
        .conversation = support_find(place, snapshot, conversation), .after = after, .limit = limit};

    *messages = 0;
    assert_int_equal(changes_page(snapshot, &place->arena, &page, count_message, messages), ERR_OK);
    snapshot_end(snapshot);
    return page;
}

enum { MANY = 150 };

/* Creates a group of MANY, with one message. */
static int64_t
found_large_group(struct place *place)
{
    int64_t group = support_create(place, TYPE_GROUP, support_crowd(place, MANY));

    support_send(place, group, "m000", "x");
    return group;
}

static void
leave_first(struct place *place, int64_t group, int count)
{
    for (int i = 0; i < count; i++) {
        char name[8];

        snprintf(name, sizeof(name), "m%03d", i);
        support_leave(place, group, name);
    }
}

static void
changes_omit_the_first_members_of_a_large_group(void **state)
{
    struct place *place = *state;
    int64_t group = found_large_group(place);
    struct changes_page page;
    int messages;

    page = page_of(place, group, 0, 1, &messages);
    assert_int_equal(page.member_count, 0);
    assert_int_equal(messages, 1);
    assert_int_equal(page.version, 2);
    assert_false(page.has_next);
    /* Their names and markers would be too large. */
    assert_false(page.few);
    assert_int_equal(page.object.member_count, MANY);
    assert_int_equal(page.object.members_read, 0);
    assert_int_equal(page.marker_count, 0);
    /* Later changes are on pages. */
    leave_first(place, group, 49);
    page = page_of(place, group, 0, 20, &messages);
    assert_int_equal(page.member_count, 19);
    page = page_of(place, group, 2, 20, &messages);
    assert_int_equal(page.member_count, 20);
    for (size_t i = 0; i < page.member_count; i++)
        assert_true(page.members[i].left);
    assert_int_equal(page.version, 22);
    assert_false(page.few);
}

static void
changes_of_a_group_that_became_small_have_all_members(void **state)
{
    struct place *place = *state;
    int64_t group = found_large_group(place);
    struct changes_page page;
    int messages;

    leave_first(place, group, 50);
    page = page_of(place, group, 0, PAGE_LIMIT_MAX, &messages);
    assert_true(page.few);
    assert_int_equal(page.object.members_read, 100);
    assert_int_equal(page.member_count, MANY);
    assert_int_equal(messages, 1);
    assert_int_equal(page.version, 52);
    assert_false(page.has_next);
}

static void
with_nothing_new_a_page_is_empty(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    static const int64_t afters[] = {2, 3, INT64_MAX};
    struct changes_page page;
    int messages;

    support_send(place, group, "ann", "x");
    for (size_t i = 0; i < sizeof(afters) / sizeof(afters[0]); i++) {
        page = page_of(place, group, afters[i], 10, &messages);
        assert_int_equal(messages, 0);
        assert_int_equal(page.member_count, 0);
        assert_false(page.changed);
        assert_false(page.has_next);
        assert_int_equal(page.version, 2);
    }
}

static void
only_members_may_name_themselves(void **state)
{
    struct place *place = *state;
    int64_t group = support_create(place, TYPE_GROUP, "ann bob");
    static const char *const names[] = {"bob", "cid", "nobody", ""};
    struct snapshot *snapshot;
    int messages = 0;

    support_create(place, TYPE_GROUP, "cid");
    support_leave(place, group, "bob");
    snapshot = support_begin(place);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct changes_page page = {
            .conversation = support_find(place, snapshot, group), .username = str_c(names[i]), .limit = 10};

        assert_int_equal(changes_page(snapshot, &place->arena, &page, count_message, &messages),
                         ERR_NOT_A_MEMBER);
    }
    snapshot_end(snapshot);
    assert_int_equal(messages, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(clients_that_apply_pages_during_writes_end_with_the_present),
        TEST(rows_skipped_for_a_page_are_bounded),
        TEST(a_late_member_needs_one_page),
        TEST(large_messages_make_short_pages),
        TEST(changes_omit_the_first_members_of_a_large_group),
        TEST(changes_of_a_group_that_became_small_have_all_members),
        TEST(with_nothing_new_a_page_is_empty),
        TEST(only_members_may_name_themselves),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
