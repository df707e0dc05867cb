/*
 * store.c - see store/store.h: an engine that holds everything in memory and forgets it when it is
 * closed.
 *
 * It serves unit tests. It shows that the interface of store/ can be implemented without SQL, and
 * that nothing above relies on more than the interface promises. Stores of one path in one process
 * share their data.
 *
 * A command changes the newest state in place, or a copy of it if a snapshot still uses it.
 */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/clock.h"
#include "store/memory/engine.h"

/* All engines of this process, by path. */
static pthread_mutex_t engines_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct engine *engines;

enum err
store_prepare(const char *path)
{
    (void)path;
    return ERR_OK;
}

static enum err
draw_epoch(char epoch[EPOCH_BYTES])
{
    unsigned char random[16];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return ERR_STORAGE;
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(epoch + 2 * i, 3, "%02x", random[i]);
    return ERR_OK;
}

static void
engine_free(struct engine *e)
{
    state_leave(e->newest);
    arena_clear(&e->bytes);
    pthread_mutex_destroy(&e->mutex);
    free(e->path);
    free(e);
}

static enum err
engine_new(struct engine **out, const char *path)
{
    struct engine *e = calloc(1, sizeof(*e));
    enum err err;

    if (e == NULL)
        return ERR_MEMORY;
    if (pthread_mutex_init(&e->mutex, NULL) != 0) {
        free(e);
        return ERR_MEMORY;
    }
    arena_init(&e->bytes);
    e->path = strdup(path);
    e->newest = state_new(&e->bytes);
    err = e->path == NULL || e->newest == NULL ? ERR_MEMORY : draw_epoch(e->newest->instance.epoch);
    if (err != ERR_OK)
        engine_free(e);
    else
        *out = e;
    return err;
}

/* Finds the engine of the path, or makes it. */
static enum err
attach(struct store *s, const char *path, struct shared *shared)
{
    struct engine *e;
    enum err err = ERR_OK;

    pthread_mutex_lock(&engines_mutex);
    e = engines;
    while (e != NULL && strcmp(e->path, path) != 0)
        e = e->next;
    if (e == NULL) {
        err = engine_new(&e, path);
        if (err == ERR_OK) {
            e->next = engines;
            engines = e;
        }
    }
    if (err == ERR_OK) {
        e->stores++;
        if (e->shared == NULL)
            e->shared = shared;
        s->engine = e;
    }
    pthread_mutex_unlock(&engines_mutex);
    return err;
}

/* Any number of readers may read at once. */
enum err
store_open(struct store *s, const char *path, int readers, struct shared *shared)
{
    (void)readers;
    return attach(s, path, shared);
}

enum err
store_open_for_reading(struct store *s, const char *path, int readers, struct shared *shared)
{
    (void)readers;
    (void)shared;
    return attach(s, path, NULL);
}

void
store_close(struct store *s)
{
    struct engine *e = s->engine;
    struct engine **link = &engines;

    *s = (struct store){0};
    if (e == NULL)
        return;
    pthread_mutex_lock(&engines_mutex);
    e->stores--;
    if (e->stores == 0) {
        while (*link != e)
            link = &(*link)->next;
        *link = e->next;
        engine_free(e);
    }
    pthread_mutex_unlock(&engines_mutex);
}

/* Makes sure that no snapshot uses the newest state. Under the mutex, so none begins to. */
static enum err
claim_newest(struct engine *e)
{
    struct db *copy;

    if (atomic_load(&e->newest->users) == 1)
        return ERR_OK;
    copy = state_copy(e->newest);
    if (copy == NULL)
        return ERR_MEMORY;
    state_leave(e->newest);
    e->newest = copy;
    return ERR_OK;
}

/* Deletes the acknowledged changes. */
static void
trim_outbox(struct engine *e)
{
    int64_t acknowledged = atomic_load(&e->shared->acknowledged_change);
    struct table *outbox = &e->newest->tables[OUTBOX];

    while (outbox->count > 0 && ((struct outbox_row *)table_row(outbox, 0))->change.id <= acknowledged)
        table_delete(outbox, 0);
}

/* Makes the command's changes part of the newest state. */
static void
commit(struct engine *e, const struct tx *tx)
{
    struct instance *instance = &e->newest->instance;
    bool announces = tx->counters->last_change > instance->last_change;

    instance->tick = tx->tick;
    instance->last_message_id = tx->counters->last_message_id;
    instance->last_change = tx->counters->last_change;
    state_accept(e->newest);
    trim_outbox(e);
    shared_count(&e->shared->counters.commits, 1);
    atomic_store(&e->shared->commit_ok_ms, clock_mono_ms());
    if (announces)
        shared_announce(e->shared, instance->last_change);
}

/* True if the command was refused after it had written. */
static bool
is_late_refusal(const struct engine *e, enum err err)
{
    return err != ERR_OK && err != ERR_STORAGE && err != ERR_MEMORY && state_changed(e->newest);
}

/* Runs the command, and compares its reads with those that it declared. */
static enum err
run_declared(struct engine *e, struct tx *tx, const struct command *command)
{
    enum err err;

    tx->db->reads = &command->reads;
    err = command->run(tx, command->arg);
    tx->db->reads = NULL;
    if (e->undeclared[0] == '\0')
        memcpy(e->undeclared, tx->db->undeclared, sizeof(e->undeclared));
    tx->db->undeclared[0] = '\0';
    return err;
}

enum err
store_run(struct store *s, const struct command *command)
{
    struct engine *e = s->engine;
    int64_t now = clock_wall_ms();
    struct tx_counters counters;
    struct tx tx = {.payer = s->payer, .counters = &counters};
    enum err err;

    pthread_mutex_lock(&e->mutex);
    err = claim_newest(e);
    if (err == ERR_OK) {
        const struct instance *last = &e->newest->instance;

        tx.db = e->newest;
        tx.tick = now > last->tick ? now : last->tick + 1;
        counters = (struct tx_counters){last->last_message_id, last->last_change};
        err = run_declared(e, &tx, command);
        if (is_late_refusal(e, err)) {
            shared_count(&e->shared->counters.late_refusals, 1);
            err = ERR_STORAGE;
        }
        shared_count(&e->shared->counters.commands, 1);
    }
    if (err == ERR_OK && state_changed(e->newest))
        commit(e, &tx);
    else if (err != ERR_OK)
        state_undo(e->newest);
    if (err == ERR_STORAGE || err == ERR_MEMORY)
        shared_count(&e->shared->counters.commits_failed, 1);
    pthread_mutex_unlock(&e->mutex);
    return err == ERR_MEMORY ? ERR_STORAGE : err;
}

enum err
snapshot_begin(struct store *s, struct snapshot **out)
{
    struct snapshot *snapshot = malloc(sizeof(*snapshot));

    if (snapshot == NULL)
        return ERR_STORAGE;
    pthread_mutex_lock(&s->engine->mutex);
    snapshot->db = s->engine->newest;
    atomic_fetch_add(&snapshot->db->users, 1);
    pthread_mutex_unlock(&s->engine->mutex);
    *out = snapshot;
    return ERR_OK;
}

void
snapshot_end(struct snapshot *s)
{
    if (s == NULL)
        return;
    state_leave(s->db);
    free(s);
}
