/*
 * Checks: pages of a conversation and of a user hold exactly what was sent there, or while they
 * were a member, oldest first; a page never ends inside a tick, and paging by the last timestamp to
 * the end yields each message once; whatever the limit, the number of conversations, and the size
 * of the messages. Pages by seq are the messages before, after and around one, and say what lies
 * beyond their ends.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "domain/history.h"
#include "domain/send.h"
#include "store/accounts.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/store.h"

#define USERS_MAX         16
#define CONVERSATIONS_MAX 48
#define MESSAGES_MAX      6000
#define PAGE_BYTES        (1024 * 1024) /* the bound that a page may exceed by a tick */

/* --- the model: what happened, told in the simplest way */

struct sent {
    struct message m;
    uint32_t receivers; /* bit n: user n was a member */
};

struct model {
    int users;
    int conversations;
    struct conversation rows[CONVERSATIONS_MAX];          /* number n has id n + 1 */
    uint32_t members[CONVERSATIONS_MAX];                  /* bit n: user n is one now */
    int64_t joined_version[CONVERSATIONS_MAX][USERS_MAX]; /* of the present stay */
    struct sent sent[MESSAGES_MAX];                       /* by id */
    int count;                                            /* of them */
    /* How it came to be. */
    struct chance chance;
    int ticks;
    int content_bytes_max;
    int burst;       /* one tick in so many is a burst */
    int sole_member; /* conversations in which user 0 is and stays a member: so many of the first */
};

static struct str
name_of(int user)
{
    static const char *const names[USERS_MAX] = {"u00", "u01", "u02", "u03", "u04", "u05", "u06", "u07",
                                                 "u08", "u09", "u10", "u11", "u12", "u13", "u14", "u15"};

    return str_c(names[user]);
}

/* Any content; its length matters. */
static char letters[70000];

static enum err
create_all(struct tx *tx, struct model *model)
{
    enum err err = ERR_OK;

    for (int u = 0; err == ERR_OK && u < model->users; u++)
        err = accounts_add(tx, name_of(u));
    for (int c = 0; err == ERR_OK && c < model->conversations; c++) {
        struct conversation *row = &model->rows[c];

        *row = (struct conversation){
            .type = TYPE_GROUP, .title = str_c(""), .member_count = c < model->sole_member};
        err = conversations_add(tx, (struct str){0}, (struct str){0}, row);
        if (err == ERR_OK && c < model->sole_member) {
            model->members[c] = 1;
            model->joined_version[c][0] = 1;
            err = memberships_add(tx, row, name_of(0), ROLE_MEMBER);
        }
    }
    return err;
}

/* User u enters or leaves conversation c. */
static enum err
toggle(struct tx *tx, struct model *model, int c, int u)
{
    struct conversation *row = &model->rows[c];
    bool joins = (model->members[c] >> u & 1) == 0;
    enum err err;

    if (u == 0 && c < model->sole_member)
        return ERR_OK;
    err = conversations_bump(tx, row, 0, joins ? 1 : -1);
    model->members[c] ^= 1U << u;
    if (err != ERR_OK)
        return err;
    if (!joins)
        return memberships_end(tx, row, name_of(u), model->joined_version[c][u], false);
    model->joined_version[c][u] = row->version;
    return memberships_add(tx, row, name_of(u), ROLE_MEMBER);
}

static enum err
post(struct tx *tx, struct model *model, int c)
{
    struct conversation *row = &model->rows[c];
    struct sent *s = &model->sent[model->count];
    int u = (int)support_draw(&model->chance, model->users);
    enum err err;

    /* The next member from u on. */
    for (int i = 0; i < model->users && (model->members[c] >> u & 1) == 0; i++)
        u = (u + 1) % model->users;
    if ((model->members[c] >> u & 1) == 0 || model->count == MESSAGES_MAX)
        return ERR_OK;
    err = conversations_bump(tx, row, 1, 0);
    s->m = (struct message){
        .conversation = row->id,
        .seq = row->last_seq,
        .timestamp = tx->tick,
        .sender = name_of(u),
        .content = {letters, (size_t)support_draw(&model->chance, model->content_bytes_max)},
    };
    s->receivers = model->members[c];
    model->count++;
    return err == ERR_OK ? messages_add(tx, &s->m, row->version) : err;
}

static enum err
one_tick(struct tx *tx, struct model *model)
{
    struct chance *chance = &model->chance;
    int64_t burst = support_draw(chance, model->burst) == 0 ? support_draw(chance, 40) : 0;
    int64_t operations = 1 + support_draw(chance, 3) + burst;
    int crowd = (int)support_draw(chance, model->conversations);
    enum err err = ERR_OK;

    for (int64_t i = 0; err == ERR_OK && i < operations; i++) {
        int c = burst > 0 && support_draw(chance, 2) == 0 ? crowd
                                                          : (int)support_draw(chance, model->conversations);

        if (support_draw(chance, 5) == 0)
            err = toggle(tx, model, c, (int)support_draw(chance, model->users));
        else
            err = post(tx, model, c);
    }
    return err;
}

/*
 * All in one transaction that counts the ticks itself: a tick of its own for each would ask the
 * disk.
 */
static enum err
live(struct tx *tx, void *arg)
{
    struct model *model = arg;
    enum err err = create_all(tx, model);

    for (int i = 0; err == ERR_OK && i < model->ticks; i++) {
        tx->tick += 1 + support_draw(&model->chance, support_draw(&model->chance, 10) == 0 ? 100000 : 3);
        err = one_tick(tx, model);
    }
    return err;
}

static struct model *
model_new(struct place *place, const struct model *plan)
{
    struct model *model = malloc(sizeof(*model));

    assert_non_null(model);
    *model = *plan;
    memset(letters, 'x', sizeof(letters));
    assert_int_equal(support_run(&place->store, live, model), ERR_OK);
    return model;
}

/* --- a page, received and foretold */

struct got {
    int count;
    int complete;                          /* messages up to the end of the last complete tick */
    struct message messages[MESSAGES_MAX]; /* contents: their length alone */
    bool has_next;
};

static void
take_message(void *arg, const struct message *m)
{
    struct got *got = arg;

    assert_true(got->count < MESSAGES_MAX);
    got->messages[got->count] = *m;
    got->messages[got->count].sender = name_of(atoi(m->sender.p + 1) % USERS_MAX);
    assert_true(str_eq(got->messages[got->count].sender, m->sender));
    assert_true(m->content.n == 0 || memcmp(m->content.p, letters, m->content.n) == 0);
    got->count++;
}

static void
take_tick_ends(void *arg)
{
    struct got *got = arg;

    got->complete = got->count;
}

static void
take_cut(void *arg)
{
    struct got *got = arg;

    assert_true(got->complete > 0);
    got->count = got->complete;
}

/* Whose page: of user `user`, or, where that is -1, of conversation number `conversation`. */
struct whose {
    int user;
    int conversation;
};

static bool
belongs(const struct sent *s, const struct whose *whose)
{
    return whose->user >= 0 ? (s->receivers >> whose->user & 1) != 0
                            : s->m.conversation == whose->conversation + 1;
}

static void
ask(struct place *place, const struct whose *whose, int64_t after, int limit, struct got *got)
{
    const struct history_sink sink = {got, take_message, take_tick_ends, take_cut};
    struct snapshot *snapshot = support_begin(place);
    const struct view view = {snapshot, &place->arena,
                              whose->user < 0 ? (struct str){0} : name_of(whose->user), false};
    struct time_page page = {.after = after, .limit = limit};
    enum err err;

    got->count = 0;
    got->complete = 0;
    if (whose->user < 0)
        err = history_of_conversation(&view, support_find(place, snapshot, whose->conversation + 1), &page,
                                      &sink);
    else
        err = history_of_user(&view, &page, &sink);
    got->has_next = page.has_next;
    snapshot_end(snapshot);
    arena_reset(&place->arena);
    assert_int_equal(err, ERR_OK);
}

static void
assert_same(const struct message *a, const struct message *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->conversation, b->conversation);
    assert_int_equal(a->seq, b->seq);
    assert_int_equal(a->timestamp, b->timestamp);
    assert_true(str_eq(a->sender, b->sender));
    assert_int_equal(a->content.n, b->content.n);
}

/* Compares a page with the rule: whole ticks while they fit into the limit, but at least one. */
static void
assert_page(const struct model *model, const struct whose *whose, int64_t after, int limit,
            const struct got *got)
{
    const struct message *wanted[MESSAGES_MAX];
    int all = 0;
    int page = 0;

    for (int i = 0; i < model->count; i++)
        if (model->sent[i].m.timestamp > after && belongs(&model->sent[i], whose))
            wanted[all++] = &model->sent[i].m;
    for (int end = 0; end < all; page = end) {
        while (end < all && wanted[end]->timestamp == wanted[page]->timestamp)
            end++;
        if (end > limit && page > 0)
            break;
    }
    if (got->count != page || got->has_next != (page < all))
        fail_msg("user %d, conversation %d, after %" PRId64 ", limit %d: %d messages%s instead of %d%s",
                 whose->user, whose->conversation, after, limit, got->count, got->has_next ? " and more" : "",
                 page, page < all ? " and more" : "");
    for (int i = 0; i < page; i++)
        assert_same(&got->messages[i], wanted[i]);
}

/* Asks for page after page; each is checked, so together they are everything once. */
static void
check_paging(struct place *place, const struct model *model, const struct whose *whose, int limit,
             struct got *got)
{
    int64_t after = 0;

    do {
        ask(place, whose, after, limit, got);
        assert_page(model, whose, after, limit, got);
        if (got->count > 0)
            after = got->messages[got->count - 1].timestamp;
    } while (got->has_next);
}

/* Around the moment of any message, with any limit. */
static void
check_moments(struct place *place, struct model *model, const struct whose *whose, int times, struct got *got)
{
    for (int i = 0; i < times && model->count > 0; i++) {
        int64_t after = model->sent[support_draw(&model->chance, model->count)].m.timestamp -
                        support_draw(&model->chance, 2);
        int limit = 1 + (int)support_draw(&model->chance, i % 4 == 0 ? PAGE_LIMIT_MAX : 30);

        ask(place, whose, after, limit, got);
        assert_page(model, whose, after, limit, got);
    }
}

static void
check_all(struct place *place, struct model *model)
{
    struct got *got = malloc(sizeof(*got));

    assert_non_null(got);
    for (int n = 0; n < model->users + model->conversations; n++) {
        struct whose whose = {n < model->users ? n : -1, n - model->users};

        for (int limit = 1; limit <= 20; limit++)
            check_paging(place, model, &whose, limit, got);
        check_paging(place, model, &whose, PAGE_LIMIT_MAX, got);
        check_moments(place, model, &whose, 50, got);
    }
    free(got);
}

/* --- the tests */

static void
pages_of_random_histories_are_right(void **state)
{
    struct model plan = {.content_bytes_max = 60};
    struct chance chance;

    support_chance(&chance);
    for (int i = 0; i < 4; i++) {
        struct model *model;

        plan.users = 1 + (int)support_draw(&chance, 6);
        plan.conversations = 1 + (int)support_draw(&chance, 5);
        plan.ticks = (int)support_draw(&chance, 150);
        plan.burst = 1 + (int)support_draw(&chance, 20);
        plan.chance.state = (uint64_t)support_draw(&chance, INT64_MAX);
        model = model_new(*state, &plan);
        check_all(*state, model);
        free(model);
        /* Each history in a database of its own. */
        support_close(state);
        support_open(state);
    }
}

/*
 * User 0 is in so many conversations that the newest messages anywhere are looked at first: the
 * moments cover what that finds, where it gives up, and its edge; each message on the way.
 */
static void
pages_of_a_user_in_many_conversations_are_right(void **state)
{
    struct model plan = {.users = 8,
                         .conversations = 48,
                         .sole_member = 30,
                         .ticks = 700,
                         .burst = 30,
                         .content_bytes_max = 9};
    struct got *got = malloc(sizeof(*got));
    struct model *model;

    assert_non_null(got);
    support_chance(&plan.chance);
    model = model_new(*state, &plan);
    assert_true(model->count > 400);
    for (int n = 0; n < 2; n++)
        for (int i = model->count - 260; i < model->count; i++) {
            static const int limits[] = {1, 2, 7, 31, 32, 64, 127, 128, 129, PAGE_LIMIT_MAX};
            struct whose whose = {n, -1};
            int limit = limits[(size_t)i % (sizeof(limits) / sizeof(limits[0]))];
            int64_t after = model->sent[i].m.timestamp;

            ask(*state, &whose, after, limit, got);
            assert_page(model, &whose, after, limit, got);
            ask(*state, &whose, after - 1, 1 + i % 40, got);
            assert_page(model, &whose, after - 1, 1 + i % 40, got);
        }
    check_paging(*state, model, &(struct whose){0, -1}, 5, got);
    check_paging(*state, model, &(struct whose){0, -1}, 50, got);
    free(model);
    free(got);
}

/*
 * User 0 joins one conversation after the other, and leaves some again: what was said before, at
 * the same moment and after it, in all of them.
 */
static enum err
join_one_by_one(struct tx *tx, void *arg)
{
    struct model *model = arg;
    enum err err = create_all(tx, model);

    for (int c = 0; err == ERR_OK && c < model->conversations; c++)
        err = toggle(tx, model, c, 1);
    for (int i = 0; err == ERR_OK && i < model->ticks; i++) {
        int c = i % model->conversations;

        tx->tick += 10;
        for (int n = 0; err == ERR_OK && n < (int)support_draw(&model->chance, 3); n++)
            err = post(tx, model, (int)support_draw(&model->chance, model->conversations));
        if (err == ERR_OK && (i < model->conversations || support_draw(&model->chance, 3) == 0))
            err = toggle(tx, model, c, 0);
        if (err == ERR_OK)
            err = post(tx, model, c);
    }
    return err;
}

static void
pages_of_a_user_who_joins_one_by_one_are_right(void **state)
{
    static const int limits[] = {1, 2, 7, 30, 100, PAGE_LIMIT_MAX};
    const struct whose whose = {0, -1};
    struct got *got = malloc(sizeof(*got));
    struct model *model = malloc(sizeof(*model));

    assert_non_null(got);
    assert_non_null(model);
    memset(letters, 'x', sizeof(letters));
    *model = (struct model){.users = 2, .conversations = 48, .ticks = 130, .content_bytes_max = 3};
    support_chance(&model->chance);
    assert_int_equal(support_run(&((struct place *)*state)->store, join_one_by_one, model), ERR_OK);
    for (int i = 0; i < model->count; i++)
        for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++)
            for (int64_t early = 0; early < 2; early++) {
                int64_t after = i == 0 ? 0 : model->sent[i].m.timestamp - early;

                ask(*state, &whose, after, limits[k], got);
                assert_page(model, &whose, after, limits[k], got);
            }
    free(model);
    free(got);
}

/*
 * Far more messages than a page holds, from many conversations: most are forgotten while it is
 * selected.
 */
static void
pages_of_a_user_with_a_long_history_are_right(void **state)
{
    struct model plan = {.users = 3,
                         .conversations = 20,
                         .sole_member = 20,
                         .ticks = 2500,
                         .burst = 50,
                         .content_bytes_max = 9};
    struct got *got = malloc(sizeof(*got));
    struct model *model;

    assert_non_null(got);
    support_chance(&plan.chance);
    model = model_new(*state, &plan);
    assert_true(model->count > 4000);
    for (int n = 0; n < 2; n++) {
        struct whose whose = {n, -1};

        check_paging(*state, model, &whose, 40, got);
        check_paging(*state, model, &whose, PAGE_LIMIT_MAX, got);
        check_moments(*state, model, &whose, 60, got);
    }
    free(model);
    free(got);
}

#define CROWD 70 /* messages: more than are kept for a small page before the first is forgotten */

/*
 * A crowd of messages in one tick of conversation number 0 or 1, and one in the other a tick later.
 */
static enum err
crowd_and_straggler(struct tx *tx, struct model *model, int crowded)
{
    enum err err = create_all(tx, model);

    for (int i = 0; err == ERR_OK && i < CROWD; i++)
        err = post(tx, model, crowded);
    tx->tick += 1;
    return err == ERR_OK ? post(tx, model, 1 - crowded) : err;
}

static enum err
crowd_in_first(struct tx *tx, void *arg)
{
    return crowd_and_straggler(tx, arg, 0);
}

static enum err
crowd_in_second(struct tx *tx, void *arg)
{
    return crowd_and_straggler(tx, arg, 1);
}

/* What is forgotten while a page is selected may be all that comes after it. */
static void
a_tick_larger_than_the_page_is_whole_and_more_follows(void **state)
{
    static command_fn *const commands[] = {crowd_in_first, crowd_in_second};
    struct model *model = malloc(sizeof(*model));
    struct got *got = malloc(sizeof(*got));

    assert_non_null(model);
    assert_non_null(got);
    for (int i = 0; i < 2; i++) {
        struct place *place = *state;

        *model = (struct model){.users = 1, .conversations = 2, .sole_member = 2, .content_bytes_max = 9};
        assert_int_equal(support_run(&place->store, commands[i], model), ERR_OK);
        for (int limit = 1; limit <= CROWD + 2; limit++)
            check_paging(place, model, &(struct whose){0, -1}, limit, got);
        support_close(state);
        support_open(state);
    }
    free(got);
    free(model);
}

static size_t
bytes_before_last_tick(const struct got *got)
{
    size_t bytes = 0;

    for (int i = 0; i < got->count; i++)
        if (got->messages[i].timestamp < got->messages[got->count - 1].timestamp)
            bytes += got->messages[i].content.n;
    return bytes;
}

/*
 * By the largest limit, so it is the size that ends the pages. They need not be as long as they
 * could.
 */
static int
check_large(struct place *place, const struct model *model, const struct whose *whose, struct got *got)
{
    int64_t after = 0;
    int next = 0;
    int pages = 0;

    do {
        ask(place, whose, after, PAGE_LIMIT_MAX, got);
        pages++;
        for (int i = 0; i < got->count; i++, next++) {
            while (next < model->count && !belongs(&model->sent[next], whose))
                next++;
            assert_true(next < model->count);
            assert_same(&got->messages[i], &model->sent[next].m);
        }
        assert_true(bytes_before_last_tick(got) <= PAGE_BYTES);
        assert_true(got->count > 0 || !got->has_next);
        if (got->count > 0)
            after = got->messages[got->count - 1].timestamp;
    } while (got->has_next);
    for (; next < model->count; next++)
        assert_false(belongs(&model->sent[next], whose));
    return pages;
}

static void
large_messages_make_short_pages_and_none_is_lost(void **state)
{
    struct model plan = {.users = 3,
                         .conversations = 2,
                         .sole_member = 2,
                         .ticks = 60,
                         .burst = 8,
                         .content_bytes_max = 65537};
    struct got *got = malloc(sizeof(*got));
    struct model *model;

    assert_non_null(got);
    support_chance(&plan.chance);
    model = model_new(*state, &plan);
    assert_true(check_large(*state, model, &(struct whose){0, -1}, got) > 1);
    assert_true(check_large(*state, model, &(struct whose){1, -1}, got) > 0);
    for (int c = 0; c < 2; c++)
        assert_true(check_large(*state, model, &(struct whose){-1, c}, got) > 1);
    free(model);
    free(got);
}

static void
an_unknown_user_has_an_empty_page(void **state)
{
    struct got *got = malloc(sizeof(*got));
    struct model plan = {.users = 2,
                         .conversations = 1,
                         .sole_member = 1,
                         .ticks = 5,
                         .burst = 2,
                         .content_bytes_max = 9,
                         .chance = {1}};
    struct model *model = model_new(*state, &plan);

    assert_non_null(got);
    ask(*state, &(struct whose){9, -1}, 0, 10, got);
    assert_int_equal(got->count, 0);
    assert_false(got->has_next);
    ask(*state, &(struct whose){0, -1}, INT64_MAX, 10, got);
    assert_int_equal(got->count, 0);
    assert_false(got->has_next);
    free(model);
    free(got);
}

#define SENDERS 8
#define EACH    60

struct senders {
    struct store *store;
    struct model *model;
    _Atomic int errors;
};

static void
send_some(void *arg, int n)
{
    struct senders *senders = arg;

    for (int i = 0; i < EACH; i++) {
        struct sent *s = &senders->model->sent[n * EACH + i];
        struct sending sending = {.message = {.conversation = 1 + (n + i) % 3,
                                              .sender = name_of(n),
                                              .content = {letters, (size_t)i}}};

        if (send_message(senders->store, &sending) != ERR_OK)
            atomic_fetch_add(&senders->errors, 1);
        s->m = sending.message;
        s->receivers = (1U << SENDERS) - 1;
    }
}

static int
by_id(const void *a, const void *b)
{
    const struct sent *x = a;
    const struct sent *y = b;

    return (x->m.id > y->m.id) - (x->m.id < y->m.id);
}

static enum err
all_join(struct tx *tx, void *arg)
{
    struct model *model = arg;
    enum err err = create_all(tx, model);

    for (int i = 0; err == ERR_OK && i < model->conversations * model->users; i++)
        err = toggle(tx, model, i / model->users, i % model->users);
    return err;
}

/* Group commit puts them into common ticks. */
static void
pages_of_concurrent_messages_are_right(void **state)
{
    struct place *place = *state;
    struct model *model = calloc(1, sizeof(*model));
    struct senders senders = {.store = &place->store, .model = model};

    assert_non_null(model);
    model->users = SENDERS;
    model->conversations = 3;
    support_chance(&model->chance);
    memset(letters, 'x', sizeof(letters));
    assert_int_equal(support_run(&place->store, all_join, model), ERR_OK);
    support_threads(SENDERS, send_some, &senders);
    assert_int_equal(atomic_load(&senders.errors), 0);
    model->count = SENDERS * EACH;
    qsort(model->sent, (size_t)model->count, sizeof(model->sent[0]), by_id);
    check_all(place, model);
    free(model);
}

/* --- pages by seq */

/* The messages of conversation number c, by seq from 1 on. */
static int
by_seq(const struct model *model, int c, const struct message *messages[])
{
    int count = 0;

    for (int i = 0; i < model->count; i++)
        if (model->sent[i].m.conversation == c + 1)
            messages[++count] = &model->sent[i].m;
    return count;
}

/* Of the page's conversation, the id alone is given. */
static void
ask_by_seq(struct place *place, struct seq_page *page, struct got *got)
{
    struct snapshot *snapshot = support_begin(place);

    got->count = 0;
    page->conversation = support_find(place, snapshot, page->conversation->id);
    assert_int_equal(
        history_by_seq(&(struct view){snapshot, &place->arena, {0}, false}, page, take_message, got), ERR_OK);
    snapshot_end(snapshot);
    arena_reset(&place->arena);
}

/* Which ones it has to hold at most: *low … *high, within 1 … count. */
static void
window(const struct seq_page *page, int64_t count, int64_t *low, int64_t *high)
{
    int64_t seq = page->seq > count ? count + 1 : page->seq;
    int64_t before = page->side == SEQ_BEFORE ? page->limit : (page->limit - 1) / 2;

    *low = page->side == SEQ_AFTER ? seq + 1 : seq - before;
    *high = page->side == SEQ_AFTER    ? seq + page->limit
            : page->side == SEQ_BEFORE ? seq - 1
                                       : seq - before + page->limit - 1;
    *low = *low < 1 ? 1 : *low;
    *high = *high > count ? count : *high;
}

static void
assert_seq_page(struct place *place, const struct message *const messages[], int64_t count,
                const struct seq_page *asked, struct got *got)
{
    struct seq_page page = *asked;
    int64_t low;
    int64_t high;

    window(asked, count, &low, &high);
    ask_by_seq(place, &page, got);
    if (got->count != (high < low ? 0 : high - low + 1) || page.has_prev != (low > 1 && count > 0) ||
        page.has_next != (high < count))
        fail_msg("side %d of %" PRId64 ", limit %d: %d messages, prev %d, next %d; not %" PRId64 " … %" PRId64
                 " of %" PRId64,
                 (int)asked->side, asked->seq, asked->limit, got->count, page.has_prev, page.has_next, low,
                 high, count);
    for (int i = 0; i < got->count; i++)
        assert_same(&got->messages[i], messages[low + i]);
}

static void
pages_by_seq_are_right(void **state)
{
    struct model plan = {
        .users = 3, .conversations = 3, .sole_member = 3, .ticks = 60, .burst = 9, .content_bytes_max = 60};
    static const struct message *messages[MESSAGES_MAX + 1];
    static const int limits[] = {1, 2, 3, 4, 7, 50, PAGE_LIMIT_MAX};
    struct got *got = malloc(sizeof(*got));
    struct model *model;

    assert_non_null(got);
    support_chance(&plan.chance);
    model = model_new(*state, &plan);
    for (int c = 0; c < plan.conversations; c++) {
        int count = by_seq(model, c, messages);

        for (int64_t seq = 0; seq <= count + 2; seq++)
            for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
                for (int side = SEQ_AFTER; side <= SEQ_AROUND; side++)
                    if (side != SEQ_AROUND || seq > 0)
                        assert_seq_page(
                            *state, messages, count,
                            &(struct seq_page){.conversation = &(struct conversation){.id = c + 1},
                                               .side = (enum seq_side)side,
                                               .seq = seq,
                                               .limit = limits[i]},
                            got);
        for (int side = SEQ_AFTER; side <= SEQ_AROUND; side++)
            assert_seq_page(*state, messages, count,
                            &(struct seq_page){.conversation = &(struct conversation){.id = c + 1},
                                               .side = (enum seq_side)side,
                                               .seq = INT64_MAX,
                                               .limit = 5},
                            got);
    }
    free(model);
    free(got);
}

static void
an_empty_conversation_has_an_empty_page(void **state)
{
    struct place *place = *state;
    int64_t empty = support_create(place, TYPE_GROUP, "ann");
    static const int64_t seqs[] = {1, 7, INT64_MAX};
    struct got *got = malloc(sizeof(*got));

    assert_non_null(got);
    for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++)
        for (int side = SEQ_AFTER; side <= SEQ_AROUND; side++)
            assert_seq_page(place, NULL, 0,
                            &(struct seq_page){.conversation = &(struct conversation){.id = (int32_t)empty},
                                               .side = (enum seq_side)side,
                                               .seq = seqs[i],
                                               .limit = 5},
                            got);
    free(got);
}

static size_t
bytes_of(const struct got *got)
{
    size_t bytes = 0;

    for (int i = 0; i < got->count; i++)
        bytes += got->messages[i].content.n;
    return bytes;
}

/* From one end to the other, page by page: each message once. */
static void
walk_by_seq(struct place *place, const struct message *const messages[], int count, enum seq_side side,
            struct got *got)
{
    int64_t at = side == SEQ_AFTER ? 0 : count + 1;
    int seen = 0;
    int pages = 0;
    bool more = true;

    for (; more; pages++) {
        struct seq_page page = {.conversation = &(struct conversation){.id = 1},
                                .side = side,
                                .seq = at,
                                .limit = PAGE_LIMIT_MAX};

        ask_by_seq(place, &page, got);
        assert_in_range(got->count, 1, PAGE_LIMIT_MAX);
        assert_true(bytes_of(got) <= PAGE_BYTES + 65536);
        assert_int_equal(got->messages[side == SEQ_AFTER ? 0 : got->count - 1].seq,
                         side == SEQ_AFTER ? at + 1 : at - 1);
        for (int i = 0; i < got->count; i++)
            assert_same(&got->messages[i], messages[got->messages[0].seq + i]);
        seen += got->count;
        at = got->messages[side == SEQ_AFTER ? got->count - 1 : 0].seq;
        more = side == SEQ_AFTER ? page.has_next : page.has_prev;
        assert_int_equal(side == SEQ_AFTER ? page.has_prev : page.has_next, pages > 0);
    }
    assert_int_equal(seen, count);
    assert_true(pages > 2);
}

static void
large_messages_make_short_pages_by_seq(void **state)
{
    struct model plan = {.users = 1,
                         .conversations = 1,
                         .sole_member = 1,
                         .ticks = 60,
                         .burst = 4,
                         .content_bytes_max = 65537};
    static const struct message *messages[MESSAGES_MAX + 1];
    struct got *got = malloc(sizeof(*got));
    struct model *model;
    int count;

    assert_non_null(got);
    support_chance(&plan.chance);
    model = model_new(*state, &plan);
    count = by_seq(model, 0, messages);
    walk_by_seq(*state, messages, count, SEQ_AFTER, got);
    walk_by_seq(*state, messages, count, SEQ_BEFORE, got);
    for (int64_t seq = 1; seq <= count; seq++) {
        struct seq_page page = {.conversation = &(struct conversation){.id = 1},
                                .side = SEQ_AROUND,
                                .seq = seq,
                                .limit = PAGE_LIMIT_MAX};
        int64_t first;

        ask_by_seq(*state, &page, got);
        first = got->messages[0].seq;
        assert_true(bytes_of(got) <= PAGE_BYTES + (size_t)2 * 65536);
        /* It itself is there, and something on either side of it. */
        assert_in_range(seq - first, seq > 1, got->count - 1 - (seq < count));
        assert_int_equal(page.has_prev, first > 1);
        assert_int_equal(page.has_next, first + got->count - 1 < count);
    }
    free(model);
    free(got);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_of_random_histories_are_right, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(pages_of_a_user_in_many_conversations_are_right, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(pages_of_a_user_who_joins_one_by_one_are_right, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(pages_of_a_user_with_a_long_history_are_right, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(a_tick_larger_than_the_page_is_whole_and_more_follows, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(large_messages_make_short_pages_and_none_is_lost, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(an_unknown_user_has_an_empty_page, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(pages_by_seq_are_right, support_open, support_check_and_close),
        cmocka_unit_test_setup_teardown(an_empty_conversation_has_an_empty_page, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(large_messages_make_short_pages_by_seq, support_open,
                                        support_check_and_close),
        cmocka_unit_test_setup_teardown(pages_of_concurrent_messages_are_right, support_open,
                                        support_check_and_close),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
