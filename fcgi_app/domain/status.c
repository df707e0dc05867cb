/* status.c - see status.h. Must not know how a status is shown. */
#include "domain/status.h"

#include "base/clock.h"
#include "store/outbox.h"

/* Takes the tick of the first change, and looks at no other. */
static bool
take_tick(void *arg, const struct change *change)
{
    *(int64_t *)arg = change->tick;
    return false;
}

/* Returns the age of the oldest change that nchan has not acknowledged. */
static enum err
find_lag(struct db *db, struct shared *shared, int64_t *lag_ms)
{
    int64_t now_ms = clock_wall_ms();
    int64_t tick = now_ms;
    enum err err = outbox_after(db, atomic_load(&shared->acknowledged_change), 1, take_tick, &tick);

    *lag_ms = tick < now_ms ? now_ms - tick : 0;
    return err;
}

void
status_read(struct store *store, struct shared *shared, struct status *status)
{
    struct snapshot *snapshot = NULL;
    enum err err;

    *status = (struct status){0};
    err = health_check(store, shared, &status->health);
    status->storage_works = err == ERR_OK || err == ERR_RELAY;
    status->relay_works = health_relay_runs(shared);
    err = snapshot_begin(store, &snapshot);
    if (err == ERR_OK)
        err = instance_get(snapshot->db, &status->instance);
    if (err == ERR_OK)
        err = size_get(snapshot->db, &status->size);
    if (err == ERR_OK)
        err = find_lag(snapshot->db, shared, &status->relay_lag_ms);
    snapshot_end(snapshot);
    status->is_read = err == ERR_OK;
    status->storage_works = status->storage_works && status->is_read;
}
