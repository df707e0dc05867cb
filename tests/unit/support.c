/* support.c - see support.h. Must not know which engine is behind the interface of store/. */
#include "support.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/log.h"
#include "model/ids.h"
#include "domain/access.h"
#include "domain/message.h"
#include "domain/belong.h"
#include "domain/converse.h"
#include "domain/send.h"
#include "store/accounts.h"
#include "store/conversations.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"

/* A wake-up that never comes would otherwise hang the tests. */
#define DEADLINE_S 120

/* NULL: no test has chosen yet. */
static const struct support_engine *chosen;

void
support_choose(const char *engine)
{
    static const struct support_engine *const all[] = {
        &support_sqlite,
        &support_memory,
#ifdef IMD_POSTGRESQL
        &support_postgresql,
#endif
    };

    chosen = NULL;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i]->name, engine) == 0)
            chosen = all[i];
    if (chosen == NULL)
        fail_msg("IMD_ENGINE=%s: there is no such engine", engine);
}

static const struct support_engine *
engine(void)
{
    const char *name = getenv("IMD_ENGINE");

    if (chosen == NULL)
        support_choose(name == NULL ? support_sqlite.name : name);
    return chosen;
}

int
support_group(void **state)
{
    (void)state;
    alarm(DEADLINE_S);
    log_set_level(LOG_ERROR);
    engine()->setup();
    return 0;
}

const char *
support_undeclared(const struct place *place)
{
    return engine()->undeclared(place);
}

void
support_check(const struct place *place)
{
    engine()->check(place);
}

int
support_open_empty(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    const char *tmp = getenv("TMPDIR");

    assert_non_null(place);
    snprintf(place->dir, sizeof(place->dir), "%s/imd-unit-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof(place->path), "%s/imd.db", place->dir);
    snprintf(place->uri, sizeof(place->uri), "%s:%s", engine()->name, place->path);
    assert_int_equal(shared_open(&place->shared), ERR_OK);
    arena_init(&place->arena);
    *state = place;
    return 0;
}

int
support_open(void **state)
{
    struct place *place;

    support_open_empty(state);
    place = *state;
    engine()->make(place);
    assert_int_equal(store_open(&place->store, place->uri, 4, place->shared), ERR_OK);
    return 0;
}

int
support_close(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct place *place = *state;

    assert_int_equal(atomic_load(&place->shared->counters.late_refusals) > 0, place->refuses_late);
    if (!place->undeclared)
        assert_string_equal(support_undeclared(place), "");
    arena_clear(&place->arena);
    store_close(&place->store);
    shared_close(place->shared);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(place->dir), 0);
    free(place);
    return 0;
}

int
support_check_and_close(void **state)
{
    support_check(*state);
    return support_close(state);
}

enum err
support_run(struct store *store, command_fn *run, void *arg)
{
    return store_run(store, &(struct command){.run = run, .arg = arg, .reads = {.open = true}});
}

int64_t
support_create(struct place *place, enum conversation_type type, const char *names)
{
    struct creation creation = {.arena = &place->arena, .type = type};
    struct str *list = NULL;
    size_t n = 0;

    for (const char *p = names; *p != '\0'; p += strspn(p, " ")) {
        list = arena_grow(&place->arena, list, n, sizeof(*list));
        assert_non_null(list);
        list[n++] = (struct str){p, strcspn(p, " ")};
        p += strcspn(p, " ");
    }
    creation.names = list;
    creation.name_count = n;
    assert_int_equal(converse_create(&place->store, &creation), ERR_OK);
    assert_true(creation.conversation.id > 0);
    return creation.conversation.id;
}

struct message
support_send(struct place *place, int64_t conversation, const char *sender, const char *content)
{
    struct sending sending = {
        .arena = &place->arena,
        .message = {.conversation = conversation, .sender = str_c(sender), .content = str_c(content)},
    };

    assert_int_equal(send_message(&place->store, &sending), ERR_OK);
    return sending.message;
}

struct snapshot *
support_begin(struct place *place)
{
    struct snapshot *snapshot = NULL;

    assert_int_equal(snapshot_begin(&place->store, &snapshot), ERR_OK);
    return snapshot;
}

const struct conversation *
support_find(struct place *place, const struct snapshot *snapshot, int64_t id)
{
    const struct access a = {.snapshot = snapshot, .arena = &place->arena};
    const struct conversation *found = NULL;

    assert_int_equal(access_conversation(&a, ids_conversation(id), &found), ERR_OK);
    assert_non_null(found);
    return found;
}

enum err
support_message(struct place *place, int64_t id, struct message *m)
{
    struct snapshot *snapshot = support_begin(place);
    const struct access a = {.snapshot = snapshot, .arena = &place->arena};
    const struct conversation *conversation;
    const struct message_key *key;
    enum err err = access_message(&a, id, &key, &conversation);

    if (err == ERR_OK)
        err = message_get(&(struct view){snapshot, &place->arena, {0}, false}, key, m);
    snapshot_end(snapshot);
    return err;
}

/* By themselves, unproved. */
static enum err
move(struct place *place, int64_t conversation, const char *username,
     enum err (*command)(struct store *store, struct belonging *b))
{
    struct belonging b = {.arena = &place->arena, .conversation = conversation, .username = str_c(username)};

    return command(&place->store, &b);
}

enum err
support_try_join(struct place *place, int64_t conversation, const char *username)
{
    return move(place, conversation, username, belong_join);
}

enum err
support_try_leave(struct place *place, int64_t conversation, const char *username)
{
    return move(place, conversation, username, belong_leave);
}

void
support_join(struct place *place, int64_t conversation, const char *username)
{
    assert_int_equal(support_try_join(place, conversation, username), ERR_OK);
}

void
support_leave(struct place *place, int64_t conversation, const char *username)
{
    assert_int_equal(support_try_leave(place, conversation, username), ERR_OK);
}

const char *
support_crowd(struct place *place, int count)
{
    size_t room = (size_t)count * 8 + 1;
    char *names = arena_alloc(&place->arena, room);
    size_t n = 0;

    assert_non_null(names);
    for (int i = 0; i < count; i++)
        n += (size_t)snprintf(names + n, room - n, "%sm%03d", i > 0 ? " " : "", i);
    return names;
}

/* --- the content of the store, read through its interface */

struct instance
support_instance(struct place *place)
{
    struct snapshot *snapshot = support_begin(place);
    struct instance instance;

    assert_int_equal(instance_get(snapshot->db, &instance), ERR_OK);
    snapshot_end(snapshot);
    return instance;
}

int64_t
support_tick(struct place *place)
{
    return support_instance(place).tick;
}

static enum err
advance(struct tx *tx, void *arg)
{
    tx->tick += *(const int64_t *)arg - 1;
    return instance_probe(tx, 0);
}

void
support_pass_time(struct place *place, int64_t ms)
{
    int64_t tick = support_tick(place);

    assert_int_equal(support_run(&place->store, advance, &ms), ERR_OK);
    assert_true(support_tick(place) >= tick + ms);
}

bool
support_has_account(struct place *place, const char *name)
{
    struct snapshot *snapshot = support_begin(place);
    bool exists = false;

    assert_int_equal(accounts_exists(snapshot->db, str_c(name), &exists), ERR_OK);
    snapshot_end(snapshot);
    return exists;
}

struct conversation
support_conversation(struct place *place, int64_t id)
{
    struct snapshot *snapshot = support_begin(place);
    struct conversation c = *support_find(place, snapshot, id);

    snapshot_end(snapshot);
    return c;
}

int64_t
support_count_conversations(struct place *place)
{
    struct snapshot *snapshot = support_begin(place);
    struct conversation c;
    int32_t id = 0;
    bool found = true;

    while (found)
        assert_int_equal(conversations_get(snapshot->db, &place->arena, ++id, &c, &found), ERR_OK);
    snapshot_end(snapshot);
    return id - 1;
}

size_t
support_changes(struct place *place, struct change **changes)
{
    struct snapshot *snapshot = support_begin(place);
    struct outbox_walk walk = {.rows = 100};
    size_t count = 0;

    *changes = NULL;
    do {
        assert_int_equal(outbox_after(snapshot->db, &place->arena, &walk), ERR_OK);
        for (size_t i = 0; i < walk.count; i++) {
            *changes = arena_grow(&place->arena, *changes, count, sizeof(**changes));
            assert_non_null(*changes);
            (*changes)[count++] = walk.changes[i];
        }
    } while (walk.count > 0);
    snapshot_end(snapshot);
    return count;
}

void
support_each_message(const struct message_reader *reader, int32_t conversation, int64_t seq,
                     bool (*each)(void *arg, const struct message *m), void *arg)
{
    struct message_walk walk = {.conversation = conversation, .from = seq, .rows = 100};

    do {
        assert_int_equal(messages_walk(reader, &walk), ERR_OK);
        for (size_t i = 0; i < walk.count; i++)
            if (!each(arg, &walk.steps[i].message))
                return;
    } while (walk.count > 0);
}

/* A description of the store that is being written. */
struct description {
    struct buf text;
    struct arena arena;
    struct db *db;
};

static void
add_str(struct description *d, const char *label, struct str value)
{
    buf_printf(&d->text, " %s=", label);
    buf_str(&d->text, value.p == NULL ? str_c("-") : value);
}

static bool
describe_message(void *arg, const struct message *m)
{
    struct description *d = arg;

    buf_printf(&d->text, "  message %lld seq %lld at %lld edited %lld deleted %lld changed %lld reply %lld",
               (long long)m->id, (long long)m->seq, (long long)m->timestamp, (long long)m->edited_at,
               (long long)m->deleted_at, (long long)m->changed_version, (long long)m->reply_to);
    add_str(d, "sender", m->sender);
    add_str(d, "content", m->content);
    add_str(d, "key", m->client_id);
    for (size_t i = 0; i < m->reaction_count; i++) {
        add_str(d, "emoji", m->reactions[i].emoji);
        for (size_t k = 0; k < m->reactions[i].name_count; k++)
            add_str(d, "by", m->reactions[i].names[k]);
    }
    buf_printf(&d->text, "\n");
    return true;
}

static void
describe_change(struct description *d, const struct change *change)
{
    buf_printf(&d->text, "change %lld: %s of %d version %lld tick %lld seq %lld %d", (long long)change->id,
               change_event_names[change->event], (int)change->conversation, (long long)change->version,
               (long long)change->tick, (long long)change->seq, (int)change->added);
    add_str(d, "username", change->username);
    add_str(d, "emoji", change->emoji);
    buf_printf(&d->text, "\n");
}

static void
describe_changes(struct description *d)
{
    struct outbox_walk walk = {.rows = 100};

    do {
        assert_int_equal(outbox_after(d->db, &d->arena, &walk), ERR_OK);
        for (size_t i = 0; i < walk.count; i++)
            describe_change(d, &walk.changes[i]);
    } while (walk.count > 0);
}

static void
describe_members(struct description *d, int32_t conversation)
{
    struct membership_walk walk = {.conversation = conversation};

    do {
        assert_int_equal(memberships_walk(d->db, &d->arena, &walk), ERR_OK);
        for (size_t i = 0; i < walk.count; i++) {
            const struct membership_step *step = &walk.steps[i];
            int64_t read_seq;

            assert_int_equal(markers_get(d->db, conversation, step->standing.username, &read_seq), ERR_OK);
            buf_printf(&d->text, "  %s%s since %lld read %lld", step->standing.left ? "former " : "",
                       role_names[step->standing.role], (long long)step->version, (long long)read_seq);
            add_str(d, "username", step->standing.username);
            buf_printf(&d->text, "\n");
        }
    } while (walk.count > 0);
}

static void
describe_conversation(struct description *d, const struct conversation *c)
{
    const struct message_reader reader = {.db = d->db, .arena = &d->arena};

    buf_printf(&d->text, "conversation %d type %d invite %d created %lld updated %lld", (int)c->id, c->type,
               c->invite_only, (long long)c->created_at, (long long)c->updated_at);
    buf_printf(&d->text, " last_seq %lld version %lld members %lld", (long long)c->last_seq,
               (long long)c->version, (long long)c->member_count);
    add_str(d, "title", c->title);
    buf_printf(&d->text, "\n");
    describe_members(d, c->id);
    support_each_message(&reader, c->id, 1, describe_message, d);
}

static void
describe_accounts(struct description *d)
{
    static const char *const names[] = {"ann", "bob", "cid", "dan", "eve", "fay", "zoe", "b-d", "a-b", ""};

    buf_printf(&d->text, "accounts:");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bool exists = false;

        assert_int_equal(accounts_exists(d->db, str_c(names[i]), &exists), ERR_OK);
        if (exists)
            buf_printf(&d->text, " %s", names[i]);
    }
    buf_printf(&d->text, "\n");
}

const char *
support_describe(struct place *place)
{
    struct snapshot *snapshot = support_begin(place);
    struct description d = {.db = snapshot->db};
    struct instance instance;
    bool found = true;
    struct str text;

    buf_init(&d.text);
    arena_init(&d.arena);
    assert_int_equal(instance_get(d.db, &instance), ERR_OK);
    buf_printf(&d.text, "epoch %s tick %lld message %lld change %lld\n", instance.epoch,
               (long long)instance.tick, (long long)instance.last_message_id,
               (long long)instance.last_change);
    describe_accounts(&d);
    for (int32_t id = 1; found; id++) {
        struct conversation c;

        assert_int_equal(conversations_get(d.db, &d.arena, id, &c, &found), ERR_OK);
        if (found)
            describe_conversation(&d, &c);
    }
    describe_changes(&d);
    snapshot_end(snapshot);
    assert_true(buf_ok(&d.text));
    text = arena_copy(&place->arena, (struct str){d.text.p, d.text.n});
    buf_clear(&d.text);
    arena_clear(&d.arena);
    return text.p;
}

struct runner {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*body)(void *arg, int n);
    void *arg;
    int n;
};

static void *
run(void *arg)
{
    struct runner *r = arg;

    pthread_barrier_wait(r->start);
    r->body(r->arg, r->n);
    return NULL;
}

void
support_threads(int count, void (*body)(void *arg, int n), void *arg)
{
    struct runner *runners = calloc((size_t)count, sizeof(*runners));
    pthread_barrier_t start;

    assert_non_null(runners);
    assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)count), 0);
    for (int i = 0; i < count; i++) {
        runners[i] = (struct runner){.start = &start, .body = body, .arg = arg, .n = i};
        assert_int_equal(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
    }
    for (int i = 0; i < count; i++)
        pthread_join(runners[i].thread, NULL);
    pthread_barrier_destroy(&start);
    free(runners);
}

void
support_chance(struct chance *chance)
{
    const char *given = getenv("SEED");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    chance->state =
        given != NULL ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec;
    print_message("SEED=%" PRIu64 "\n", chance->state);
}

void
support_srand(void)
{
    struct chance chance;

    support_chance(&chance);
    srand((unsigned)chance.state);
}

/* splitmix64 (Steele, Lea, Flood 2014). */
int64_t
support_draw(struct chance *chance, int64_t below)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)below);
}

bool
support_accepts(bool (*valid)(struct str text), const char *bytes, size_t n)
{
    char *exact = malloc(n > 0 ? n : 1);
    bool result;

    assert_non_null(exact);
    memcpy(exact, bytes, n);
    result = valid((struct str){exact, n});
    free(exact);
    return result;
}
