/* health.c - see health.h. */
#include "domain/health.h"

#include "base/clock.h"
#include "store/instance.h"

#define COMMIT_FRESH_MS 1000
/* The relay goes round at least once a second. */
#define BEAT_FRESH_MS 5000

/* Changes nothing but the tick: proof that the disk takes a commit. */
static enum err
probe_in_tx(struct tx *tx, void *arg)
{
    (void)arg;
    return instance_set(tx);
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
    };
    if (atomic_load(&shared->commit_failing) || now - atomic_load(&shared->commit_ok_ms) > COMMIT_FRESH_MS)
        err = commit_run(store->commit, probe_in_tx, NULL, 0);
    if (err == ERR_OK && now - atomic_load(&shared->relay_beat_ms) > BEAT_FRESH_MS)
        err = ERR_RELAY;
    return err;
}
