/* commit.c - see commit.h. Must not know what the commands do. */
#include "store/sqlite/db.h"
#include "store/sqlite/commit.h"

#include <stdlib.h>
#include "store/group.h"
#include "store/sqlite/instance.h"
#include "store/sqlite/outbox.h"
#include "store/sqlite/wal.h"

struct commit {
    struct shared *shared;
    struct group *group;
    struct db *db; /* used by the leader alone */
};

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
 * Runs the whole group in one transaction: all or nothing. Commits nothing if nothing was written.
 */
static enum err
transact(void *arg, struct group_item *first)
{
    struct commit *c = arg;
    struct tx_counters counters = {0};
    struct tx tx = {0};
    bool changed = false;
    enum err err = begin(c, &tx, &counters);
    int64_t last_change = counters.last_change;

    if (err == ERR_OK)
        err = group_run_commands(c->group, &tx, first, &changed);
    if (err == ERR_OK && changed)
        err = instance_set(&tx);
    if (err == ERR_OK)
        err = db_do(c->db, changed ? SQL_COMMIT : SQL_ROLLBACK);
    if (err == ERR_OK && counters.last_change > last_change)
        shared_announce(c->shared, counters.last_change);
    if (err == ERR_OK && db_take_wipe(c->db))
        atomic_store(&wal_shared(c->shared)->wipe, true);
    if (err != ERR_OK && db_in_transaction(c->db))
        db_do(c->db, SQL_ROLLBACK);
    if (err != ERR_OK || changed)
        group_note_outcome(c->group, err, first);
    return err;
}

static const struct group_engine group_engine = {
    .transact = transact,
    .writes = db_changes,
    .in_transaction = db_in_transaction,
};

static void
note_wal(void *arg, int wal_pages)
{
    wal_note(arg, wal_pages);
}

enum err
commit_open(struct commit **out, const char *path, struct shared *shared)
{
    struct commit *c = calloc(1, sizeof(*c));
    enum err err;

    if (c == NULL)
        return ERR_MEMORY;
    c->shared = shared;
    err = group_open(&c->group, &group_engine, c, shared);
    if (err == ERR_OK)
        err = db_open(&c->db, path, DB_WRITE);
    if (err != ERR_OK) {
        commit_close(c);
        return err;
    }
    db_on_commit(c->db, note_wal, shared);
    db_follow_renames(c->db, &shared->renames);
    *out = c;
    return ERR_OK;
}

void
commit_close(struct commit *c)
{
    if (c == NULL)
        return;
    db_close(c->db);
    group_close(c->group);
    free(c);
}

enum err
commit_run(struct commit *c, const struct command *command, uint64_t payer)
{
    return group_run(c->group, command, payer);
}
