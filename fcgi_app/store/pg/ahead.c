/* ahead.c - see ahead.h. Must not know what commands do with what they read. */
#include "store/pg/ahead.h"

#include "model/ids.h"
#include "store/messages.h"
#include "store/pg/conversations.h"
#include "store/pg/memberships.h"
#include "store/pg/messages.h"

void
pg_ahead_reset(struct pg_ahead *ahead)
{
    struct pg_behind *behind = ahead->behind;
    struct arena arena = ahead->arena;

    arena_reset(&arena);
    *ahead = (struct pg_ahead){.arena = arena, .behind = behind};
}

/* --- look-ups */

struct pg_known_account *
pg_ahead_account(struct db *db, struct str name)
{
    struct pg_ahead *a = pg_ahead(db);

    for (size_t i = 0; a != NULL && i < a->account_count; i++)
        if (str_eq(a->accounts[i].name, name))
            return &a->accounts[i];
    return NULL;
}

struct pg_known_conversation *
pg_ahead_conversation(struct db *db, int32_t id)
{
    struct pg_ahead *a = pg_ahead(db);

    for (size_t i = 0; a != NULL && i < a->conversation_count; i++)
        if (a->conversations[i].row.id == id)
            return &a->conversations[i];
    return NULL;
}

struct pg_known_stay *
pg_ahead_stay(struct db *db, int32_t conversation, struct str username)
{
    struct pg_ahead *a = pg_ahead(db);

    for (size_t i = 0; a != NULL && i < a->stay_count; i++)
        if (a->stays[i].conversation == conversation && str_eq(a->stays[i].username, username))
            return &a->stays[i];
    return NULL;
}

struct pg_known_marker *
pg_ahead_marker(struct db *db, int32_t conversation, struct str username)
{
    struct pg_ahead *a = pg_ahead(db);

    for (size_t i = 0; a != NULL && i < a->marker_count; i++)
        if (a->markers[i].conversation == conversation && str_eq(a->markers[i].username, username))
            return &a->markers[i];
    return NULL;
}

struct pg_known_head *
pg_ahead_head(struct db *db, int64_t id)
{
    struct pg_ahead *a = pg_ahead(db);

    for (size_t i = 0; a != NULL && i < a->head_count; i++)
        if (a->heads[i].id == id)
            return &a->heads[i];
    return NULL;
}

static struct pg_unused_key *
find_unused(struct db *db, struct str sender, struct str client_id)
{
    struct pg_ahead *a = pg_ahead(db);

    for (size_t i = 0; a != NULL && i < a->key_count; i++)
        if (str_eq(a->keys[i].sender, sender) && str_eq(a->keys[i].client_id, client_id))
            return &a->keys[i];
    return NULL;
}

bool
pg_ahead_unused(struct db *db, struct str sender, struct str client_id)
{
    return find_unused(db, sender, client_id) != NULL;
}

/* Replaces each entry to forget by the last one of its list. */
void
pg_ahead_forget_conversation(struct db *db, int32_t id)
{
    struct pg_known_conversation *known = pg_ahead_conversation(db, id);

    if (known != NULL)
        *known = pg_ahead(db)->conversations[--pg_ahead(db)->conversation_count];
}

void
pg_ahead_forget_stay(struct db *db, int32_t conversation, struct str username)
{
    struct pg_known_stay *known = pg_ahead_stay(db, conversation, username);

    if (known != NULL)
        *known = pg_ahead(db)->stays[--pg_ahead(db)->stay_count];
}

void
pg_ahead_forget_head(struct db *db, int64_t id)
{
    struct pg_known_head *known = pg_ahead_head(db, id);

    if (known != NULL)
        *known = pg_ahead(db)->heads[--pg_ahead(db)->head_count];
}

void
pg_ahead_forget_unused(struct db *db, struct str sender, struct str client_id)
{
    struct pg_unused_key *known = find_unused(db, sender, client_id);

    if (known != NULL)
        *known = pg_ahead(db)->keys[--pg_ahead(db)->key_count];
}

/* --- asking */

/* What the group's commands declare, without repetitions. Each list becomes one parameter. */
struct asked {
    struct arena *arena;
    int64_t *conversations; /* 0: the conversation of the message … */
    int64_t *messages;      /* … with this id; 0: none */
    struct str *names;      /* absent: no user */
    size_t standing_count;
    int64_t *heads;
    size_t head_count;
    struct str *senders;
    struct str *client_ids;
    size_t key_count;
};

/* Asks for a conversation, the user's standing in it, and whether the user has an account. */
static bool
ask_standing(struct asked *a, int64_t conversation, int64_t message, struct str name)
{
    size_t n = a->standing_count;

    for (size_t i = 0; i < n; i++)
        if (a->conversations[i] == conversation && a->messages[i] == message &&
            (a->names[i].p == NULL) == (name.p == NULL) && str_eq(a->names[i], name))
            return true;
    a->conversations = arena_grow(a->arena, a->conversations, n, sizeof(*a->conversations));
    a->messages = arena_grow(a->arena, a->messages, n, sizeof(*a->messages));
    a->names = arena_grow(a->arena, a->names, n, sizeof(*a->names));
    if (a->conversations == NULL || a->messages == NULL || a->names == NULL)
        return false;
    a->conversations[n] = conversation;
    a->messages[n] = message;
    a->names[n] = name;
    a->standing_count++;
    return true;
}

/* Asks for the head of a message. */
static bool
ask_head(struct asked *a, int64_t id)
{
    for (size_t i = 0; i < a->head_count; i++)
        if (a->heads[i] == id)
            return true;
    a->heads = arena_grow(a->arena, a->heads, a->head_count, sizeof(*a->heads));
    if (a->heads == NULL)
        return false;
    a->heads[a->head_count++] = id;
    return true;
}

/* Asks whether the key was used. */
static bool
ask_key(struct asked *a, struct str sender, struct str client_id)
{
    size_t n = a->key_count;

    for (size_t i = 0; i < n; i++)
        if (str_eq(a->senders[i], sender) && str_eq(a->client_ids[i], client_id))
            return true;
    a->senders = arena_grow(a->arena, a->senders, n, sizeof(*a->senders));
    a->client_ids = arena_grow(a->arena, a->client_ids, n, sizeof(*a->client_ids));
    if (a->senders == NULL || a->client_ids == NULL)
        return false;
    a->senders[n] = sender;
    a->client_ids[n] = client_id;
    a->key_count++;
    return true;
}

/* Asks for those of the command's declared reads that are read ahead. */
static bool
ask_for(struct asked *a, const struct command_reads *r)
{
    bool ok = true;
    bool any = false;

    for (size_t i = 0; ok && i < COMMAND_USERS; i++) {
        any = any || r->users[i].p != NULL;
        if (r->users[i].p != NULL)
            ok = ask_standing(a, r->conversation, r->conversation == 0 ? r->message : 0, r->users[i]);
    }
    if (ok && !any && (r->conversation != 0 || r->message != 0))
        ok = ask_standing(a, r->conversation, r->conversation == 0 ? r->message : 0, (struct str){0});
    if (ok && r->message != 0)
        ok = ask_head(a, r->message);
    if (ok && r->reply_to != 0)
        ok = ask_head(a, r->reply_to);
    if (ok && r->client_id.p != NULL && r->users[0].p != NULL)
        ok = ask_key(a, r->users[0], r->client_id);
    return ok;
}

/* Sends the statements. */
static enum err
send_all(struct db *db, const struct asked *a)
{
    struct pg_stmt *s;
    enum err err = ERR_OK;

    if (a->standing_count > 0) {
        s = pg_use(db, PG_AHEAD_STANDINGS);
        pg_bind_ints(s, 1, a->conversations, a->standing_count);
        pg_bind_ints(s, 2, a->messages, a->standing_count);
        pg_bind_texts(s, 3, a->names, a->standing_count);
        err = pg_ask(s);
    }
    if (err == ERR_OK && a->head_count > 0) {
        s = pg_use(db, PG_AHEAD_HEADS);
        pg_bind_ints(s, 1, a->heads, a->head_count);
        err = pg_ask(s);
    }
    if (err == ERR_OK && a->key_count > 0) {
        s = pg_use(db, PG_AHEAD_KEYS);
        pg_bind_texts(s, 1, a->senders, a->key_count);
        pg_bind_texts(s, 2, a->client_ids, a->key_count);
        err = pg_ask(s);
    }
    return err;
}

/* Notes the keys that are asked for as unused. The answer removes those that were used. */
static enum err
suppose_unused(struct pg_ahead *ahead, const struct asked *a)
{
    ahead->keys = arena_alloc(&ahead->arena, a->key_count * sizeof(*ahead->keys));
    if (ahead->keys == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < a->key_count; i++)
        ahead->keys[i] = (struct pg_unused_key){a->senders[i], a->client_ids[i]};
    ahead->key_count = a->key_count;
    return ERR_OK;
}

enum err
pg_ahead_ask(struct db *db, const struct group_item *first)
{
    struct pg_ahead *ahead = pg_ahead(db);
    struct asked asked = {.arena = &ahead->arena};

    for (const struct group_item *i = first; i != NULL; i = i->next)
        if (!ask_for(&asked, &i->command->reads))
            return ERR_MEMORY;
    if (asked.key_count > 0 && suppose_unused(ahead, &asked) != ERR_OK)
        return ERR_MEMORY;
    ahead->asked_standings = asked.standing_count > 0;
    ahead->asked_heads = asked.head_count > 0;
    return send_all(db, &asked);
}

/* --- reading the answers */

/* The columns of PG_AHEAD_STANDINGS, after those of CONVERSATION and STAY. */
#define CONVERSATION_COLUMNS 9
#define STAY_COLUMNS         8
enum standing_column {
    COLUMN_NAME,
    COLUMN_ID,    /* of the conversation; NULL: there is no message with the id that was asked for */
    COLUMN_FOUND, /* whether there is a conversation with that id */
    COLUMN_CONVERSATION,
    COLUMN_ACCOUNT = COLUMN_CONVERSATION + CONVERSATION_COLUMNS,
    COLUMN_STAY,
    COLUMN_MARKER = COLUMN_STAY + STAY_COLUMNS,
    COLUMN_LAST_SENDER,
    COLUMN_LAST_RUN,
};

/* Notes the conversation of the current row. */
static enum err
enter_conversation(struct db *db, struct pg_stmt *s, int32_t id)
{
    struct pg_ahead *a = pg_ahead(db);
    struct pg_known_conversation *known;
    enum err err = ERR_OK;

    if (pg_ahead_conversation(db, id) != NULL)
        return ERR_OK;
    a->conversations = arena_grow(&a->arena, a->conversations, a->conversation_count, sizeof(*known));
    if (a->conversations == NULL)
        return ERR_MEMORY;
    known = &a->conversations[a->conversation_count++];
    *known = (struct pg_known_conversation){.row = {.id = id}, .found = pg_int(s, COLUMN_FOUND) != 0};
    if (known->found)
        err = pg_conversations_row(s, COLUMN_CONVERSATION, &a->arena, id, &known->row);
    known->last_sender = pg_int(s, COLUMN_LAST_SENDER);
    known->last_run = pg_int(s, COLUMN_LAST_RUN);
    known->last_known = known->found && (known->last_sender != 0 || known->row.last_seq == 0);
    return err;
}

/* Notes the last stay and the read marker of the current row. */
static enum err
enter_stay(struct db *db, struct pg_stmt *s, int32_t id, struct str name)
{
    struct pg_ahead *a = pg_ahead(db);
    bool found = !pg_is_null(s, COLUMN_STAY);

    if (pg_ahead_stay(db, id, name) != NULL)
        return ERR_OK;
    a->stays = arena_grow(&a->arena, a->stays, a->stay_count, sizeof(*a->stays));
    a->markers = arena_grow(&a->arena, a->markers, a->marker_count, sizeof(*a->markers));
    if (a->stays == NULL || a->markers == NULL)
        return ERR_MEMORY;
    a->stays[a->stay_count++] = (struct pg_known_stay){
        id, name, found, found ? pg_memberships_stay(s, COLUMN_STAY) : (struct stay){0}};
    a->markers[a->marker_count++] =
        (struct pg_known_marker){.conversation = id, .username = name, .seq = pg_int(s, COLUMN_MARKER)};
    return ERR_OK;
}

/* Notes the account of the current row. */
static enum err
enter_account(struct db *db, struct pg_stmt *s, struct str name)
{
    struct pg_ahead *a = pg_ahead(db);

    if (pg_ahead_account(db, name) != NULL)
        return ERR_OK;
    a->accounts = arena_grow(&a->arena, a->accounts, a->account_count, sizeof(*a->accounts));
    if (a->accounts == NULL)
        return ERR_MEMORY;
    a->accounts[a->account_count++] = (struct pg_known_account){name, pg_int(s, COLUMN_ACCOUNT)};
    return ERR_OK;
}

static enum err
read_standings(struct db *db)
{
    struct pg_stmt *s = pg_asked(db, PG_AHEAD_STANDINGS);
    struct arena *arena = &pg_ahead(db)->arena;
    enum err err = ERR_OK;

    while (pg_next(s, &err)) {
        int32_t id = ids_conversation(pg_int(s, COLUMN_ID));
        struct str name = {0};

        if (!pg_is_null(s, COLUMN_NAME))
            name = arena_copy(arena, pg_text(s, COLUMN_NAME));
        err = name.p == NULL && !pg_is_null(s, COLUMN_NAME) ? ERR_MEMORY : ERR_OK;
        if (err == ERR_OK && id != CONVERSATION_NONE)
            err = enter_conversation(db, s, id);
        if (err == ERR_OK && id != CONVERSATION_NONE && name.p != NULL)
            err = enter_stay(db, s, id, name);
        if (err == ERR_OK && name.p != NULL)
            err = enter_account(db, s, name);
        if (err != ERR_OK)
            break;
    }
    pg_done(s);
    return err;
}

/* One row for each id: the id, and the columns of a message's head. */
static enum err
read_heads(struct db *db)
{
    struct pg_stmt *s = pg_asked(db, PG_AHEAD_HEADS);
    struct pg_ahead *a = pg_ahead(db);
    enum err err = ERR_OK;

    while (pg_next(s, &err)) {
        struct pg_known_head *known;

        a->heads = arena_grow(&a->arena, a->heads, a->head_count, sizeof(*a->heads));
        if (a->heads == NULL) {
            err = ERR_MEMORY;
            break;
        }
        known = &a->heads[a->head_count++];
        *known = (struct pg_known_head){.id = pg_int(s, 0), .found = !pg_is_null(s, 1)};
        if (known->found)
            err = pg_messages_row(s, 1, &a->arena, &known->message);
        if (err != ERR_OK)
            break;
    }
    pg_done(s);
    return err;
}

/* The rows are the keys that were used. */
static enum err
read_keys(struct db *db)
{
    struct pg_stmt *s = pg_asked(db, PG_AHEAD_KEYS);
    enum err err = ERR_OK;

    while (pg_next(s, &err))
        pg_ahead_forget_unused(db, pg_text(s, 0), pg_text(s, 1));
    pg_done(s);
    return err;
}

enum err
pg_ahead_read(struct db *db)
{
    const struct pg_ahead *a = pg_ahead(db);
    enum err err = a->asked_standings ? read_standings(db) : ERR_OK;

    if (err == ERR_OK && a->asked_heads)
        err = read_heads(db);
    if (err == ERR_OK && a->key_count > 0)
        err = read_keys(db);
    return err;
}
