/* health.c - see health.h. */
#include "domain/health.h"

#include "base/clock.h"
#include "store/instance.h"

#define COMMIT_FRESH_MS 1000
/* The relay's loop runs at least once a second. */
#define BEAT_FRESH_MS 5000

/* The bytes of a commit beside the content that it stores. */
#define COMMIT_BYTES 16384

/* Stores the tick and some bytes, to prove that the disk takes a commit of that size. */
static enum err
probe_in_tx(struct tx *tx, void *arg)
{
    return instance_probe(tx, *(const int64_t *)arg);
}

/*
 * Commits a probe. If commits fail, the probe must be as large as the largest that failed: on a
 * full disk a small commit may still find room in the engine's log.
 */
static enum err
probe(struct store *store, const struct shared *shared)
{
    int64_t failed_bytes = atomic_load(&shared->failed_bytes);
    int64_t bytes = atomic_load(&shared->commit_failing) ? failed_bytes + COMMIT_BYTES : 0;

    return store_run(store,
                     &(struct command){.run = probe_in_tx, .arg = &bytes, .bytes = (size_t)failed_bytes});
}

bool
health_relay_runs(struct shared *shared)
{
    return clock_mono_ms() - atomic_load(&shared->relay_beat_ms) <= BEAT_FRESH_MS;
}

enum err
health_check(struct store *store, struct shared *shared, struct health *health)
{
    int64_t now = clock_mono_ms();
    int64_t pending = atomic_load(&shared->committed_change) - atomic_load(&shared->acknowledged_change);
    enum err err = ERR_OK;

    *health = (struct health){
        .push_connected = atomic_load(&shared->relay_connected),
        .outbox_pending = pending < 0 ? 0 : pending,
        .clock_behind_s = atomic_load(&shared->clock_behind_ms) / 1000,
    };
    if (atomic_load(&shared->commit_failing) || now - atomic_load(&shared->commit_ok_ms) > COMMIT_FRESH_MS)
        err = probe(store, shared);
    if (err == ERR_OK && !health_relay_runs(shared))
        err = ERR_RELAY;
    return err;
}
