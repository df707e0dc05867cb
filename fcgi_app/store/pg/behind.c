/* behind.c - see behind.h. Must not know why something is written. */
#include "store/pg/behind.h"

#include <stdlib.h>
#include "store/pg/instance.h"

#define MESSAGE_INTS 7
#define CHANGE_INTS  8

/* The rows that are held back: for each column one list, which becomes one parameter. */
struct pg_behind {
    int64_t *message_ints[MESSAGE_INTS];
    struct str *client_ids;
    struct str *contents;
    size_t message_count;
    int64_t *change_ints[CHANGE_INTS];
    struct str *events;
    struct str *emoji;
    size_t change_count;
};

enum err
pg_behind_new(struct pg_behind **out)
{
    *out = calloc(1, sizeof(**out));
    return *out == NULL ? ERR_MEMORY : ERR_OK;
}

void
pg_behind_free(struct pg_behind *b)
{
    free(b);
}

void
pg_behind_reset(struct db *db)
{
    *pg_ahead(db)->behind = (struct pg_behind){0};
    pg_release(db);
}

/* --- sending */

static enum err
send_bumps(struct db *db)
{
    struct pg_ahead *a = pg_ahead(db);
    int64_t *columns = arena_alloc(&a->arena, 6 * a->conversation_count * sizeof(*columns));
    struct pg_stmt *s;
    size_t n = 0;

    if (columns == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < a->conversation_count; i++) {
        struct pg_known_conversation *known = &a->conversations[i];
        const struct conversation *c = &known->row;
        const int64_t values[6] = {c->id,         c->last_seq,     c->version,
                                   c->updated_at, c->member_count, c->engine_mark};

        if (!known->bumped)
            continue;
        for (size_t k = 0; k < 6; k++)
            columns[k * a->conversation_count + n] = values[k];
        known->bumped = false;
        n++;
    }
    if (n == 0)
        return ERR_OK;
    s = pg_use(db, PG_BEHIND_BUMPS);
    for (int k = 0; k < 6; k++)
        pg_bind_ints(s, k + 1, columns + (size_t)k * a->conversation_count, n);
    return pg_queue(s);
}

static enum err
send_markers(struct db *db)
{
    struct pg_ahead *a = pg_ahead(db);
    int64_t *columns = arena_alloc(&a->arena, 4 * a->marker_count * sizeof(*columns));
    struct pg_stmt *s;
    size_t n = 0;

    if (columns == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < a->marker_count; i++) {
        struct pg_known_marker *known = &a->markers[i];

        if (!known->moved)
            continue;
        columns[n] = known->conversation;
        columns[a->marker_count + n] = pg_ahead_account(db, known->username)->id;
        columns[2 * a->marker_count + n] = known->seq;
        columns[3 * a->marker_count + n] = known->moved_at;
        known->moved = false;
        n++;
    }
    if (n == 0)
        return ERR_OK;
    s = pg_use(db, PG_BEHIND_MARKERS);
    for (int k = 0; k < 4; k++)
        pg_bind_ints(s, k + 1, columns + (size_t)k * a->marker_count, n);
    return pg_queue(s);
}

static enum err
send_messages(struct db *db)
{
    struct pg_behind *b = pg_ahead(db)->behind;
    struct pg_stmt *s = pg_use(db, PG_BEHIND_MESSAGES);

    if (b->message_count == 0)
        return ERR_OK;
    for (int k = 0; k < MESSAGE_INTS; k++)
        pg_bind_ints(s, k + 1, b->message_ints[k], b->message_count);
    pg_bind_texts(s, MESSAGE_INTS + 1, b->client_ids, b->message_count);
    pg_bind_texts(s, MESSAGE_INTS + 2, b->contents, b->message_count);
    b->message_count = 0;
    return pg_queue(s);
}

static enum err
send_changes(struct db *db)
{
    struct pg_behind *b = pg_ahead(db)->behind;
    struct pg_stmt *s = pg_use(db, PG_BEHIND_CHANGES);

    if (b->change_count == 0)
        return ERR_OK;
    for (int k = 0; k < CHANGE_INTS; k++)
        pg_bind_ints(s, k + 1, b->change_ints[k], b->change_count);
    pg_bind_texts(s, CHANGE_INTS + 1, b->events, b->change_count);
    pg_bind_texts(s, CHANGE_INTS + 2, b->emoji, b->change_count);
    b->change_count = 0;
    return pg_queue(s);
}

/* The rows do not refer to each other, so their order does not matter. */
static enum err
send_held(struct db *db)
{
    enum err err;

    pg_release(db);
    err = send_bumps(db);
    if (err == ERR_OK)
        err = send_markers(db);
    if (err == ERR_OK)
        err = send_messages(db);
    return err == ERR_OK ? send_changes(db) : err;
}

/* --- holding back */

bool
pg_behind_bump(struct tx *tx, const struct conversation *c)
{
    struct pg_known_conversation *known = pg_ahead_conversation(tx->db, c->id);

    if (known == NULL || !known->found)
        return false;
    known->row.last_seq = c->last_seq;
    known->row.version = c->version;
    known->row.updated_at = c->updated_at;
    known->row.member_count = c->member_count;
    known->row.engine_mark = c->engine_mark;
    known->bumped = true;
    pg_hold_back(tx->db, send_held);
    return true;
}

bool
pg_behind_mark(struct tx *tx, int32_t conversation, struct str username, int64_t seq)
{
    struct pg_known_marker *known = pg_ahead_marker(tx->db, conversation, username);
    const struct pg_known_account *account = pg_ahead_account(tx->db, username);

    if (known == NULL || account == NULL || account->id == 0)
        return false;
    known->seq = seq;
    known->moved_at = tx->tick;
    known->moved = true;
    pg_hold_back(tx->db, send_held);
    return true;
}

/* Adds a row to lists of integers. False: out of memory. */
static bool
add_row(struct arena *arena, int64_t **ints, size_t int_count, const int64_t *values, size_t n)
{
    for (size_t k = 0; k < int_count; k++) {
        ints[k] = arena_grow(arena, ints[k], n, sizeof(**ints));
        if (ints[k] == NULL)
            return false;
        ints[k][n] = values[k];
    }
    return true;
}

static bool
add_text(struct arena *arena, struct str **texts, struct str value, size_t n)
{
    *texts = arena_grow(arena, *texts, n, sizeof(**texts));
    if (*texts == NULL)
        return false;
    (*texts)[n] = value;
    /* The caller's text may be freed before this is sent. */
    if (value.p != NULL)
        (*texts)[n] = arena_copy(arena, value);
    return value.p == NULL || (*texts)[n].p != NULL;
}

bool
pg_behind_message(struct tx *tx, const struct message *m, int64_t version)
{
    struct pg_known_conversation *c = pg_ahead_conversation(tx->db, m->conversation);
    const struct pg_known_account *sender = pg_ahead_account(tx->db, m->sender);
    struct pg_behind *b;
    int64_t run = 0;

    if (c == NULL || !c->last_known || sender == NULL || sender->id == 0) {
        /* The entry will not describe the message being added, which becomes the newest. */
        if (c != NULL)
            c->last_known = false;
        return false;
    }
    if (c->last_sender == sender->id)
        run = (c->last_run == 0 ? 1 : c->last_run) + 1;
    b = pg_ahead(tx->db)->behind;
    if (!add_row(&pg_ahead(tx->db)->arena, b->message_ints, MESSAGE_INTS,
                 (const int64_t[MESSAGE_INTS]){(int64_t)m->conversation << 32 | m->seq, m->id, sender->id,
                                               m->timestamp, version, m->reply_to, run},
                 b->message_count) ||
        !add_text(&pg_ahead(tx->db)->arena, &b->client_ids, m->client_id, b->message_count) ||
        !add_text(&pg_ahead(tx->db)->arena, &b->contents, m->content, b->message_count)) {
        c->last_known = false;
        return false;
    }
    c->last_sender = sender->id;
    c->last_run = run;
    b->message_count++;
    pg_hold_back(tx->db, send_held);
    return true;
}

bool
pg_behind_change(struct tx *tx, const struct change *what)
{
    const struct pg_known_account *account = pg_ahead_account(tx->db, what->username);
    struct pg_behind *b;

    if (pg_ahead(tx->db) == NULL || (what->username.p != NULL && (account == NULL || account->id == 0)))
        return false;
    b = pg_ahead(tx->db)->behind;
    if (!add_row(&pg_ahead(tx->db)->arena, b->change_ints, CHANGE_INTS,
                 (const int64_t[CHANGE_INTS]){what->id, what->conversation, what->version, what->tick,
                                              what->seq, what->username.p == NULL ? 0 : account->id,
                                              what->added, (int64_t)tx->payer},
                 b->change_count) ||
        !add_text(&pg_ahead(tx->db)->arena, &b->events, str_c(change_event_names[what->event]),
                  b->change_count) ||
        !add_text(&pg_ahead(tx->db)->arena, &b->emoji, what->emoji, b->change_count))
        return false;
    b->change_count++;
    pg_hold_back(tx->db, send_held);
    return true;
}
