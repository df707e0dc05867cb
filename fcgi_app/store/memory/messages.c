/* messages.c - see store/messages.h. Must not know who may read, send or change what. */
#include "store/memory/engine.h"

#include <stdlib.h>
#include "store/memory/declared.h"
#include "store/reactions.h"

/*
 * Returns the index of the conversation's first message from `seq` on, or of the row after its
 * last.
 */
static size_t
find_from(const struct db *db, int32_t conversation, int64_t seq)
{
    const struct message_row wanted = {.message = {.conversation = conversation, .seq = seq}};

    return table_find(state_table(db, MESSAGE), &wanted);
}

/* Returns row i if it is a message of the conversation, else NULL. */
static const struct message_row *
row_in(const struct db *db, size_t i, int32_t conversation)
{
    const struct table *t = state_table(db, MESSAGE);
    const struct message_row *row = i < t->count ? table_row(t, i) : NULL;

    return row != NULL && row->message.conversation == conversation ? row : NULL;
}

/* Returns the message that the sender sent under the key; NULL: there is none. */
static const struct message_row *
find_by_client_id(const struct db *db, struct str sender, struct str client_id)
{
    const struct table *t = state_table(db, MESSAGE);

    for (size_t i = 0; i < t->count; i++) {
        const struct message_row *row = table_row(t, i);

        if (row->message.client_id.p != NULL && str_eq(row->message.client_id, client_id) &&
            str_eq(row->message.sender, sender))
            return row;
    }
    return NULL;
}

static enum err
keep_strings(struct db *db, struct message *m)
{
    enum err err = state_keep(db, &m->sender);

    if (err == ERR_OK)
        err = state_keep(db, &m->content);
    return err == ERR_OK ? state_keep(db, &m->client_id) : err;
}

enum err
memory_messages_add(struct tx *tx, struct message *m, int64_t version)
{
    struct id_row id = {{0, m->timestamp, m->conversation, m->seq}};
    struct message_row row = {
        .message =
            {
                .conversation = m->conversation,
                .seq = m->seq,
                .timestamp = m->timestamp,
                .sender = m->sender,
                .content = m->content,
                .client_id = m->client_id,
                .reply_to = m->reply_to,
            },
        .version = version,
        .fingerprint = -1,
    };
    enum err err;

    if (!state_has_account(tx->db, m->sender))
        return ERR_STORAGE;
    if (m->client_id.p != NULL && find_by_client_id(tx->db, m->sender, m->client_id) != NULL)
        return ERR_STORAGE;
    m->id = ++tx->counters->last_message_id;
    row.message.id = m->id;
    id.key.id = m->id;
    err = keep_strings(tx->db, &row.message);
    if (err == ERR_OK)
        err = state_add(tx->db, ID, &id);
    return err == ERR_OK ? state_add(tx->db, MESSAGE, &row) : err;
}

/* --- one message */

/* Copies the row's message, without reactions; strings into the arena. */
static enum err
copy(struct arena *arena, const struct message_row *row, struct message *m)
{
    *m = row->message;
    return messages_keep(arena, m);
}

/* Copies the row's message with its reactions. NULL: *found is false. */
static enum err
read_row(const struct message_reader *r, const struct message_row *row, struct message *m, bool *found)
{
    enum err err = row == NULL ? ERR_OK : copy(r->arena, row, m);

    *found = row != NULL;
    return err == ERR_OK && *found ? memory_reactions_read(r->db, r->arena, r->viewer, m) : err;
}

static const struct message_row *
find_by_id(const struct db *db, int64_t id)
{
    const struct id_row wanted = {.key = {.id = id}};
    const struct id_row *row = table_get(state_table(db, ID), &wanted);

    return row == NULL ? NULL : state_message(db, row->key.conversation, row->key.seq);
}

enum err
memory_messages_get(const struct message_reader *r, int32_t conversation, int64_t seq, struct message *m,
                    bool *found)
{
    declared_open(r->db, __func__);
    return read_row(r, state_message(r->db, conversation, seq), m, found);
}

enum err
memory_messages_at(const struct message_reader *r, struct message_batch *batch)
{
    size_t bytes = 0;
    enum err err = ERR_OK;

    declared_open(r->db, __func__);
    batch->count = 0;
    batch->messages = arena_alloc(r->arena, batch->place_count * sizeof(*batch->messages));
    if (batch->messages == NULL)
        return ERR_MEMORY;
    while (err == ERR_OK && batch->count < batch->place_count && bytes <= MESSAGES_BATCH_BYTES) {
        const struct message_place *place = &batch->places[batch->count];
        struct message *m = &batch->messages[batch->count++];
        bool found;

        err = read_row(r, state_message(r->db, place->conversation, place->seq), m, &found);
        bytes += messages_bytes(m);
    }
    return err;
}

enum err
memory_messages_by_id(const struct message_reader *r, int64_t id, struct message *m, bool *found)
{
    declared_content(r->db, __func__, id);
    return read_row(r, find_by_id(r->db, id), m, found);
}

enum err
memory_messages_head(struct db *db, struct arena *arena, int64_t id, struct message *m, bool *found)
{
    const struct message_row *row = find_by_id(db, id);
    enum err err = row == NULL ? ERR_OK : copy(arena, row, m);

    declared_head(db, __func__, id);
    *found = row != NULL;
    if (*found)
        m->content = str_c("");
    return err;
}

enum err
memory_messages_content(struct db *db, struct arena *arena, struct message *m)
{
    const struct message_row *row = state_message(db, m->conversation, m->seq);

    declared_content(db, __func__, m->id);
    if (row == NULL)
        return ERR_STORAGE;
    m->content = arena_copy(arena, row->message.content);
    return m->content.p == NULL ? ERR_MEMORY : ERR_OK;
}

enum err
memory_messages_key(struct db *db, int64_t id, struct message_key *key, bool *found)
{
    const struct message_row *row = find_by_id(db, id);

    declared_place(db, __func__, id);
    *found = row != NULL;
    if (*found)
        *key = (struct message_key){id, row->message.timestamp, row->message.conversation, row->message.seq};
    return ERR_OK;
}

enum err
memory_messages_by_client_id(const struct message_reader *r, struct str client_id, struct message *m,
                             int *fingerprint, bool *found)
{
    const struct message_row *row = find_by_client_id(r->db, r->viewer, client_id);

    declared_sent(r->db, __func__, r->viewer, client_id);
    *fingerprint = row == NULL ? -1 : row->fingerprint;
    return read_row(r, row, m, found);
}

/* --- changing one */

/* Finds the message's row and notes it for undo. */
static enum err
begin_change(struct tx *tx, const struct message *m, struct message_row **row)
{
    *row = state_message(tx->db, m->conversation, m->seq);
    return *row == NULL ? ERR_STORAGE : state_change(tx->db, MESSAGE, *row);
}

static void
note_fingerprint(struct message_row *row)
{
    if (row->message.client_id.p != NULL && row->fingerprint == -1)
        row->fingerprint = messages_fingerprint(row->message.content);
}

enum err
memory_messages_edit(struct tx *tx, struct message *m, struct str content, int64_t version)
{
    struct message_row *row;
    struct str kept = content;
    enum err err = begin_change(tx, m, &row);

    if (err == ERR_OK)
        err = state_keep(tx->db, &kept);
    if (err != ERR_OK)
        return err;
    note_fingerprint(row);
    m->content = content;
    m->edited_at = tx->tick;
    m->changed_version = version;
    row->message.content = kept;
    row->message.edited_at = tx->tick;
    row->message.changed_version = version;
    return ERR_OK;
}

enum err
memory_messages_delete(struct tx *tx, struct message *m, int64_t version)
{
    struct message_row *row;
    enum err err = begin_change(tx, m, &row);

    if (err == ERR_OK)
        err = memory_reactions_clear_all(tx, m);
    if (err != ERR_OK)
        return err;
    note_fingerprint(row);
    m->content = str_c("");
    m->edited_at = 0;
    m->deleted_at = tx->tick;
    m->changed_version = version;
    row->message.content = str_c("");
    row->message.edited_at = 0;
    row->message.deleted_at = tx->tick;
    row->message.changed_version = version;
    row->message.emoji_count = 0;
    return ERR_OK;
}

enum err
memory_messages_set_reacted(struct tx *tx, const struct message *m, int64_t version)
{
    struct message_row *row;
    enum err err = begin_change(tx, m, &row);

    if (err != ERR_OK)
        return err;
    row->message.emoji_count = m->emoji_count;
    row->message.changed_version = version;
    return ERR_OK;
}

/* --- finding by a value that never falls */

static int64_t
timestamp_of(const struct message_row *row)
{
    return row->message.timestamp;
}

static int64_t
version_of(const struct message_row *row)
{
    return row->version;
}

/* Finds the first seq of the range whose value is > after; range->until + 1 if there is none. */
static enum err
first_beyond(const struct db *db, const struct message_range *range,
             int64_t (*value_of)(const struct message_row *row), int64_t after, int64_t *seq)
{
    int64_t low = range->after + 1;
    int64_t end = range->until + 1;

    while (low < end) {
        int64_t middle = low + (end - low) / 2;
        const struct message_row *row = state_message(db, range->conversation, middle);

        if (row == NULL)
            return ERR_STORAGE;
        if (value_of(row) <= after)
            low = middle + 1;
        else
            end = middle;
    }
    *seq = low;
    return ERR_OK;
}

enum err
memory_messages_first_after(struct db *db, const struct message_range *range, int64_t after, int64_t *seq)
{
    declared_open(db, __func__);
    return first_beyond(db, range, timestamp_of, after, seq);
}

enum err
memory_messages_first_created_after(struct db *db, const struct message_range *range, int64_t version,
                                    int64_t *seq)
{
    declared_open(db, __func__);
    return first_beyond(db, range, version_of, version, seq);
}

/* --- many */

/*
 * Adds the approximate size of the message in an answer, with its reactions. Does not copy the
 * content.
 */
static enum err
weigh(struct db *db, struct arena *arena, const struct message_row *row, size_t *bytes)
{
    struct message m = row->message;
    enum err err = memory_reactions_read(db, arena, (struct str){0}, &m);

    *bytes += messages_bytes(&m);
    return err;
}

enum err
memory_messages_page_before(struct db *db, struct message_page *page)
{
    struct arena arena;
    size_t sum = 0;
    size_t i = find_from(db, page->conversation, page->before);
    enum err err = ERR_OK;

    declared_open(db, __func__);
    arena_init(&arena);
    page->first = page->before;
    for (int n = 0; err == ERR_OK && n < page->limit && sum <= page->bytes && i > 0; n++) {
        const struct message_row *row = row_in(db, --i, page->conversation);

        if (row == NULL)
            break;
        page->first = row->message.seq;
        err = weigh(db, &arena, row, &sum);
    }
    arena_clear(&arena);
    return err;
}

enum err
memory_messages_keys(struct db *db, struct key_walk *walk)
{
    const struct message_row *row;
    size_t i;

    declared_open(db, __func__);
    walk->count = 0;
    walk->later = false;
    if (walk->after >= walk->until)
        return ERR_OK;
    i = find_from(db, walk->conversation, walk->after + 1);
    for (; walk->count < (size_t)walk->rows && (row = row_in(db, i, walk->conversation)) != NULL; i++) {
        const struct message *m = &row->message;

        if (m->seq > walk->until)
            break;
        walk->later = m->timestamp > walk->no_later;
        if (walk->later)
            break;
        walk->keys[walk->count++] = (struct message_key){m->id, m->timestamp, m->conversation, m->seq};
        walk->after = m->seq;
    }
    return ERR_OK;
}

/* Returns whether the user received the message, by their last stay there. */
static enum receipt
receipt_of(struct db *db, const struct message_key *key, struct str username)
{
    struct stay last;
    bool found;

    if (memory_memberships_last(db, key->conversation, username, &last, &found) != ERR_OK || !found)
        return RECEIPT_NO;
    if (key->seq <= last.after)
        return RECEIPT_EARLIER;
    return key->seq <= last.until ? RECEIPT_YES : RECEIPT_NO;
}

enum err
memory_messages_since(struct db *db, struct message_search *search)
{
    const struct table *t = state_table(db, ID);

    declared_open(db, __func__);
    search->count = 0;
    search->all = true;
    for (size_t i = 0; i < t->count && search->all; i++) {
        const struct id_row *row = table_row(t, i);

        if (row->key.id < search->from || row->key.timestamp <= search->after)
            continue;
        search->all = search->count < (size_t)search->rows;
        if (!search->all)
            break;
        if (search->viewer.p != NULL)
            search->receipts[search->count] = receipt_of(db, &row->key, search->viewer);
        search->keys[search->count++] = row->key;
        search->from = row->key.id + 1;
    }
    return ERR_OK;
}

/* --- walks */

static bool
by_change(const struct message_walk *walk)
{
    return walk->order == MESSAGES_BY_CHANGE;
}

/* Returns what the walk orders the row by; 0: the row is not in the walk. */
static int64_t
place_in_walk(const struct message_walk *walk, const struct message_row *row)
{
    const struct message *m = &row->message;

    if (by_change(walk))
        return m->changed_version > walk->from ? m->changed_version : 0;
    return m->seq;
}

static int
by_version(const void *a, const void *b)
{
    const struct message_row *const *x = a;
    const struct message_row *const *y = b;

    return ((*x)->message.changed_version > (*y)->message.changed_version) -
           ((*x)->message.changed_version < (*y)->message.changed_version);
}

/*
 * Returns the rows that the walk has not come to yet, in its order, from the arena. NULL: out of
 * memory.
 */
static const struct message_row **
find_steps(const struct message_reader *r, const struct message_walk *walk, size_t *count)
{
    size_t first = find_from(r->db, walk->conversation, by_change(walk) ? 0 : walk->from);
    const struct message_row **rows = arena_alloc(r->arena, sizeof(struct message_row *));
    const struct message_row *row;

    *count = 0;
    for (size_t i = first; rows != NULL && (row = row_in(r->db, i, walk->conversation)) != NULL; i++) {
        if (place_in_walk(walk, row) == 0)
            continue;
        rows = arena_grow(r->arena, *count == 0 ? NULL : rows, *count, sizeof(struct message_row *));
        if (rows != NULL)
            rows[(*count)++] = row;
        if (!by_change(walk) && *count == (size_t)walk->rows)
            break;
    }
    if (rows != NULL && by_change(walk))
        qsort(rows, *count, sizeof(struct message_row *), by_version);
    return rows;
}

/* Takes the row into the batch. */
static enum err
add_step(const struct message_reader *r, const struct message_row *row, struct message_walk *walk)
{
    struct message_step *step = &walk->steps[walk->count++];
    const struct message *m = &row->message;
    bool found;

    if (walk->order != MESSAGES_BY_SEQ)
        step->version = by_change(walk) ? m->changed_version : row->version;
    walk->from = by_change(walk) ? m->changed_version : m->seq + 1;
    step->changed_since = walk->order == MESSAGES_BY_CREATION && m->changed_version != 0;
    if (!step->changed_since)
        return read_row(r, row, &step->message, &found);
    step->message = (struct message){.conversation = m->conversation, .seq = m->seq};
    return ERR_OK;
}

enum err
memory_messages_walk(const struct message_reader *r, struct message_walk *walk)
{
    size_t count;
    size_t bytes = 0;
    const struct message_row **rows = find_steps(r, walk, &count);
    enum err err = ERR_OK;

    declared_open(r->db, __func__);
    walk->count = 0;
    walk->steps = arena_alloc(r->arena, (size_t)walk->rows * sizeof(*walk->steps));
    if (rows == NULL || walk->steps == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; err == ERR_OK && i < count && i < (size_t)walk->rows; i++) {
        err = add_step(r, rows[i], walk);
        bytes += messages_bytes(&walk->steps[i].message);
        if (bytes > MESSAGES_BATCH_BYTES)
            break;
    }
    return err;
}
