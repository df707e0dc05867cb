/* group.c - see group.h. Must not know what the commands do, nor how an engine stores it. */
#include "store/group.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/futex.h"
#include "run/slots.h"

/*
 * All messages of a group have one tick, and a page never ends inside a tick. So this also bounds
 * by how much a page can exceed its limit.
 */
#define GROUP_BYTES_MAX (1024 * 1024)

/* The states of an item. Its thread sleeps on them by futex. */
enum item_state { ITEM_QUEUED, ITEM_LEADS, ITEM_DONE };

struct group {
    const struct group_engine *engine;
    void *arg;
    struct shared *shared;
    pthread_mutex_t mutex; /* guards what follows */
    struct group_item *head;
    struct group_item **tail;
    bool led; /* one thread leads */
};

enum err
group_open(struct group **out, const struct group_engine *engine, void *arg, struct shared *shared)
{
    struct group *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return ERR_MEMORY;
    if (pthread_mutex_init(&g->mutex, NULL) != 0) {
        free(g);
        return ERR_MEMORY;
    }
    g->engine = engine;
    g->arg = arg;
    g->shared = shared;
    g->tail = &g->head;
    *out = g;
    return ERR_OK;
}

void
group_close(struct group *g)
{
    if (g == NULL)
        return;
    pthread_mutex_destroy(&g->mutex);
    free(g);
}

/*
 * Runs one command. Returns ERR_STORAGE if the whole transaction must be rolled back.
 *
 * A refused command has written nothing (store/tx.h), so it needs no savepoint. If one breaks this
 * rule, the whole group is rolled back, because its writes must not be committed.
 */
static enum err
run_item(struct group *g, struct tx *tx, struct group_item *item)
{
    int64_t writes = g->engine->writes(tx->db);

    tx->payer = item->payer;
    item->err = item->command->run(tx, item->command->arg);
    if (item->err == ERR_STORAGE || item->err == ERR_MEMORY || !g->engine->in_transaction(tx->db))
        return ERR_STORAGE;
    if (item->err == ERR_OK || g->engine->writes(tx->db) == writes)
        return ERR_OK;
    shared_count(&g->shared->counters.late_refusals, 1);
    return ERR_STORAGE;
}

enum err
group_run_commands(struct group *g, struct tx *tx, struct group_item *first, bool *changed)
{
    enum err err = ERR_OK;

    *changed = false;
    for (struct group_item *i = first; err == ERR_OK && i != NULL; i = i->next) {
        int64_t before = g->engine->writes(tx->db);

        err = run_item(g, tx, i);
        *changed = *changed || (i->err == ERR_OK && g->engine->writes(tx->db) != before);
        shared_count(&g->shared->counters.commands, 1);
    }
    return err;
}

/* Returns about how many bytes the group's commands store. */
static int64_t
group_bytes(const struct group_item *first)
{
    int64_t bytes = 0;

    for (const struct group_item *i = first; i != NULL; i = i->next)
        bytes += (int64_t)i->command->bytes;
    return bytes;
}

/*
 * On a full disk a small commit may succeed where a larger one fails. So imd reports failing
 * commits until one succeeds that stores at least as much as the largest that failed.
 */
void
group_note_outcome(struct group *g, enum err err, const struct group_item *first)
{
    struct shared *s = g->shared;
    int64_t bytes = group_bytes(first);
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

/*
 * Dequeues the next group: everything queued, up to GROUP_BYTES_MAX. Its first item is the leader's
 * own.
 */
static struct group_item *
take_group(struct group *g)
{
    struct group_item *first;
    struct group_item *last;
    size_t bytes;

    pthread_mutex_lock(&g->mutex);
    first = g->head;
    last = first;
    bytes = first->command->bytes;
    while (last->next != NULL && bytes + last->next->command->bytes <= GROUP_BYTES_MAX) {
        last = last->next;
        bytes += last->command->bytes;
    }
    g->head = last->next;
    if (g->head == NULL)
        g->tail = &g->head;
    last->next = NULL;
    pthread_mutex_unlock(&g->mutex);
    return first;
}

static void
wake(struct group_item *item, enum item_state state)
{
    /* After this store the owner may return, and the item (on its stack) is gone. */
    _Atomic int *word = &item->state;

    atomic_store(word, state);
    futex_wake_one(word);
}

static void
hand_over(struct group *g)
{
    struct group_item *next;

    pthread_mutex_lock(&g->mutex);
    next = g->head;
    g->led = next != NULL;
    pthread_mutex_unlock(&g->mutex);
    if (next != NULL)
        wake(next, ITEM_LEADS);
}

static void
lead(struct group *g, struct group_item *own)
{
    struct group_item *first;
    struct group_item *next;
    enum err err;

    shared_lock(g->shared);
    /* Taken under the lock, so that commands queued while we waited for it are in the group too. */
    first = take_group(g);
    err = g->engine->transact(g->arg, first);
    shared_unlock(g->shared);
    hand_over(g);
    for (struct group_item *i = first; i != NULL; i = next) {
        next = i->next;
        if (err != ERR_OK)
            i->err = err;
        if (i != own)
            wake(i, ITEM_DONE);
    }
}

enum err
group_run(struct group *g, const struct command *command, uint64_t payer)
{
    struct group_item item = {.command = command, .payer = payer};
    bool leads;

    /* This thread is about to wait, for the disk or for the leader, so it gives up its slot. */
    slots_release();
    pthread_mutex_lock(&g->mutex);
    /* The item is dequeued before this function returns. */
    // cppcheck-suppress autoVariables
    *g->tail = &item;
    // cppcheck-suppress autoVariables
    g->tail = &item.next;
    leads = !g->led;
    g->led = true;
    pthread_mutex_unlock(&g->mutex);
    while (!leads && atomic_load(&item.state) == ITEM_QUEUED)
        futex_wait(&item.state, ITEM_QUEUED);
    if (leads || atomic_load(&item.state) == ITEM_LEADS)
        lead(g, &item);
    return item.err;
}
