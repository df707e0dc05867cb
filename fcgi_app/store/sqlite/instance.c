/* instance.c - see instance.h. */
#include "store/sqlite/db.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/instance.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "base/clock.h"

enum err
sqlite_instance_get(struct db *db, struct instance *instance)
{
    struct stmt *s = db_use(db, SQL_INSTANCE_GET);
    bool row;
    enum err err = db_step(s, &row);

    if (err == ERR_OK && row && db_text(s, 0).n < EPOCH_BYTES) {
        struct str epoch = db_text(s, 0);

        *instance = (struct instance){
            .tick = db_int(s, 1), .last_message_id = db_int(s, 2), .last_change = db_int(s, 3)};
        memcpy(instance->epoch, epoch.p, epoch.n);
    } else if (err == ERR_OK) {
        err = ERR_STORAGE;
    }
    db_done(s);
    return err;
}

enum err
instance_advance(struct tx *tx, struct tx_counters *counters)
{
    int64_t now = clock_wall_ms();
    struct instance instance = {0};
    enum err err = sqlite_instance_get(tx->db, &instance);

    tx->tick = now > instance.tick ? now : instance.tick + 1;
    *counters = (struct tx_counters){instance.last_message_id, instance.last_change};
    tx->counters = counters;
    return err;
}

enum err
instance_set(const struct tx *tx)
{
    struct stmt *s = db_use(tx->db, SQL_INSTANCE_SET);

    db_bind_int(s, 1, tx->tick);
    db_bind_int(s, 2, tx->counters->last_message_id);
    db_bind_int(s, 3, tx->counters->last_change);
    return db_run(s);
}

enum err
sqlite_instance_probe(struct tx *tx, int64_t bytes)
{
    struct stmt *s;
    enum err err = instance_set(tx);

    if (err != ERR_OK)
        return err;
    s = db_use(tx->db, SQL_PROBE_SET);
    db_bind_int(s, 1, bytes);
    return db_run(s);
}

enum err
instance_renew_epoch(struct db *db, char epoch[EPOCH_BYTES])
{
    unsigned char random[16];
    struct stmt *s;

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return ERR_STORAGE;
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(epoch + 2 * i, 3, "%02x", random[i]);
    s = db_use(db, SQL_INSTANCE_SET_EPOCH);
    db_bind_text(s, 1, str_c(epoch));
    return db_run(s);
}
