/* instance.c - see instance.h. */
#include "store/pg/instance.h"

#include <string.h>
#include "base/clock.h"
#include "store/pg/db.h"
#include "store/pg/engine.h"

enum err
pg_instance_get(struct db *db, struct instance *instance)
{
    struct pg_stmt *s = pg_use(db, PG_INSTANCE_GET);
    bool row;
    enum err err = pg_step(s, &row);

    if (err == ERR_OK && row && pg_text(s, 0).n < EPOCH_BYTES) {
        struct str epoch = pg_text(s, 0);

        *instance = (struct instance){
            .tick = pg_int(s, 1), .last_message_id = pg_int(s, 2), .last_change = pg_int(s, 3)};
        memcpy(instance->epoch, epoch.p, epoch.n);
    } else if (err == ERR_OK) {
        err = ERR_STORAGE;
    }
    pg_done(s);
    return err;
}

enum err
pg_instance_lock(struct db *db)
{
    return pg_ask(pg_use(db, PG_INSTANCE_LOCK));
}

enum err
pg_instance_locked(struct tx *tx, struct tx_counters *counters)
{
    struct pg_stmt *s = pg_asked(tx->db, PG_INSTANCE_LOCK);
    bool row;
    enum err err = pg_step(s, &row);

    if (row) {
        int64_t now = clock_wall_ms();
        int64_t last = pg_int(s, 0);

        tx->tick = now > last ? now : last + 1;
        *counters = (struct tx_counters){
            .last_message_id = pg_int(s, 1),
            .last_change = pg_int(s, 2),
            .last_account_id = pg_int(s, 3),
            .last_conversation_id = pg_int(s, 4),
            .last_set_id = pg_int(s, 5),
        };
        tx->counters = counters;
    }
    pg_done(s);
    return err == ERR_OK && !row ? ERR_STORAGE : err;
}

enum err
pg_instance_set(const struct tx *tx)
{
    struct pg_stmt *s = pg_use(tx->db, PG_INSTANCE_SET);

    pg_bind_int(s, 1, tx->tick);
    pg_bind_int(s, 2, tx->counters->last_message_id);
    pg_bind_int(s, 3, tx->counters->last_change);
    pg_bind_int(s, 4, tx->counters->last_account_id);
    pg_bind_int(s, 5, tx->counters->last_conversation_id);
    pg_bind_int(s, 6, tx->counters->last_set_id);
    return pg_queue(s);
}

enum err
pg_instance_probe(struct tx *tx, int64_t bytes)
{
    struct pg_stmt *s;
    enum err err = pg_instance_set(tx);

    if (err != ERR_OK)
        return err;
    s = pg_use(tx->db, PG_PROBE_SET);
    pg_bind_int(s, 1, bytes);
    return pg_queue(s);
}
