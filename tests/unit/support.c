/* support.c - see support.h. */
#include "support.h"

#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/log.h"
#include "model/ids.h"
#include "domain/access.h"
#include "domain/amend.h"
#include "domain/belong.h"
#include "domain/converse.h"
#include "domain/send.h"
#include "store/memberships.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/db.h"

/* A wake-up that never comes would else hang the tests. */
#define DEADLINE_S 120

int
support_group(void **state)
{
    (void)state;
    alarm(DEADLINE_S);
    log_set_level(LOG_ERROR);
    db_setup();
    return 0;
}

int
support_open_empty(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    snprintf(place->dir, sizeof(place->dir), "/tmp/imd-unit-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof(place->path), "%s/imd.db", place->dir);
    assert_int_equal(shared_open(&place->shared), ERR_OK);
    arena_init(&place->arena);
    *state = place;
    return 0;
}

void
support_migrate(const struct place *place)
{
    struct db *db;

    assert_int_equal(db_open(&db, place->path, DB_MIGRATE), ERR_OK);
    assert_int_equal(migrate(db), ERR_OK);
    db_close(db);
}

int
support_open(void **state)
{
    struct place *place;

    support_open_empty(state);
    place = *state;
    support_migrate(place);
    assert_int_equal(store_open(&place->store, place->path, 4, place->shared), ERR_OK);
    return 0;
}

int
support_close(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct place *place = *state;

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

static sqlite3 *
connect_to(const struct place *place)
{
    sqlite3 *handle = NULL;

    assert_int_equal(sqlite3_open_v2(place->path, &handle, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(handle, 5000);
    return handle;
}

/* sqlite3_vmprintf() knows what printf() knows, and allocates. */
static char *
written(const char *format, va_list ap)
{
    char *sql = sqlite3_vmprintf(format, ap);

    assert_non_null(sql);
    return sql;
}

static sqlite3_stmt *
prepare(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(handle, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    return s;
}

int64_t
support_ask(const struct place *place, const char *format, ...)
{
    sqlite3 *handle = connect_to(place);
    sqlite3_stmt *s;
    int64_t value;
    va_list ap;
    char *sql;

    va_start(ap, format);
    sql = written(format, ap);
    va_end(ap);
    s = prepare(handle, sql);
    if (sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(handle);
    sqlite3_free(sql);
    return value;
}

void
support_tell(const struct place *place, const char *format, ...)
{
    sqlite3 *handle = connect_to(place);
    va_list ap;
    char *sql;

    va_start(ap, format);
    sql = written(format, ap);
    va_end(ap);
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_close(handle);
    sqlite3_free(sql);
}

const char *
support_text(struct place *place, const char *format, ...)
{
    sqlite3 *handle = connect_to(place);
    sqlite3_stmt *s;
    struct str text;
    va_list ap;
    char *sql;

    va_start(ap, format);
    sql = written(format, ap);
    va_end(ap);
    s = prepare(handle, sql);
    if (sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    text = arena_copy(&place->arena, str_c((const char *)sqlite3_column_text(s, 0)));
    sqlite3_finalize(s);
    sqlite3_close(handle);
    sqlite3_free(sql);
    return text.p;
}

size_t
support_rows(struct place *place, int columns, int64_t **values, const char *format, ...)
{
    sqlite3 *handle = connect_to(place);
    sqlite3_stmt *s;
    size_t rows = 0;
    va_list ap;
    char *sql;
    int rc;

    va_start(ap, format);
    sql = written(format, ap);
    va_end(ap);
    s = prepare(handle, sql);
    assert_int_equal(sqlite3_column_count(s), columns);
    *values = NULL;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        *values = arena_grow(&place->arena, *values, rows, (size_t)columns * sizeof(**values));
        assert_non_null(*values);
        for (int i = 0; i < columns; i++)
            (*values)[rows * (size_t)columns + (size_t)i] = sqlite3_column_int64(s, i);
        rows++;
    }
    if (rc != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_finalize(s);
    sqlite3_close(handle);
    sqlite3_free(sql);
    return rows;
}

/* ACTIVE_LAG_MS as SQL has it. */
#define TEXT_OF(number) #number
#define TEXT(macro)     TEXT_OF(macro)
#define LAG             TEXT(ACTIVE_LAG_MS)

void
support_check(const struct place *place)
{
    /* Each counts the rows that break a promise. */
    static const char *const breaches[] = {
        "SELECT count(*) FROM conversation c WHERE member_count <> (SELECT count(*) FROM membership m"
        " WHERE m.conversation = c.id AND left_version IS NULL)",
        "SELECT count(*) FROM conversation WHERE listed_at > updated_at OR created_at > updated_at",
        "SELECT count(*) FROM membership WHERE (left_at IS NULL) <> (left_version IS NULL)",
        "SELECT count(*) FROM membership WHERE left_version IS NOT NULL AND active_at <> left_at",
        "SELECT count(*) FROM membership JOIN conversation c ON c.id = conversation"
        " WHERE left_version IS NULL AND CASE WHEN member_count > 100"
        " THEN active_at <> 9223372036854775807"
        " ELSE active_at > updated_at OR active_at < updated_at - " LAG " END",
        /*
         * A stay tells its last change: that it ended; or that it began, or since then another
         * role.
         */
        "SELECT count(*) FROM membership m JOIN conversation c ON c.id = m.conversation WHERE CASE"
        " WHEN EXISTS (SELECT 1 FROM membership l WHERE l.conversation = m.conversation"
        " AND l.username = m.username AND l.joined_version > m.joined_version) THEN m.version IS NOT NULL"
        " WHEN left_version IS NOT NULL THEN m.version IS NOT left_version"
        " ELSE coalesce(m.version, 0) NOT BETWEEN joined_version AND c.version END",
        "SELECT count(*) FROM membership m JOIN conversation c ON c.id = m.conversation"
        " WHERE type = 'private_chat' AND (role <> 'member' OR removed OR invite_only)",
        "SELECT count(*) FROM (SELECT 1 FROM membership WHERE role = 'owner' AND left_version IS NULL"
        " GROUP BY conversation HAVING count(*) > 1)",
        "SELECT count(*) FROM membership WHERE removed AND left_version IS NULL",
        /* Nobody received a message before they first came. */
        "SELECT count(*) FROM membership s JOIN message m ON m.place = (s.conversation << 32) + joined_seq + "
        "1"
        " WHERE m.timestamp < since_at AND (left_seq IS NULL OR left_seq > joined_seq)",
        "SELECT count(*) FROM membership s WHERE since_at > (SELECT min(f.since_at) FROM membership f"
        " WHERE f.conversation = s.conversation AND f.username = s.username)",
        "SELECT count(*) FROM message m JOIN conversation c ON c.id = m.conversation"
        " WHERE coalesce(run, 1) <> 1 + coalesce("
        "(SELECT coalesce(b.run, 1) FROM message b WHERE b.place = m.place - 1 AND b.seq > 0"
        " AND b.sender = m.sender), 0)",
        "SELECT count(*) FROM conversation c WHERE last_seq <> (SELECT count(*) FROM message m"
        " WHERE m.conversation = c.id AND m.seq BETWEEN 1 AND c.last_seq)",
        "SELECT count(*) FROM message a JOIN message b ON b.place = a.place + 1 WHERE b.seq > 1"
        " AND (b.created_version <= a.created_version OR b.timestamp < a.timestamp OR b.id <= a.id)",
        "SELECT count(*) FROM message m JOIN conversation c ON c.id = conversation WHERE created_version < 2"
        " OR changed_version <= created_version OR max(created_version, coalesce(changed_version, 0)) > "
        "c.version",
        "SELECT count(*) FROM message m WHERE emoji_count <> (SELECT count(*) FROM reaction_set s"
        " WHERE s.place = m.place)",
        "SELECT count(*) FROM reaction_set s WHERE place IS NOT NULL AND (count < 1 OR count <>"
        " (SELECT count(*) FROM reaction r WHERE r.set_id = s.id))",
        "SELECT count(*) FROM reaction r WHERE NOT EXISTS (SELECT 1 FROM reaction_set s WHERE s.id = "
        "r.set_id)",
        "SELECT count(*) FROM message WHERE deleted_at IS NOT NULL"
        " AND (content <> '' OR edited_at IS NOT NULL OR emoji_count > 0)",
        "SELECT count(*) FROM read_marker JOIN conversation c ON c.id = conversation WHERE seq > last_seq",
        "SELECT count(*) FROM pragma_foreign_key_check",
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    };

    for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++)
        if (support_ask(place, "%s", breaches[i]) != 0)
            fail_msg("not 0: %s", breaches[i]);
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
        err = amend_find(&(struct view){snapshot, &place->arena, {0}, false}, key, m);
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
