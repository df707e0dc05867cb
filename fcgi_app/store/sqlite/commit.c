/* commit.c - see commit.h. Must not know what the commands do. */
#include "store/sqlite/db.h"
#include "store/sqlite/commit.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/futex.h"
#include "run/slots.h"
#include "store/sqlite/instance.h"
#include "store/sqlite/outbox.h"

/*
 * All messages of a group have one tick, and a page never ends inside a tick. So this also bounds
 * by how much a page can exceed its limit.
 */
#define GROUP_BYTES_MAX (1024 * 1024)

enum item_state { ITEM_QUEUED, ITEM_LEADS, ITEM_DONE };

/* One queued command. It is on the stack of the thread that waits for it. */
struct item {
    const struct command *command;
    uint64_t payer; /* see struct tx */
    enum err err;
    struct item *next;
    _Atomic int state; /* enum item_state; the futex that its thread sleeps on */
};

struct commit {
    struct shared *shared;
    struct db *db;         /* used by the leader alone */
    pthread_mutex_t mutex; /* guards what follows */
    struct item *head;
    struct item **tail;
    bool led; /* one thread leads */
};

static void
note_wal(void *arg, int wal_pages)
{
    shared_note_wal(arg, wal_pages);
}

enum err
commit_open(struct commit **out, const char *path, struct shared *shared)
{
    struct commit *c = calloc(1, sizeof(*c));
    enum err err;

    if (c == NULL)
        return ERR_MEMORY;
    c->shared = shared;
    c->tail = &c->head;
    if (pthread_mutex_init(&c->mutex, NULL) != 0) {
        err = ERR_MEMORY;
        goto fail_alloc;
    }
    err = db_open(&c->db, path, DB_WRITE);
    if (err != ERR_OK)
        goto fail_mutex;
    db_on_commit(c->db, note_wal, shared);
    db_follow_renames(c->db, &shared->renames);
    *out = c;
    return ERR_OK;
fail_mutex:
    pthread_mutex_destroy(&c->mutex);
fail_alloc:
    free(c);
    return err;
}

void
commit_close(struct commit *c)
{
    if (c == NULL)
        return;
    db_close(c->db);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

/*
 * Begins the transaction, reads the counters, and deletes outbox rows that nchan has acknowledged.
 */
static enum err
begin(struct commit *c, struct tx *tx, struct tx_counters *counters)
{
    enum err err = db_do(c->db, SQL_BEGIN_WRITE);

    if (err != ERR_OK)
        return err;
    tx->db = c->db;
    err = instance_advance(tx, counters);
    if (err != ERR_OK)
        return err;
    return outbox_trim(tx->db, atomic_load(&c->shared->acknowledged_change));
}

/*
 * Runs one command. Returns ERR_STORAGE if the whole transaction must be rolled back.
 *
 * A refused command has written nothing (store/tx.h), so it needs no savepoint. If one breaks this
 * rule, the whole group is rolled back, because its writes must not be committed.
 */
static enum err
run_item(struct commit *c, struct tx *tx, struct item *item)
{
    int64_t changes = db_changes(tx->db);

    tx->payer = item->payer;
    item->err = item->command->run(tx, item->command->arg);
    if (item->err == ERR_STORAGE || item->err == ERR_MEMORY || !db_in_transaction(tx->db))
        return ERR_STORAGE;
    if (item->err == ERR_OK || db_changes(tx->db) == changes)
        return ERR_OK;
    shared_count(&c->shared->counters.late_refusals, 1);
    return ERR_STORAGE;
}

/* Runs the group's commands. *changed: a command that was not refused has written something. */
static enum err
run_group(struct commit *c, struct tx *tx, struct item *first, bool *changed)
{
    enum err err = ERR_OK;

    *changed = false;
    for (struct item *i = first; err == ERR_OK && i != NULL; i = i->next) {
        int64_t before = db_changes(tx->db);

        err = run_item(c, tx, i);
        *changed = *changed || (i->err == ERR_OK && db_changes(tx->db) != before);
        shared_count(&c->shared->counters.commands, 1);
    }
    return err;
}

/*
 * Records whether the transaction was committed. Called if it had something to commit, under the
 * write lock.
 *
 * On a full disk a small commit may succeed where a larger one fails. So imd reports failing
 * commits until one succeeds that stores at least as much as the largest that failed.
 */
static void
note_outcome(struct commit *c, enum err err, int64_t bytes)
{
    struct shared *s = c->shared;
    int64_t failed_bytes = atomic_load(&s->failed_bytes);

    shared_count(err == ERR_OK ? &s->counters.commits : &s->counters.commits_failed, 1);
    if (err != ERR_OK) {
        atomic_store(&s->failed_bytes, bytes > failed_bytes ? bytes : failed_bytes);
        atomic_store(&s->commit_failing, true);
    } else if (bytes >= failed_bytes) {
        atomic_store(&s->failed_bytes, 0);
        atomic_store(&s->commit_failing, false);
        atomic_store(&s->commit_ok_ms, clock_mono_ms());
    }
}

/* Returns about how many bytes the group's commands store. */
static int64_t
group_bytes(const struct item *first)
{
    int64_t bytes = 0;

    for (const struct item *i = first; i != NULL; i = i->next)
        bytes += (int64_t)i->command->bytes;
    return bytes;
}

/*
 * Runs the whole group in one transaction: all or nothing. Commits nothing if nothing was written.
 */
static enum err
transact(struct commit *c, struct item *first)
{
    struct tx_counters counters = {0};
    struct tx tx = {0};
    bool changed = false;
    enum err err = begin(c, &tx, &counters);
    int64_t last_change = counters.last_change;

    if (err == ERR_OK)
        err = run_group(c, &tx, first, &changed);
    if (err == ERR_OK && changed)
        err = instance_set(&tx);
    if (err == ERR_OK)
        err = db_do(c->db, changed ? SQL_COMMIT : SQL_ROLLBACK);
    if (err == ERR_OK && counters.last_change > last_change)
        shared_announce(c->shared, counters.last_change);
    if (err == ERR_OK && db_take_wipe(c->db))
        atomic_store(&c->shared->wipe, true);
    if (err != ERR_OK && db_in_transaction(c->db))
        db_do(c->db, SQL_ROLLBACK);
    if (err != ERR_OK || changed)
        note_outcome(c, err, group_bytes(first));
    return err;
}

/*
 * Dequeues the next group: everything queued, up to GROUP_BYTES_MAX. Its first item is the leader's
 * own.
 */
static struct item *
take_group(struct commit *c)
{
    struct item *first;
    struct item *last;
    size_t bytes;

    pthread_mutex_lock(&c->mutex);
    first = c->head;
    last = first;
    bytes = first->command->bytes;
    while (last->next != NULL && bytes + last->next->command->bytes <= GROUP_BYTES_MAX) {
        last = last->next;
        bytes += last->command->bytes;
    }
    c->head = last->next;
    if (c->head == NULL)
        c->tail = &c->head;
    last->next = NULL;
    pthread_mutex_unlock(&c->mutex);
    return first;
}

static void
wake(struct item *item, enum item_state state)
{
    /* After this store the owner may return, and the item (on its stack) is gone. */
    _Atomic int *word = &item->state;

    atomic_store(word, state);
    futex_wake_one(word);
}

static void
hand_over(struct commit *c)
{
    struct item *next;

    pthread_mutex_lock(&c->mutex);
    next = c->head;
    c->led = next != NULL;
    pthread_mutex_unlock(&c->mutex);
    if (next != NULL)
        wake(next, ITEM_LEADS);
}

static void
lead(struct commit *c, struct item *own)
{
    struct item *first;
    struct item *next;
    enum err err;

    shared_lock(c->shared);
    /* Taken under the lock, so that commands queued while we waited for it are in the group too. */
    first = take_group(c);
    err = transact(c, first);
    shared_unlock(c->shared);
    hand_over(c);
    for (struct item *i = first; i != NULL; i = next) {
        next = i->next;
        if (err != ERR_OK)
            i->err = err;
        if (i != own)
            wake(i, ITEM_DONE);
    }
}

enum err
commit_run(struct commit *c, const struct command *command, uint64_t payer)
{
    struct item item = {.command = command, .payer = payer};
    bool leads;

    /* This thread is about to wait, for the disk or for the leader, so it gives up its slot. */
    slots_release();
    pthread_mutex_lock(&c->mutex);
    /* The item is dequeued before this function returns. */
    // cppcheck-suppress autoVariables
    *c->tail = &item;
    // cppcheck-suppress autoVariables
    c->tail = &item.next;
    leads = !c->led;
    c->led = true;
    pthread_mutex_unlock(&c->mutex);
    while (!leads && atomic_load(&item.state) == ITEM_QUEUED)
        futex_wait(&item.state, ITEM_QUEUED);
    if (leads || atomic_load(&item.state) == ITEM_LEADS)
        lead(c, &item);
    return item.err;
}
