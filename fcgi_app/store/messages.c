/* messages.c - see messages.h. */
#include "store/messages.h"

enum err
messages_add(struct tx *tx, const struct message *m)
{
    struct stmt *s = db_use(tx->db, SQL_MESSAGE_ADD);

    db_bind_int(s, 1, m->conversation);
    db_bind_int(s, 2, m->seq);
    db_bind_int(s, 3, m->id);
    db_bind_text(s, 4, m->sender);
    db_bind_int(s, 5, m->timestamp);
    db_bind_text(s, 6, m->content);
    return db_run(s);
}

enum err
messages_get(struct db *db, int64_t conversation, int64_t seq, struct message *m, bool *found,
             struct stmt **row)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_GET);
    enum err err;

    *row = s;
    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, seq);
    err = db_step(s, found);
    if (*found)
        *m = (struct message){
            .id = db_int(s, 0),
            .conversation = conversation,
            .seq = seq,
            .sender = db_text(s, 1),
            .timestamp = db_int(s, 2),
            .content = db_text(s, 3),
        };
    return err;
}

static enum err
timestamp_of(struct db *db, int64_t conversation, int64_t seq, int64_t *timestamp)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_TIMESTAMP);
    bool row;
    enum err err;

    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, seq);
    err = db_step(s, &row);
    if (row)
        *timestamp = db_int(s, 0);
    db_done(s);
    return err == ERR_OK && !row ? ERR_STORAGE : err;
}

/* Where `after` would stand if the messages between two known ones came evenly. */
static int64_t
guess(int64_t low, int64_t low_ms, int64_t high, int64_t high_ms, int64_t after)
{
    double share = (double)(after - low_ms) / (double)(high_ms - low_ms);
    int64_t seq = low + (int64_t)(share * (double)(high - low));

    return seq <= low ? low + 1 : seq >= high ? high - 1 : seq;
}

/* Two seqs around the moment sought: timestamp(low) <= after < timestamp(high). */
struct bracket {
    int64_t low;
    int64_t high;
};

/* Looks at one seq strictly between the two and moves the right one of them there. */
static enum err
probe(struct db *db, int64_t conversation, int64_t at, int64_t after, struct bracket *b)
{
    int64_t timestamp = 0;
    enum err err = timestamp_of(db, conversation, at, &timestamp);

    if (timestamp <= after)
        b->low = at;
    else
        b->high = at;
    return err;
}

/*
 * Closes the bracket to neighbours. History is often even: so from a guess on, in steps that double until
 * the moment is passed; then by halves.
 */
static enum err
narrow(struct db *db, int64_t conversation, int64_t first_guess, int64_t after, struct bracket *b)
{
    bool upwards;
    enum err err;

    if (b->high - b->low <= 1)
        return ERR_OK;
    err = probe(db, conversation, first_guess, after, b);
    upwards = b->low == first_guess;
    for (int64_t step = 1; err == ERR_OK; step *= 2) {
        int64_t at = upwards ? b->low + step : b->high - step;

        if (at <= b->low || at >= b->high)
            break;
        err = probe(db, conversation, at, after, b);
        if (upwards != (b->low == at))
            break;
    }
    while (err == ERR_OK && b->high - b->low > 1)
        err = probe(db, conversation, b->low + (b->high - b->low) / 2, after, b);
    return err;
}

enum err
messages_first_after(struct db *db, int64_t conversation, int64_t low, int64_t high, int64_t after,
                     int64_t *seq)
{
    int64_t low_ms = 0;
    int64_t high_ms = 0;
    struct bracket b;
    enum err err;

    *seq = low;
    if (low > high)
        return ERR_OK;
    err = timestamp_of(db, conversation, high, &high_ms);
    if (err != ERR_OK || high_ms <= after) {
        *seq = high + 1;
        return err;
    }
    if (after <= 0 || low == high)
        return ERR_OK;
    /* Most who ask lack only the newest: if the one before it is old enough, the bracket is closed. */
    b = (struct bracket){low, high};
    err = probe(db, conversation, high - 1, after, &b);
    if (err == ERR_OK && b.low < high - 1)
        err = timestamp_of(db, conversation, low, &low_ms);
    if (err == ERR_OK && low_ms > after)
        return ERR_OK;
    if (err == ERR_OK && b.high - b.low > 1)
        err = narrow(db, conversation, guess(low, low_ms, high, high_ms, after), after, &b);
    *seq = b.high;
    return err;
}

enum err
messages_range(struct db *db, int64_t conversation, int64_t seq,
               bool (*each)(void *arg, const struct message *m), void *arg)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_RANGE);
    bool row = true;
    enum err err = ERR_OK;

    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, seq);
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        struct message m = {
            .id = db_int(s, 0),
            .conversation = conversation,
            .sender = db_text(s, 1),
            .timestamp = db_int(s, 2),
            .content = db_text(s, 3),
            .seq = db_int(s, 4),
        };

        if (!each(arg, &m))
            break;
    }
    db_done(s);
    return err;
}

enum err
messages_keys(struct db *db, int64_t conversation, int64_t first, int64_t last,
              bool (*each)(void *arg, const struct message_key *key), void *arg)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_KEYS);
    bool row = true;
    enum err err = ERR_OK;

    db_bind_int(s, 1, conversation);
    db_bind_int(s, 2, first);
    db_bind_int(s, 3, last);
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        struct message_key key = {db_int(s, 0), db_int(s, 1), conversation, db_int(s, 2)};

        if (!each(arg, &key))
            break;
    }
    db_done(s);
    return err;
}

enum err
messages_newest(struct db *db, int limit, bool (*each)(void *arg, const struct message_key *key), void *arg)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_NEWEST);
    bool row = true;
    enum err err = ERR_OK;

    db_bind_int(s, 1, limit);
    while ((err = db_step(s, &row)) == ERR_OK && row) {
        struct message_key key = {db_int(s, 0), db_int(s, 1), db_int(s, 2), db_int(s, 3)};

        if (!each(arg, &key))
            break;
    }
    db_done(s);
    return err;
}
