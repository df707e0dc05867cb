/*
 * store.c - see store/store.h: an engine that holds everything in memory and forgets it when it is
 * closed.
 *
 * It serves unit tests. It shows that the interface of store/ can be implemented without SQL, and
 * that nothing above relies on more than the interface promises. Stores of one URI in one process
 * share their data.
 *
 * A command changes the newest state in place, or a copy of it if a snapshot still uses it.
 */
#include "store/memory/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/clock.h"
#include "store/memory/data.h"

/* The contents of all stores of this process, by URI. */
static pthread_mutex_t all_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct data *all;

enum err
memory_store_check(const char *uri, char *message, size_t size)
{
    (void)uri;
    (void)message;
    (void)size;
    return ERR_OK;
}

bool
memory_store_uses_network(const char *uri)
{
    (void)uri;
    return false;
}

const char *
memory_store_file(const char *uri)
{
    (void)uri;
    return NULL;
}

enum err
memory_store_prepare(const char *uri)
{
    (void)uri;
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
data_free(struct data *data)
{
    state_leave(data->newest);
    arena_clear(&data->bytes);
    pthread_mutex_destroy(&data->mutex);
    free(data->uri);
    free(data);
}

static enum err
data_new(struct data **out, const char *uri)
{
    struct data *data = calloc(1, sizeof(*data));
    enum err err;

    if (data == NULL)
        return ERR_MEMORY;
    if (pthread_mutex_init(&data->mutex, NULL) != 0) {
        free(data);
        return ERR_MEMORY;
    }
    data->face.engine = &memory_engine;
    arena_init(&data->bytes);
    data->uri = strdup(uri);
    data->newest = state_new(&data->bytes);
    err = data->uri == NULL || data->newest == NULL ? ERR_MEMORY : draw_epoch(data->newest->instance.epoch);
    if (err != ERR_OK)
        data_free(data);
    else
        *out = data;
    return err;
}

/* Finds the data of the URI, or makes it. */
static enum err
attach(struct store *s, const char *uri, struct shared *shared)
{
    struct data *data;
    enum err err = ERR_OK;

    pthread_mutex_lock(&all_mutex);
    data = all;
    while (data != NULL && strcmp(data->uri, uri) != 0)
        data = data->next;
    if (data == NULL) {
        err = data_new(&data, uri);
        if (err == ERR_OK) {
            data->next = all;
            all = data;
        }
    }
    if (err == ERR_OK) {
        data->stores++;
        if (data->shared == NULL)
            data->shared = shared;
        s->connections = &data->face;
    }
    pthread_mutex_unlock(&all_mutex);
    return err;
}

/* Any number of readers may read at once. */
enum err
memory_store_open(struct store *s, const char *uri, int readers, struct shared *shared)
{
    (void)readers;
    return attach(s, uri, shared);
}

enum err
memory_store_open_for_reading(struct store *s, const char *uri, int readers, struct shared *shared)
{
    (void)readers;
    (void)shared;
    return attach(s, uri, NULL);
}

void
memory_store_close(struct store *s)
{
    struct data *data = data_of(s);
    struct data **link = &all;

    pthread_mutex_lock(&all_mutex);
    data->stores--;
    if (data->stores == 0) {
        while (*link != data)
            link = &(*link)->next;
        *link = data->next;
        data_free(data);
    }
    pthread_mutex_unlock(&all_mutex);
}

/*
 * Makes sure that no snapshot uses the newest state. Call under the mutex, so that none begins to.
 */
static enum err
claim_newest(struct data *data)
{
    struct state *copy;

    if (atomic_load(&data->newest->users) == 1)
        return ERR_OK;
    copy = state_copy(data->newest);
    if (copy == NULL)
        return ERR_MEMORY;
    state_leave(data->newest);
    data->newest = copy;
    return ERR_OK;
}

/* Deletes the acknowledged changes. */
static void
trim_outbox(struct data *data)
{
    int64_t acknowledged = atomic_load(&data->shared->acknowledged_change);
    struct table *outbox = &data->newest->tables[OUTBOX];

    while (outbox->count > 0 && ((struct outbox_row *)table_row(outbox, 0))->change.id <= acknowledged)
        table_delete(outbox, 0);
}

/* Makes the command's changes part of the newest state. */
static void
commit(struct data *data, const struct tx *tx)
{
    struct instance *instance = &data->newest->instance;
    bool announces = tx->counters->last_change > instance->last_change;

    instance->tick = tx->tick;
    instance->last_message_id = tx->counters->last_message_id;
    instance->last_change = tx->counters->last_change;
    state_accept(data->newest);
    trim_outbox(data);
    shared_count(&data->shared->counters.commits, 1);
    atomic_store(&data->shared->commit_ok_ms, clock_mono_ms());
    if (announces)
        shared_announce(data->shared, instance->last_change);
}

/* True if the command was refused after it had written. */
static bool
is_late_refusal(const struct data *data, enum err err)
{
    return err != ERR_OK && err != ERR_STORAGE && err != ERR_MEMORY && state_changed(data->newest);
}

/* Runs the command, and compares its reads with those that it declared. */
static enum err
run_declared(struct data *data, struct tx *tx, const struct command *command)
{
    struct state *state = data->newest;
    enum err err;

    state->reads = &command->reads;
    err = command->run(tx, command->arg);
    state->reads = NULL;
    if (data->undeclared[0] == '\0')
        memcpy(data->undeclared, state->undeclared, sizeof(data->undeclared));
    state->undeclared[0] = '\0';
    return err;
}

enum err
memory_store_run(struct store *s, const struct command *command)
{
    struct data *data = data_of(s);
    int64_t now = clock_wall_ms();
    struct tx_counters counters;
    struct tx tx = {.payer = s->payer, .counters = &counters};
    enum err err;

    pthread_mutex_lock(&data->mutex);
    err = claim_newest(data);
    if (err == ERR_OK) {
        const struct instance *last = &data->newest->instance;

        tx.db = &data->newest->face;
        tx.tick = now > last->tick ? now : last->tick + 1;
        counters = (struct tx_counters){last->last_message_id, last->last_change};
        err = run_declared(data, &tx, command);
        if (is_late_refusal(data, err)) {
            shared_count(&data->shared->counters.late_refusals, 1);
            err = ERR_STORAGE;
        }
        shared_count(&data->shared->counters.commands, 1);
    }
    if (err == ERR_OK && state_changed(data->newest))
        commit(data, &tx);
    else if (err != ERR_OK)
        state_undo(data->newest);
    if (err == ERR_STORAGE || err == ERR_MEMORY)
        shared_count(&data->shared->counters.commits_failed, 1);
    pthread_mutex_unlock(&data->mutex);
    return err == ERR_MEMORY ? ERR_STORAGE : err;
}

enum err
memory_snapshot_begin(struct store *s, struct snapshot **out)
{
    struct data *data = data_of(s);
    struct snapshot *snapshot = malloc(sizeof(*snapshot));

    if (snapshot == NULL)
        return ERR_STORAGE;
    pthread_mutex_lock(&data->mutex);
    snapshot->db = &data->newest->face;
    atomic_fetch_add(&data->newest->users, 1);
    pthread_mutex_unlock(&data->mutex);
    *out = snapshot;
    return ERR_OK;
}

void
memory_snapshot_end(struct snapshot *s)
{
    state_leave(state_of(s->db));
    free(s);
}
