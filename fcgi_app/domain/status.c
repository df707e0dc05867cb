/* status.c - see status.h. Must not know how a status is shown. */
#include "domain/status.h"

#include "base/clock.h"
#include "store/outbox.h"

/* Returns the age of the oldest change that nchan has not acknowledged. */
static enum err
find_lag(struct db *db, struct shared *shared, int64_t *lag_ms)
{
    struct outbox_walk walk = {.after = atomic_load(&shared->acknowledged_change), .rows = 1};
    int64_t now_ms = clock_wall_ms();
    struct arena arena;
    enum err err;

    arena_init(&arena);
    err = outbox_after(db, &arena, &walk);
    *lag_ms = 0;
    if (err == ERR_OK && walk.count > 0 && walk.changes[0].tick < now_ms)
        *lag_ms = now_ms - walk.changes[0].tick;
    arena_clear(&arena);
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

void
status_housekeeping(const struct store *store, struct shared *shared, struct housekeeping_view *view)
{
    housekeeping_look(store, shared, view);
}
