/* commit.c - see commit.h. Must not know what the commands do. */
#include "store/pg/commit.h"

#include <stdlib.h>
#include "store/group.h"
#include "store/pg/db.h"
#include "store/pg/instance.h"
#include "store/pg/outbox.h"

struct pg_commit {
    struct shared *shared;
    struct group *group;
    struct db *db;   /* used by the leader alone */
    int64_t trimmed; /* outbox rows up to here were deleted by this process */
};

/*
 * Begins the transaction, locks, reads the counters, and deletes outbox rows that nchan has
 * acknowledged.
 */
static enum err
begin(struct pg_commit *c, struct tx *tx, struct tx_counters *counters)
{
    enum err err = pg_begin(c->db, PG_BEGIN_WRITE);

    if (err != ERR_OK)
        return err;
    tx->db = c->db;
    return pg_instance_lock(tx, counters);
}

/* Deletes outbox rows that nchan has acknowledged since the last time. */
static enum err
trim(struct pg_commit *c)
{
    int64_t acknowledged = atomic_load(&c->shared->acknowledged_change);

    if (acknowledged <= c->trimmed)
        return ERR_OK;
    c->trimmed = acknowledged;
    return pg_outbox_trim(c->db, acknowledged);
}

/*
 * Runs the whole group in one transaction: all or nothing. Commits nothing if nothing was written.
 */
static enum err
transact(void *arg, struct group_item *first)
{
    struct pg_commit *c = arg;
    struct tx_counters counters = {0};
    struct tx tx = {0};
    bool changed = false;
    enum err err = begin(c, &tx, &counters);
    int64_t last_change = counters.last_change;

    if (err == ERR_OK)
        err = group_run_commands(c->group, &tx, first, &changed);
    if (err == ERR_OK && !changed) {
        pg_end_read(c->db);
        return ERR_OK;
    }
    if (err == ERR_OK)
        err = trim(c);
    if (err == ERR_OK)
        err = pg_instance_set(&tx);
    err = pg_end_write(c->db, err);
    if (err == ERR_OK && counters.last_change > last_change)
        shared_announce(c->shared, counters.last_change);
    group_note_outcome(c->group, err, first);
    return err;
}

static const struct group_engine group_engine = {
    .transact = transact,
    .writes = pg_writes,
    .in_transaction = pg_in_transaction,
};

enum err
pg_commit_open(struct pg_commit **out, const char *uri, struct shared *shared)
{
    struct pg_commit *c = calloc(1, sizeof(*c));
    enum err err;

    if (c == NULL)
        return ERR_MEMORY;
    c->shared = shared;
    err = group_open(&c->group, &group_engine, c, shared);
    if (err == ERR_OK)
        err = pg_open(&c->db, uri, PG_SHARED);
    if (err == ERR_OK)
        *out = c;
    else
        pg_commit_close(c);
    return err;
}

void
pg_commit_close(struct pg_commit *c)
{
    if (c == NULL)
        return;
    pg_close(c->db);
    group_close(c->group);
    free(c);
}

enum err
pg_commit_run(struct pg_commit *c, const struct command *command, uint64_t payer)
{
    return group_run(c->group, command, payer);
}
