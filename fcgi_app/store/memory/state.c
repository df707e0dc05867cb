/* state.c - see state.h. Must not know what the tables mean, except for their keys. */
#include "store/memory/engine.h"
#include "store/memory/state.h"

#include <stdlib.h>
#include <string.h>

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int
by_account(const void *a, const void *b)
{
    return str_cmp(((const struct account_row *)a)->name, ((const struct account_row *)b)->name);
}

static int
by_conversation(const void *a, const void *b)
{
    const struct conversation_row *x = a;
    const struct conversation_row *y = b;

    return ORDER(x->conversation.id, y->conversation.id);
}

static int
by_creation(const void *a, const void *b)
{
    const struct creation_row *x = a;
    const struct creation_row *y = b;
    int order = str_cmp(x->creator, y->creator);

    return order != 0 ? order : str_cmp(x->client_id, y->client_id);
}

static int
by_stay(const void *a, const void *b)
{
    const struct stay_row *x = a;
    const struct stay_row *y = b;
    int order = ORDER(x->conversation, y->conversation);

    if (order == 0)
        order = str_cmp(x->username, y->username);
    return order != 0 ? order : ORDER(x->joined_version, y->joined_version);
}

static int
by_marker(const void *a, const void *b)
{
    const struct marker_row *x = a;
    const struct marker_row *y = b;
    int order = ORDER(x->conversation, y->conversation);

    return order != 0 ? order : str_cmp(x->username, y->username);
}

static int
by_message(const void *a, const void *b)
{
    const struct message_row *x = a;
    const struct message_row *y = b;
    int order = ORDER(x->message.conversation, y->message.conversation);

    return order != 0 ? order : ORDER(x->message.seq, y->message.seq);
}

static int
by_id(const void *a, const void *b)
{
    return ORDER(((const struct id_row *)a)->key.id, ((const struct id_row *)b)->key.id);
}

static int
by_reaction(const void *a, const void *b)
{
    const struct reaction_row *x = a;
    const struct reaction_row *y = b;
    int order = ORDER(x->conversation, y->conversation);

    if (order == 0)
        order = ORDER(x->seq, y->seq);
    if (order == 0)
        order = str_cmp(x->emoji, y->emoji);
    return order != 0 ? order : str_cmp(x->username, y->username);
}

static int
by_change(const void *a, const void *b)
{
    return ORDER(((const struct outbox_row *)a)->change.id, ((const struct outbox_row *)b)->change.id);
}

static const struct table empty[TABLE_COUNT] = {
    [ACCOUNT] = {.row_bytes = sizeof(struct account_row), .order = by_account},
    [CONVERSATION] = {.row_bytes = sizeof(struct conversation_row), .order = by_conversation},
    [CREATION] = {.row_bytes = sizeof(struct creation_row), .order = by_creation},
    [STAY] = {.row_bytes = sizeof(struct stay_row), .order = by_stay},
    [MARKER] = {.row_bytes = sizeof(struct marker_row), .order = by_marker},
    [MESSAGE] = {.row_bytes = sizeof(struct message_row), .order = by_message},
    [ID] = {.row_bytes = sizeof(struct id_row), .order = by_id},
    [REACTION] = {.row_bytes = sizeof(struct reaction_row), .order = by_reaction},
    [OUTBOX] = {.row_bytes = sizeof(struct outbox_row), .order = by_change},
};

struct state *
state_new(struct arena *bytes)
{
    struct state *state = calloc(1, sizeof(*state));

    if (state == NULL)
        return NULL;
    memcpy(state->tables, empty, sizeof(empty));
    state->face.engine = &memory_engine;
    state->bytes = bytes;
    atomic_init(&state->users, 1);
    return state;
}

struct state *
state_copy(const struct state *state)
{
    struct state *copy = state_new(state->bytes);

    if (copy == NULL)
        return NULL;
    copy->instance = state->instance;
    for (int t = 0; t < TABLE_COUNT; t++)
        if (table_copy(&copy->tables[t], &state->tables[t]) != ERR_OK) {
            state_leave(copy);
            return NULL;
        }
    return copy;
}

void
state_leave(struct state *state)
{
    if (state == NULL || atomic_fetch_sub(&state->users, 1) > 1)
        return;
    for (int t = 0; t < TABLE_COUNT; t++)
        table_clear(&state->tables[t]);
    arena_clear(&state->noted);
    free(state->changes);
    free(state);
}

enum err
state_keep(struct db *db, struct str *text)
{
    if (text->p == NULL)
        return ERR_OK;
    *text = arena_copy(state_of(db)->bytes, *text);
    return text->p == NULL ? ERR_MEMORY : ERR_OK;
}

/* Notes a change for undo, with copies of the rows. */
static enum err
note(struct db *db, enum table_name table, const void *old, const void *new)
{
    struct state *state = state_of(db);
    size_t bytes = state->tables[table].row_bytes;
    unsigned char *copies = arena_alloc(&state->noted, 2 * bytes);

    if (state->change_count == state->change_room) {
        size_t room = state->change_room * 2 + 16;
        struct undo *changes = realloc(state->changes, room * sizeof(*changes));

        if (changes == NULL)
            return ERR_MEMORY;
        state->changes = changes;
        state->change_room = room;
    }
    if (copies == NULL)
        return ERR_MEMORY;
    if (old != NULL)
        memcpy(copies, old, bytes);
    if (new != NULL)
        memcpy(copies + bytes, new, bytes);
    state->changes[state->change_count++] =
        (struct undo){table, old == NULL ? NULL : copies, new == NULL ? NULL : copies + bytes};
    return ERR_OK;
}

enum err
state_add(struct db *db, enum table_name table, const void *row)
{
    struct state *state = state_of(db);
    enum err err = table_get(&state->tables[table], row) != NULL ? ERR_STORAGE : ERR_OK;

    if (err == ERR_OK)
        err = note(db, table, NULL, row);
    if (err == ERR_OK)
        err = table_insert(&state->tables[table], row);
    else
        return err;
    if (err != ERR_OK)
        state->change_count--;
    return err;
}

enum err
state_change(struct db *db, enum table_name table, const void *row)
{
    return note(db, table, row, row);
}

enum err
state_delete(struct db *db, enum table_name table, size_t i)
{
    struct state *state = state_of(db);
    enum err err = note(db, table, table_row(&state->tables[table], i), NULL);

    if (err == ERR_OK)
        table_delete(&state->tables[table], i);
    return err;
}

bool
state_changed(const struct state *state)
{
    return state->change_count > 0 || state->touched;
}

void
state_accept(struct state *state)
{
    state->change_count = 0;
    state->touched = false;
    arena_reset(&state->noted);
}

void
state_undo(struct state *state)
{
    while (state->change_count > 0) {
        const struct undo *u = &state->changes[--state->change_count];
        struct table *t = &state->tables[u->table];

        /* A table never shrinks, so there is room for the deleted row. */
        if (u->new == NULL)
            table_insert(t, u->old);
        else if (u->old == NULL)
            table_delete(t, table_find(t, u->new));
        else
            memcpy(table_get(t, u->new), u->old, t->row_bytes);
    }
    state_accept(state);
}

bool
state_has_account(const struct db *db, struct str name)
{
    return table_get(state_table(db, ACCOUNT), &(struct account_row){name}) != NULL;
}

struct conversation_row *
state_conversation(const struct db *db, int32_t id)
{
    const struct conversation_row row = {.conversation.id = id};

    return table_get(state_table(db, CONVERSATION), &row);
}

struct message_row *
state_message(const struct db *db, int32_t conversation, int64_t seq)
{
    const struct message_row row = {.message = {.conversation = conversation, .seq = seq}};

    return table_get(state_table(db, MESSAGE), &row);
}
