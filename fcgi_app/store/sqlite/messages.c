/* messages.c - see store/messages.h. Must not know who may read, send or change what. */
#include "store/sqlite/engine.h"

#include "store/sqlite/accounts.h"
#include "store/sqlite/instance.h"
#include "model/ids.h"
#include "store/reactions.h"

enum err
sqlite_messages_add(struct tx *tx, struct message *m, int64_t version)
{
    struct stmt *s = db_use(tx->db, SQL_MESSAGE_ADD);

    m->id = ++tx->counters->last_message_id;
    db_bind_int(s, 1, m->conversation);
    db_bind_int(s, 2, m->seq);
    db_bind_int(s, 3, m->id);
    accounts_bind(tx->db, s, 4, m->sender);
    db_bind_int(s, 5, m->timestamp);
    db_bind_int(s, 6, version);
    db_bind_text(s, 7, m->client_id);
    db_bind_int_or_null(s, 8, m->reply_to);
    db_bind_text(s, 9, m->content);
    return db_run(s);
}

/*
 * The number of columns of the macro MESSAGE of sql.c. A statement's further columns follow them.
 */
#define MESSAGE_COLUMNS 11

/* Fills *m from the current row. Its strings are valid until the next step or the next call. */
static enum err
read_row(struct db *db, struct stmt *s, struct message *m)
{
    int64_t place = db_int(s, 0);

    *m = (struct message){
        .id = db_int(s, 1),
        .conversation = ids_conversation(place >> 32),
        .seq = place & 0xffffffff,
        .timestamp = db_int(s, 3),
        .content = db_text(s, 4),
        .client_id = db_text(s, 5),
        .reply_to = db_int(s, 6),
        .edited_at = db_int(s, 7),
        .deleted_at = db_int(s, 8),
        .emoji_count = (int)db_int(s, 9),
        .changed_version = db_int(s, 10),
    };
    return accounts_name(db, db_int(s, 2), &m->sender);
}

/* Steps to the next row of a statement whose columns are a message's, and reads it. */
static enum err
step_to(struct db *db, struct stmt *s, struct arena *arena, struct message *m, bool *found)
{
    enum err err = db_step(s, found);

    if (!*found)
        return err;
    err = read_row(db, s, m);
    return err == ERR_OK ? messages_keep(arena, m) : err;
}

/* Reads the message of a statement with at most one row, and ends the statement. */
static enum err
read_one(struct stmt *s, const struct message_reader *r, struct message *m, bool *found)
{
    enum err err = step_to(r->db, s, r->arena, m, found);

    db_done(s);
    if (*found && err == ERR_OK)
        err = sqlite_reactions_read(r->db, r->arena, r->viewer, m);
    return err;
}

/*
 * Binds a seq that is limited to valid ones. So the place computed from it is in the same
 * conversation, whatever the caller passes.
 */
static void
bind_seq(struct stmt *s, int parameter, int64_t seq)
{
    db_bind_int(s, parameter, ids_seq(seq));
}

enum err
sqlite_messages_get(const struct message_reader *r, int32_t conversation, int64_t seq, struct message *m,
                    bool *found)
{
    struct stmt *s = db_use(r->db, SQL_MESSAGE_GET);

    db_bind_int(s, 1, conversation);
    bind_seq(s, 2, seq);
    return read_one(s, r, m, found);
}

enum err
sqlite_messages_at(const struct message_reader *r, struct message_batch *batch)
{
    struct stmt *s = db_use(r->db, SQL_MESSAGE_GET);
    size_t bytes = 0;
    enum err err = ERR_OK;

    batch->count = 0;
    batch->messages = arena_alloc(r->arena, batch->place_count * sizeof(*batch->messages));
    if (batch->messages == NULL)
        return ERR_MEMORY;
    while (err == ERR_OK && batch->count < batch->place_count && bytes <= MESSAGES_BATCH_BYTES) {
        const struct message_place *place = &batch->places[batch->count];
        struct message *m = &batch->messages[batch->count++];
        bool found = false;

        if (place->seq == 0)
            continue;
        db_bind_int(s, 1, place->conversation);
        bind_seq(s, 2, place->seq);
        err = step_to(r->db, s, r->arena, m, &found);
        db_done(s);
        if (err == ERR_OK && found)
            err = sqlite_reactions_read(r->db, r->arena, r->viewer, m);
        bytes += messages_bytes(m);
    }
    return err;
}

enum err
sqlite_messages_by_id(const struct message_reader *r, int64_t id, struct message *m, bool *found)
{
    struct stmt *s = db_use(r->db, SQL_MESSAGE_BY_ID);

    db_bind_int(s, 1, id);
    return read_one(s, r, m, found);
}

enum err
sqlite_messages_head(struct db *db, struct arena *arena, int64_t id, struct message *m, bool *found)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_HEAD);
    enum err err;

    db_bind_int(s, 1, id);
    err = step_to(db, s, arena, m, found);
    db_done(s);
    return err;
}

enum err
sqlite_messages_content(struct db *db, struct arena *arena, struct message *m)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_CONTENT);
    bool row;
    enum err err;

    db_bind_int(s, 1, m->conversation);
    db_bind_int(s, 2, m->seq);
    err = db_step(s, &row);
    if (row)
        m->content = arena_copy(arena, db_text(s, 0));
    db_done(s);
    if (err == ERR_OK && !row)
        return ERR_STORAGE;
    return err == ERR_OK && m->content.p == NULL ? ERR_MEMORY : err;
}

enum err
sqlite_messages_key(struct db *db, int64_t id, struct message_key *key, bool *found)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_KEY);
    enum err err;

    db_bind_int(s, 1, id);
    err = db_step(s, found);
    if (*found)
        *key = (struct message_key){id, db_int(s, 0), ids_conversation(db_int(s, 1)), db_int(s, 2)};
    db_done(s);
    return err;
}

enum err
sqlite_messages_by_client_id(const struct message_reader *r, struct str client_id, struct message *m,
                             int *fingerprint, bool *found)
{
    struct stmt *s = db_use(r->db, SQL_MESSAGE_BY_CLIENT_ID);
    enum err err;

    *fingerprint = -1;
    accounts_bind(r->db, s, 1, r->viewer);
    db_bind_text(s, 2, client_id);
    err = step_to(r->db, s, r->arena, m, found);
    if (*found && !db_is_null(s, MESSAGE_COLUMNS))
        *fingerprint = (int)db_int(s, MESSAGE_COLUMNS);
    db_done(s);
    if (*found && err == ERR_OK)
        err = sqlite_reactions_read(r->db, r->arena, r->viewer, m);
    return err;
}

/*
 * Binds a fingerprint of the content that is about to go, if a repeat may have to be compared with
 * it.
 */
static void
bind_fingerprint(struct stmt *s, int parameter, const struct message *m)
{
    if (m->client_id.p != NULL)
        db_bind_int(s, parameter, messages_fingerprint(m->content));
    else
        db_bind_text(s, parameter, (struct str){0});
}

enum err
sqlite_messages_edit(struct tx *tx, struct message *m, struct str content, int64_t version)
{
    struct stmt *s = db_use(tx->db, SQL_MESSAGE_EDIT);

    db_bind_int(s, 1, m->conversation);
    db_bind_int(s, 2, m->seq);
    db_bind_text(s, 3, content);
    db_bind_int(s, 4, tx->tick);
    db_bind_int(s, 5, version);
    bind_fingerprint(s, 6, m);
    db_request_wipe(tx->db);
    m->content = content;
    m->edited_at = tx->tick;
    m->changed_version = version;
    return db_run(s);
}

enum err
sqlite_messages_delete(struct tx *tx, struct message *m, int64_t version)
{
    struct stmt *s = db_use(tx->db, SQL_MESSAGE_DELETE);
    enum err err;

    db_bind_int(s, 1, m->conversation);
    db_bind_int(s, 2, m->seq);
    db_bind_int(s, 3, tx->tick);
    db_bind_int(s, 4, version);
    bind_fingerprint(s, 5, m);
    err = db_run(s);
    if (err == ERR_OK)
        err = sqlite_reactions_clear_all(tx, m);
    db_request_wipe(tx->db);
    m->content = str_c("");
    m->edited_at = 0;
    m->deleted_at = tx->tick;
    m->changed_version = version;
    return err;
}

enum err
sqlite_messages_set_reacted(struct tx *tx, const struct message *m, int64_t version)
{
    struct stmt *s = db_use(tx->db, SQL_MESSAGE_SET_REACTED);

    db_bind_int(s, 1, m->conversation);
    db_bind_int(s, 2, m->seq);
    db_bind_int(s, 3, m->emoji_count);
    db_bind_int(s, 4, version);
    return db_run(s);
}

/*
 * Messages in an order in which a value never falls: by seq in one conversation, or by id in all.
 */
struct axis {
    struct db *db;
    int32_t conversation;
    enum sql sql; /* reads the value at one position */
};

static enum err
value_at(const struct axis *axis, int64_t seq, int64_t *value)
{
    struct stmt *s = db_use(axis->db, axis->sql);
    bool row;
    enum err err;

    db_bind_int(s, 1, axis->conversation);
    db_bind_int(s, 2, seq);
    err = db_step(s, &row);
    if (row)
        *value = db_int(s, 0);
    db_done(s);
    return err == ERR_OK && !row ? ERR_STORAGE : err;
}

/* Guesses where `after` is, as if the values between two known positions grew evenly. */
static int64_t
guess(int64_t low, int64_t low_value, int64_t high, int64_t high_value, int64_t after)
{
    double share = (double)(after - low_value) / (double)(high_value - low_value);
    int64_t seq = low + (int64_t)(share * (double)(high - low));

    return seq <= low ? low + 1 : seq >= high ? high - 1 : seq;
}

/* Two positions around the one sought: value(low) <= after < value(high). */
struct bracket {
    int64_t low;
    int64_t high;
};

/* Reads the value at a position between the two, and moves one of them there. */
static enum err
probe(const struct axis *axis, int64_t at, int64_t after, struct bracket *b)
{
    int64_t value = 0;
    enum err err = value_at(axis, at, &value);

    if (value <= after)
        b->low = at;
    else
        b->high = at;
    return err;
}

/*
 * Closes the bracket to neighbours. Messages often arrive evenly, so this begins at a guess. From
 * there its steps double until the position is passed. Then it halves the bracket.
 */
static enum err
narrow(const struct axis *axis, int64_t first_guess, int64_t after, struct bracket *b)
{
    bool upwards;
    enum err err;

    if (b->high - b->low <= 1)
        return ERR_OK;
    err = probe(axis, first_guess, after, b);
    upwards = b->low == first_guess;
    for (int64_t step = 1; err == ERR_OK; step *= 2) {
        int64_t at = upwards ? b->low + step : b->high - step;

        if (at <= b->low || at >= b->high)
            break;
        err = probe(axis, at, after, b);
        if (upwards != (b->low == at))
            break;
    }
    while (err == ERR_OK && b->high - b->low > 1)
        err = probe(axis, b->low + (b->high - b->low) / 2, after, b);
    return err;
}

/*
 * Finds the first seq in range->after + 1 … range->until whose value is > after; range->until + 1
 * if there is none.
 */
static enum err
first_beyond(const struct axis *axis, const struct message_range *range, int64_t after, int64_t *seq)
{
    int64_t low = range->after + 1;
    int64_t high = range->until;
    int64_t low_value = 0;
    int64_t high_value = 0;
    struct bracket b;
    enum err err;

    *seq = low;
    if (low > high)
        return ERR_OK;
    err = value_at(axis, high, &high_value);
    if (err != ERR_OK || high_value <= after) {
        *seq = high + 1;
        return err;
    }
    if (after <= 0 || low == high)
        return ERR_OK;
    /*
     * Most readers lack only the newest message. Then one probe, just before it, closes the
     * bracket.
     */
    b = (struct bracket){low, high};
    err = probe(axis, high - 1, after, &b);
    if (err == ERR_OK && b.low < high - 1)
        err = value_at(axis, low, &low_value);
    if (err == ERR_OK && low_value > after)
        return ERR_OK;
    if (err == ERR_OK && b.high - b.low > 1)
        err = narrow(axis, guess(low, low_value, high, high_value, after), after, &b);
    *seq = b.high;
    return err;
}

enum err
sqlite_messages_first_after(struct db *db, const struct message_range *range, int64_t after, int64_t *seq)
{
    const struct axis axis = {db, range->conversation, SQL_MESSAGE_TIMESTAMP};

    return first_beyond(&axis, range, after, seq);
}

enum err
sqlite_messages_first_created_after(struct db *db, const struct message_range *range, int64_t version,
                                    int64_t *seq)
{
    const struct axis axis = {db, range->conversation, SQL_MESSAGE_VERSION};

    return first_beyond(&axis, range, version, seq);
}

enum err
sqlite_messages_page_before(struct db *db, struct message_page *page)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_BACK);
    size_t sum = 0;
    enum err err = ERR_OK;

    page->first = page->before;
    db_bind_int(s, 1, page->conversation);
    bind_seq(s, 2, page->before);
    for (int n = 0; n < page->limit && sum <= page->bytes; n++) {
        if (!db_next(s, &err))
            break;
        page->first = db_int(s, 0);
        sum += db_text(s, 1).n + (size_t)db_int(s, 2) * MESSAGES_EMOJI_BYTES +
               (size_t)db_int(s, 3) * MESSAGES_NAME_BYTES;
    }
    db_done(s);
    return err;
}

enum err
sqlite_messages_keys(struct db *db, struct key_walk *walk)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_KEYS);
    enum err err = ERR_OK;

    walk->count = 0;
    walk->later = false;
    db_bind_int(s, 1, walk->conversation);
    bind_seq(s, 2, walk->after);
    bind_seq(s, 3, walk->until);
    while (walk->count < (size_t)walk->rows && db_next(s, &err)) {
        struct message_key key = {db_int(s, 0), db_int(s, 1), walk->conversation, db_int(s, 2)};

        walk->later = key.timestamp > walk->no_later;
        if (walk->later)
            break;
        walk->keys[walk->count++] = key;
        walk->after = key.seq;
    }
    db_done(s);
    return err;
}

/* Returns the last message's id in *id; 0 if there is none. */
static enum err
last_id(struct db *db, int64_t *id)
{
    struct stmt *s = db_use(db, SQL_MESSAGE_LAST_ID);
    bool row;
    enum err err = db_step(s, &row);

    *id = row ? db_int(s, 0) : 0;
    db_done(s);
    return err;
}

/* Returns the id of the first message after the moment, or the id after the last one. */
static enum err
find_first_since(struct db *db, int64_t after, int64_t *first)
{
    /* By id, as if all messages belonged to one conversation. */
    const struct axis axis = {db, 0, SQL_MESSAGE_TIMESTAMP_BY_ID};
    struct message_range everything = {0};
    enum err err = last_id(db, &everything.until);

    *first = 1;
    return err == ERR_OK ? first_beyond(&axis, &everything, after, first) : err;
}

/* Returns the statement of the walk's next batch, with its parameters bound. */
static struct stmt *
use_for_search(struct db *db, const struct message_search *search)
{
    bool receipts = search->viewer.p != NULL;
    struct stmt *s = db_use(db, receipts ? SQL_MESSAGE_FROM_FOR : SQL_MESSAGE_FROM);

    db_bind_int(s, 1, search->from);
    db_bind_int(s, 2, search->rows + 1);
    if (receipts)
        accounts_bind(db, s, 3, search->viewer);
    return s;
}

enum err
sqlite_messages_since(struct db *db, struct message_search *search)
{
    struct message_key *key;
    struct stmt *s;
    enum err err = search->from == 0 ? find_first_since(db, search->after, &search->from) : ERR_OK;

    search->count = 0;
    search->all = true;
    if (err != ERR_OK)
        return err;
    s = use_for_search(db, search);
    while (db_next(s, &err)) {
        search->all = search->count < (size_t)search->rows;
        if (!search->all)
            break;
        key = &search->keys[search->count];
        *key = (struct message_key){db_int(s, 0), db_int(s, 1), ids_conversation(db_int(s, 2)), db_int(s, 3)};
        if (search->viewer.p != NULL)
            search->receipts[search->count] = (enum receipt)db_int(s, 4);
        search->from = key->id + 1;
        search->count++;
    }
    db_done(s);
    return err;
}

static const enum sql walks[] = {
    [MESSAGES_BY_SEQ] = SQL_MESSAGE_RANGE,
    [MESSAGES_BY_CREATION] = SQL_MESSAGE_CREATED_FROM,
    [MESSAGES_BY_CHANGE] = SQL_MESSAGE_CHANGED,
};

/* Adds the current row to the batch. */
static enum err
add_step(struct stmt *s, const struct message_reader *r, struct message_walk *walk)
{
    struct message_step *step = &walk->steps[walk->count++];
    struct message *m = &step->message;
    enum err err = read_row(r->db, s, m);

    walk->from = m->seq + 1;
    if (walk->order != MESSAGES_BY_SEQ)
        step->version = db_int(s, MESSAGE_COLUMNS);
    if (walk->order == MESSAGES_BY_CHANGE)
        walk->from = step->version;
    if (err != ERR_OK)
        return err;
    if (walk->order == MESSAGES_BY_CREATION && db_int(s, MESSAGE_COLUMNS + 1) != 0) {
        *m = (struct message){.conversation = m->conversation, .seq = m->seq};
        step->changed_since = true;
        return ERR_OK;
    }
    err = messages_keep(r->arena, m);
    return err == ERR_OK ? sqlite_reactions_read(r->db, r->arena, r->viewer, m) : err;
}

enum err
sqlite_messages_walk(const struct message_reader *r, struct message_walk *walk)
{
    struct stmt *s = db_use(r->db, walks[walk->order]);
    size_t bytes = 0;
    enum err err = ERR_OK;

    walk->count = 0;
    walk->steps = arena_alloc(r->arena, (size_t)walk->rows * sizeof(*walk->steps));
    if (walk->steps == NULL)
        return ERR_MEMORY;
    /* bind_seq() would turn it into the last possible message. */
    if (walk->order != MESSAGES_BY_CHANGE && walk->from > SEQ_MAX)
        return ERR_OK;
    db_bind_int(s, 1, walk->conversation);
    if (walk->order == MESSAGES_BY_CHANGE)
        db_bind_int(s, 2, walk->from);
    else
        bind_seq(s, 2, walk->from);
    while (walk->count < (size_t)walk->rows && bytes <= MESSAGES_BATCH_BYTES && db_next(s, &err)) {
        err = add_step(s, r, walk);
        if (err != ERR_OK)
            break;
        bytes += messages_bytes(&walk->steps[walk->count - 1].message);
    }
    db_done(s);
    return err;
}
