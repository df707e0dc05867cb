/* messages.c - see store/messages.h. Must not know who may read, send or change what. */
#include "store/pg/engine.h"

#include "store/pg/behind.h"
#include "store/pg/messages.h"
#include "store/pg/reactions.h"
#include "store/pg/instance.h"
#include "model/ids.h"

enum err
pg_messages_add(struct tx *tx, struct message *m, int64_t version)
{
    struct pg_stmt *s;

    m->id = ++tx->counters->last_message_id;
    pg_ahead_forget_head(tx->db, m->id);
    pg_ahead_forget_unused(tx->db, m->sender, m->client_id);
    if (pg_behind_message(tx, m, version))
        return ERR_OK;
    s = pg_use(tx->db, PG_MESSAGE_ADD);
    pg_bind_int(s, 1, m->conversation);
    pg_bind_int(s, 2, m->seq);
    pg_bind_int(s, 3, m->id);
    pg_bind_text(s, 4, m->sender);
    pg_bind_int(s, 5, m->timestamp);
    pg_bind_int(s, 6, version);
    pg_bind_text(s, 7, m->client_id);
    pg_bind_int_or_null(s, 8, m->reply_to);
    pg_bind_text(s, 9, m->content);
    return pg_queue(s);
}

/*
 * The number of columns of the macro MESSAGE of sql.c. A statement's further columns follow them.
 */
#define MESSAGE_COLUMNS 11

/* Fills *m from the columns that begin at `at`. Its strings are valid until pg_done(). */
static void
fill(struct pg_stmt *s, int at, struct message *m)
{
    int64_t place = pg_int(s, at);

    *m = (struct message){
        .id = pg_int(s, at + 1),
        .conversation = ids_conversation(place >> 32),
        .seq = place & 0xffffffff,
        .sender = pg_text(s, at + 2),
        .timestamp = pg_int(s, at + 3),
        .content = pg_text(s, at + 4),
        .client_id = pg_text(s, at + 5),
        .reply_to = pg_int(s, at + 6),
        .edited_at = pg_int(s, at + 7),
        .deleted_at = pg_int(s, at + 8),
        .emoji_count = (int)pg_int(s, at + 9),
        .changed_version = pg_int(s, at + 10),
    };
}

enum err
pg_messages_row(struct pg_stmt *s, int column, struct arena *arena, struct message *m)
{
    fill(s, column, m);
    return messages_keep(arena, m);
}

/* Steps to the next row of a statement whose columns are a message's, and reads it. */
static enum err
step_to(struct pg_stmt *s, struct arena *arena, struct message *m, bool *found)
{
    enum err err = pg_step(s, found);

    if (!*found)
        return err;
    return pg_messages_row(s, 0, arena, m);
}

/* Reads the message of a statement with at most one row, and ends the statement. */
static enum err
read_one(struct pg_stmt *s, const struct message_reader *r, struct message *m, bool *found)
{
    enum err err = step_to(s, r->arena, m, found);

    pg_done(s);
    return *found && err == ERR_OK ? pg_reactions_read(r->db, r->arena, r->viewer, m) : err;
}

/*
 * Binds a seq that is limited to valid ones. So the place computed from it is in the same
 * conversation, whatever the caller passes.
 */
static void
bind_seq(struct pg_stmt *s, int parameter, int64_t seq)
{
    pg_bind_int(s, parameter, ids_seq(seq));
}

enum err
pg_messages_get(const struct message_reader *r, int32_t conversation, int64_t seq, struct message *m,
                bool *found)
{
    struct pg_stmt *s = pg_use(r->db, PG_MESSAGE_GET);

    pg_bind_int(s, 1, conversation);
    bind_seq(s, 2, seq);
    return read_one(s, r, m, found);
}

/* Returns the places as numbers: 0, where no message is, for an absent one. */
static int64_t *
places_of(const struct message_batch *batch, struct arena *arena)
{
    int64_t *places = arena_alloc(arena, batch->place_count * sizeof(*places));

    for (size_t i = 0; places != NULL && i < batch->place_count; i++) {
        const struct message_place *p = &batch->places[i];

        places[i] = p->seq == 0 ? 0 : (int64_t)p->conversation << 32 | ids_seq(p->seq);
    }
    return places;
}

/* Reads the messages of the statement into their places of the batch, and ends the statement. */
static enum err
read_places(struct pg_stmt *s, struct arena *arena, struct message_batch *batch)
{
    enum err err = ERR_OK;

    while (pg_next(s, &err)) {
        int64_t n = pg_int(s, MESSAGE_COLUMNS);

        if (n < 1 || (uint64_t)n > batch->place_count)
            err = ERR_STORAGE;
        if (err == ERR_OK)
            err = pg_messages_row(s, 0, arena, &batch->messages[n - 1]);
        if (err != ERR_OK)
            break;
    }
    pg_done(s);
    return err;
}

enum err
pg_messages_at(const struct message_reader *r, struct message_batch *batch)
{
    struct pg_stmt *s = pg_use(r->db, PG_MESSAGE_AT);
    struct pg_reacted reacted = {.viewer = r->viewer};
    int64_t *places = places_of(batch, r->arena);
    size_t bytes = 0;
    enum err err;

    batch->count = 0;
    batch->messages = arena_alloc(r->arena, batch->place_count * sizeof(*batch->messages));
    if (batch->messages == NULL || places == NULL)
        return ERR_MEMORY;
    pg_bind_ints(s, 1, places, batch->place_count);
    err = read_places(s, r->arena, batch);
    for (size_t i = 0; err == ERR_OK && i < batch->place_count; i++)
        err = pg_reactions_note(r->arena, &reacted, &batch->messages[i]);
    if (err == ERR_OK)
        err = pg_reactions_read_all(r->db, r->arena, &reacted);
    while (err == ERR_OK && batch->count < batch->place_count && bytes <= MESSAGES_BATCH_BYTES)
        bytes += messages_bytes(&batch->messages[batch->count++]);
    return err;
}

enum err
pg_messages_by_id(const struct message_reader *r, int64_t id, struct message *m, bool *found)
{
    struct pg_stmt *s = pg_use(r->db, PG_MESSAGE_BY_ID);

    pg_bind_int(s, 1, id);
    return read_one(s, r, m, found);
}

enum err
pg_messages_head(struct db *db, struct arena *arena, int64_t id, struct message *m, bool *found)
{
    const struct pg_known_head *known = pg_ahead_head(db, id);
    struct pg_stmt *s;
    enum err err;

    if (known != NULL) {
        *found = known->found;
        *m = known->message;
        return known->found ? messages_keep(arena, m) : ERR_OK;
    }
    s = pg_use(db, PG_MESSAGE_HEAD);
    pg_bind_int(s, 1, id);
    err = step_to(s, arena, m, found);
    pg_done(s);
    return err;
}

enum err
pg_messages_content(struct db *db, struct arena *arena, struct message *m)
{
    struct pg_stmt *s = pg_use(db, PG_MESSAGE_CONTENT);
    bool row;
    enum err err;

    pg_bind_int(s, 1, m->conversation);
    pg_bind_int(s, 2, m->seq);
    err = pg_step(s, &row);
    if (row)
        m->content = arena_copy(arena, pg_text(s, 0));
    pg_done(s);
    if (err == ERR_OK && !row)
        return ERR_STORAGE;
    return err == ERR_OK && m->content.p == NULL ? ERR_MEMORY : err;
}

enum err
pg_messages_key(struct db *db, int64_t id, struct message_key *key, bool *found)
{
    const struct pg_known_head *known = pg_ahead_head(db, id);
    struct pg_stmt *s;
    enum err err;

    if (known != NULL) {
        const struct message *m = &known->message;

        *found = known->found;
        *key = (struct message_key){id, m->timestamp, m->conversation, m->seq};
        return ERR_OK;
    }
    s = pg_use(db, PG_MESSAGE_KEY);
    pg_bind_int(s, 1, id);
    err = pg_step(s, found);
    if (*found)
        *key = (struct message_key){id, pg_int(s, 0), ids_conversation(pg_int(s, 1)), pg_int(s, 2)};
    pg_done(s);
    return err;
}

enum err
pg_messages_by_client_id(const struct message_reader *r, struct str client_id, struct message *m,
                         int *fingerprint, bool *found)
{
    struct pg_stmt *s;
    enum err err;

    *fingerprint = -1;
    *found = false;
    if (pg_ahead_unused(r->db, r->viewer, client_id))
        return ERR_OK;
    s = pg_use(r->db, PG_MESSAGE_BY_CLIENT_ID);
    pg_bind_text(s, 1, r->viewer);
    pg_bind_text(s, 2, client_id);
    err = step_to(s, r->arena, m, found);
    if (*found && !pg_is_null(s, MESSAGE_COLUMNS))
        *fingerprint = (int)pg_int(s, MESSAGE_COLUMNS);
    pg_done(s);
    if (*found && err == ERR_OK)
        err = pg_reactions_read(r->db, r->arena, r->viewer, m);
    return err;
}

/*
 * Binds a fingerprint of the content that is about to go, if a repeat may have to be compared with
 * it.
 */
static void
bind_fingerprint(struct pg_stmt *s, int parameter, const struct message *m)
{
    if (m->client_id.p != NULL)
        pg_bind_int(s, parameter, messages_fingerprint(m->content));
    else
        pg_bind_text(s, parameter, (struct str){0});
}

enum err
pg_messages_edit(struct tx *tx, struct message *m, struct str content, int64_t version)
{
    struct pg_stmt *s = pg_use(tx->db, PG_MESSAGE_EDIT);

    pg_ahead_forget_head(tx->db, m->id);
    pg_bind_int(s, 1, m->conversation);
    pg_bind_int(s, 2, m->seq);
    pg_bind_text(s, 3, content);
    pg_bind_int(s, 4, tx->tick);
    pg_bind_int(s, 5, version);
    bind_fingerprint(s, 6, m);
    m->content = content;
    m->edited_at = tx->tick;
    m->changed_version = version;
    return pg_queue(s);
}

enum err
pg_messages_delete(struct tx *tx, struct message *m, int64_t version)
{
    struct pg_stmt *s = pg_use(tx->db, PG_MESSAGE_DELETE);
    enum err err;

    pg_ahead_forget_head(tx->db, m->id);
    pg_bind_int(s, 1, m->conversation);
    pg_bind_int(s, 2, m->seq);
    pg_bind_int(s, 3, tx->tick);
    pg_bind_int(s, 4, version);
    bind_fingerprint(s, 5, m);
    err = pg_queue(s);
    if (err == ERR_OK)
        err = pg_reactions_clear_all(tx, m);
    m->content = str_c("");
    m->edited_at = 0;
    m->deleted_at = tx->tick;
    m->changed_version = version;
    return err;
}

enum err
pg_messages_set_reacted(struct tx *tx, const struct message *m, int64_t version)
{
    struct pg_stmt *s = pg_use(tx->db, PG_MESSAGE_SET_REACTED);

    pg_ahead_forget_head(tx->db, m->id);
    pg_bind_int(s, 1, m->conversation);
    pg_bind_int(s, 2, m->seq);
    pg_bind_int(s, 3, m->emoji_count);
    pg_bind_int(s, 4, version);
    return pg_queue(s);
}

/*
 * Finds the first of the numbers range->after + 1 … range->until whose value is > `beyond`;
 * range->until + 1 if there is none. The server searches, so that it takes one round trip.
 */
static enum err
first_beyond(struct pg_stmt *s, const struct message_range *range, int64_t beyond, int64_t *first)
{
    bool row;
    enum err err;

    pg_bind_int(s, 1, range->after);
    pg_bind_int(s, 2, range->until);
    pg_bind_int(s, 3, beyond);
    err = pg_step(s, &row);
    *first = row ? pg_int(s, 0) : range->after + 1;
    pg_done(s);
    return err == ERR_OK && !row ? ERR_STORAGE : err;
}

/* Does the same for the seqs of a conversation. */
static enum err
first_seq_beyond(struct db *db, enum pg_sql sql, const struct message_range *range, int64_t beyond,
                 int64_t *seq)
{
    struct pg_stmt *s = pg_use(db, sql);

    *seq = range->after + 1;
    if (range->until <= range->after)
        return ERR_OK;
    pg_bind_int(s, 4, range->conversation);
    return first_beyond(s, range, beyond, seq);
}

enum err
pg_messages_first_after(struct db *db, const struct message_range *range, int64_t after, int64_t *seq)
{
    return first_seq_beyond(db, PG_MESSAGE_FIRST_AFTER, range, after, seq);
}

enum err
pg_messages_first_created_after(struct db *db, const struct message_range *range, int64_t version,
                                int64_t *seq)
{
    return first_seq_beyond(db, PG_MESSAGE_FIRST_CREATED_AFTER, range, version, seq);
}

enum err
pg_messages_page_before(struct db *db, struct message_page *page)
{
    struct pg_stmt *s = pg_use(db, PG_MESSAGE_BACK);
    bool row;
    enum err err;

    pg_bind_int(s, 1, page->conversation);
    bind_seq(s, 2, page->before);
    pg_bind_int(s, 3, page->limit);
    pg_bind_int(s, 4, (int64_t)page->bytes);
    pg_bind_int(s, 5, MESSAGES_EMOJI_BYTES);
    pg_bind_int(s, 6, MESSAGES_NAME_BYTES);
    err = pg_step(s, &row);
    page->first = row ? pg_int_or(s, 0, page->before) : page->before;
    pg_done(s);
    return err;
}

enum err
pg_messages_keys(struct db *db, struct key_walk *walk)
{
    struct pg_stmt *s = pg_use(db, PG_MESSAGE_KEYS);
    enum err err = ERR_OK;

    walk->count = 0;
    walk->later = false;
    pg_bind_int(s, 1, walk->conversation);
    bind_seq(s, 2, walk->after);
    bind_seq(s, 3, walk->until);
    pg_bind_int(s, 4, walk->rows);
    while (walk->count < (size_t)walk->rows && pg_next(s, &err)) {
        struct message_key key = {pg_int(s, 0), pg_int(s, 1), walk->conversation, pg_int(s, 2)};

        walk->later = key.timestamp > walk->no_later;
        if (walk->later)
            break;
        walk->keys[walk->count++] = key;
        walk->after = key.seq;
    }
    pg_done(s);
    return err;
}

/* Returns the last message's id in *id; 0 if there is none. */
static enum err
last_id(struct db *db, int64_t *id)
{
    struct pg_stmt *s = pg_use(db, PG_MESSAGE_LAST_ID);
    bool row;
    enum err err = pg_step(s, &row);

    *id = row ? pg_int(s, 0) : 0;
    pg_done(s);
    return err;
}

/* Returns the id of the first message after the moment, or the id after the last one. */
static enum err
find_first_since(struct db *db, int64_t after, int64_t *first)
{
    struct message_range everything = {0};
    enum err err = last_id(db, &everything.until);

    *first = 1;
    if (err != ERR_OK || everything.until == 0)
        return err;
    return first_beyond(pg_use(db, PG_MESSAGE_FIRST_BY_ID), &everything, after, first);
}

/* Returns the statement of the walk's next batch, with its parameters bound. */
static struct pg_stmt *
use_for_search(struct db *db, const struct message_search *search)
{
    bool receipts = search->viewer.p != NULL;
    struct pg_stmt *s = pg_use(db, receipts ? PG_MESSAGE_FROM_FOR : PG_MESSAGE_FROM);

    pg_bind_int(s, 1, search->from);
    pg_bind_int(s, 2, search->rows + 1);
    if (receipts)
        pg_bind_text(s, 3, search->viewer);
    return s;
}

enum err
pg_messages_since(struct db *db, struct message_search *search)
{
    struct message_key *key;
    struct pg_stmt *s;
    enum err err = search->from == 0 ? find_first_since(db, search->after, &search->from) : ERR_OK;

    search->count = 0;
    search->all = true;
    if (err != ERR_OK)
        return err;
    s = use_for_search(db, search);
    while (pg_next(s, &err)) {
        search->all = search->count < (size_t)search->rows;
        if (!search->all)
            break;
        key = &search->keys[search->count];
        *key = (struct message_key){pg_int(s, 0), pg_int(s, 1), ids_conversation(pg_int(s, 2)), pg_int(s, 3)};
        if (search->viewer.p != NULL)
            search->receipts[search->count] = (enum receipt)pg_int_or(s, 4, RECEIPT_NO);
        search->from = key->id + 1;
        search->count++;
    }
    pg_done(s);
    return err;
}

static const enum pg_sql walks[] = {
    [MESSAGES_BY_SEQ] = PG_MESSAGE_RANGE,
    [MESSAGES_BY_CREATION] = PG_MESSAGE_CREATED_FROM,
    [MESSAGES_BY_CHANGE] = PG_MESSAGE_CHANGED,
};

/* Adds the current row to the batch. */
static enum err
add_step(struct pg_stmt *s, const struct message_reader *r, struct message_walk *walk,
         struct pg_reacted *reacted)
{
    struct message_step *step = &walk->steps[walk->count++];
    struct message *m = &step->message;
    enum err err;

    fill(s, 0, m);
    if (walk->order != MESSAGES_BY_SEQ)
        step->version = pg_int(s, MESSAGE_COLUMNS);
    if (walk->order == MESSAGES_BY_CREATION && pg_int(s, MESSAGE_COLUMNS + 1) != 0) {
        *m = (struct message){.conversation = m->conversation, .seq = m->seq};
        step->changed_since = true;
        return ERR_OK;
    }
    err = messages_keep(r->arena, m);
    return err == ERR_OK ? pg_reactions_note(r->arena, reacted, m) : err;
}

/* Ends the batch where it exceeds MESSAGES_BATCH_BYTES, and moves the walk on. */
static void
cut(struct message_walk *walk)
{
    size_t count = 0;
    size_t bytes = 0;

    while (count < walk->count && bytes <= MESSAGES_BATCH_BYTES)
        bytes += messages_bytes(&walk->steps[count++].message);
    walk->count = count;
    if (count > 0 && walk->order == MESSAGES_BY_CHANGE)
        walk->from = walk->steps[count - 1].version;
    else if (count > 0)
        walk->from = walk->steps[count - 1].message.seq + 1;
}

enum err
pg_messages_walk(const struct message_reader *r, struct message_walk *walk)
{
    struct pg_stmt *s = pg_use(r->db, walks[walk->order]);
    struct pg_reacted reacted = {.viewer = r->viewer};
    enum err err = ERR_OK;

    walk->count = 0;
    walk->steps = arena_alloc(r->arena, (size_t)walk->rows * sizeof(*walk->steps));
    if (walk->steps == NULL)
        return ERR_MEMORY;
    /* bind_seq() would turn it into the last possible message. */
    if (walk->order != MESSAGES_BY_CHANGE && walk->from > SEQ_MAX)
        return ERR_OK;
    pg_bind_int(s, 1, walk->conversation);
    if (walk->order == MESSAGES_BY_CHANGE)
        pg_bind_int(s, 2, walk->from);
    else
        bind_seq(s, 2, walk->from);
    pg_bind_int(s, 3, walk->rows);
    while (walk->count < (size_t)walk->rows && pg_next(s, &err)) {
        err = add_step(s, r, walk, &reacted);
        if (err != ERR_OK)
            break;
    }
    pg_done(s);
    if (err == ERR_OK)
        err = pg_reactions_read_all(r->db, r->arena, &reacted);
    cut(walk);
    return err;
}
