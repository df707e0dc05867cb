/* commit.c - see commit.h. Must not know what the commands do. */
#include "store/pg/commit.h"

#include <stdlib.h>
#include "store/group.h"
#include "store/pg/behind.h"
#include "store/pg/instance.h"
#include "store/pg/outbox.h"

struct pg_commit {
    struct shared *shared;
    struct group *group;
    struct db *db; /* this and the following members: used by the leader only */
    struct pg_ahead ahead;
    int64_t trimmed; /* this process has deleted the outbox rows up to here */
};

/*
 * Begins the transaction, takes the lock, and reads the counters and what the group declares, in
 * one round trip.
 */
static enum err
begin(struct pg_commit *c, struct tx *tx, struct tx_counters *counters, const struct group_item *first)
{
    enum err err = pg_begin(c->db, PG_BEGIN_WRITE);

    pg_ahead_reset(&c->ahead);
    tx->db = c->db;
    if (err == ERR_OK)
        err = pg_instance_lock(c->db);
    if (err == ERR_OK)
        err = pg_ahead_ask(c->db, first);
    if (err == ERR_OK)
        err = pg_instance_locked(tx, counters);
    return err == ERR_OK ? pg_ahead_read(c->db) : err;
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
    enum err err = begin(c, &tx, &counters, first);
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
    if (err == ERR_OK && counters.last_change > last_change)
        err = pg_outbox_notify(c->db, counters.last_change);
    if (err != ERR_OK)
        pg_behind_reset(c->db);
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
        err = pg_behind_new(&c->ahead.behind);
    if (err == ERR_OK)
        err = pg_open(&c->db, uri, PG_SHARED);
    if (err != ERR_OK) {
        pg_commit_close(c);
        return err;
    }
    pg_set_ahead(c->db, &c->ahead);
    *out = c;
    return ERR_OK;
}

void
pg_commit_close(struct pg_commit *c)
{
    if (c == NULL)
        return;
    pg_close(c->db);
    pg_behind_free(c->ahead.behind);
    arena_clear(&c->ahead.arena);
    group_close(c->group);
    free(c);
}

enum err
pg_commit_run(struct pg_commit *c, const struct command *command, uint64_t payer)
{
    return group_run(c->group, command, payer);
}
