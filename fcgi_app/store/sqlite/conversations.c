/* conversations.c - see conversations.h. */
#include "store/sqlite/conversations.h"

#include "model/ids.h"
#include "store/sqlite/accounts.h"
#include "store/sqlite/engine.h"
#include "store/sqlite/memberships.h"

enum err
conversations_row(struct stmt *s, int column, struct arena *arena, int32_t id, struct conversation *c)
{
    *c = (struct conversation){
        .id = id,
        .type = db_int(s, column) != 0 ? TYPE_GROUP : TYPE_PRIVATE,
        .created_at = db_int(s, column + 1),
        .updated_at = db_int(s, column + 2),
        .last_seq = db_int(s, column + 3),
        .version = db_int(s, column + 4),
        .member_count = db_int(s, column + 5),
        .engine_mark = db_int(s, column + 6),
        .title = arena_copy(arena, db_text(s, column + 7)),
        .invite_only = db_int(s, column + 8) != 0,
    };
    return c->title.p == NULL ? ERR_MEMORY : ERR_OK;
}

enum err
sqlite_conversations_get(struct db *db, struct arena *arena, int32_t id, struct conversation *c, bool *found)
{
    struct stmt *s = db_use(db, SQL_CONVERSATION_GET);
    enum err err;

    db_bind_int(s, 1, id);
    err = db_step(s, found);
    if (*found)
        err = conversations_row(s, 0, arena, id, c);
    db_done(s);
    return err;
}

enum err
sqlite_conversations_for_sender(struct db *db, struct posting *posting)
{
    struct stmt *s = db_use(db, SQL_CONVERSATION_FOR_SENDER);
    enum err err;

    posting->is_member = false;
    db_bind_int(s, 1, posting->conversation.id);
    accounts_bind(db, s, 2, posting->sender);
    err = db_step(s, &posting->found);
    if (posting->found) {
        posting->conversation = (struct conversation){
            .id = posting->conversation.id,
            .last_seq = db_int(s, 0),
            .version = db_int(s, 1),
            .member_count = db_int(s, 2),
            .engine_mark = db_int(s, 3),
        };
        posting->is_member = db_int(s, 4) != 0;
    }
    db_done(s);
    return err;
}

/*
 * Binds the numbers of a pair of users to two parameters, the lower number first, because numbers
 * survive a rename. Binds NULL for an absent pair.
 */
static void
bind_pair(struct db *db, struct stmt *s, int parameter, struct str one, struct str other)
{
    int64_t a = 0;
    int64_t b = 0;
    enum err err = one.p == NULL ? ERR_OK : accounts_number(db, one, &a);

    if (err == ERR_OK && other.p != NULL)
        err = accounts_number(db, other, &b);
    if (err != ERR_OK)
        db_refuse(s, err);
    db_bind_int_or_null(s, parameter, a < b ? a : b);
    db_bind_int_or_null(s, parameter + 1, a < b ? b : a);
}

enum err
sqlite_conversations_by_pair(struct db *db, struct str low, struct str high, int32_t *id, bool *found)
{
    struct stmt *s = db_use(db, SQL_CONVERSATION_BY_PAIR);
    enum err err;

    bind_pair(db, s, 1, low, high);
    err = db_step(s, found);
    if (*found)
        *id = ids_conversation(db_int(s, 0));
    db_done(s);
    return err;
}

enum err
sqlite_conversations_add(struct tx *tx, struct str low, struct str high, struct conversation *c)
{
    struct stmt *s = db_use(tx->db, SQL_CONVERSATION_ADD);
    bool row;
    enum err err;

    db_bind_text(s, 1, str_c(conversation_type_names[c->type]));
    bind_pair(tx->db, s, 2, low, high);
    db_bind_int(s, 4, tx->tick);
    db_bind_int(s, 5, c->member_count);
    db_bind_int(s, 6, c->invite_only);
    db_bind_text(s, 7, c->title);
    err = db_step(s, &row);
    if (err == ERR_OK && row) {
        c->id = (int32_t)db_int(s, 0);
        c->created_at = tx->tick;
        c->updated_at = tx->tick;
        c->engine_mark = tx->tick;
        c->version = 1;
        c->last_seq = 0;
    }
    /* RETURNING yields the row before the statement has ended, so it is stepped to its end. */
    if (err == ERR_OK)
        return db_run(s);
    db_done(s);
    return err;
}

/* Binds the creator: a user by number, any other caller by 0 and the name. */
static void
bind_creator(struct stmt *s, int64_t number, struct str name)
{
    db_bind_int(s, 1, number);
    db_bind_text(s, 2, number != 0 ? str_c("") : name);
}

/* A row of creation_key. */
struct key_row {
    bool found;
    int32_t id; /* of the conversation */
    int fingerprint;
};

/* Looks for the creator's key: by the user's number or, if that is 0, by the caller's name. */
static enum err
find_key(struct db *db, const struct creation_key *key, int64_t number, struct key_row *row)
{
    struct stmt *s = db_use(db, SQL_CREATION_KEY_GET);
    enum err err;

    bind_creator(s, number, key->creator);
    db_bind_text(s, 3, key->client_id);
    err = db_step(s, &row->found);
    if (row->found) {
        row->id = ids_conversation(db_int(s, 0));
        row->fingerprint = (int)db_int(s, 1);
    }
    db_done(s);
    return err;
}

enum err
sqlite_conversations_by_key(struct db *db, const struct creation_key *key, int32_t *id, int *fingerprint,
                            bool *found)
{
    struct key_row row = {0};
    int64_t number = 0;
    enum err err = accounts_number(db, key->creator, &number);

    if (err == ERR_OK && number != 0)
        err = find_key(db, key, number, &row);
    /* The key may have been stored before its creator became a user. */
    if (err == ERR_OK && !row.found)
        err = find_key(db, key, 0, &row);
    *found = row.found;
    if (row.found) {
        *id = row.id;
        *fingerprint = row.fingerprint;
    }
    return err;
}

enum err
sqlite_conversations_add_key(struct tx *tx, const struct creation_key *key, int32_t id)
{
    int64_t number = 0;
    enum err err = accounts_number(tx->db, key->creator, &number);
    struct stmt *s;

    if (err != ERR_OK)
        return err;
    s = db_use(tx->db, SQL_CREATION_KEY_ADD);
    bind_creator(s, number, key->creator);
    db_bind_text(s, 3, key->client_id);
    db_bind_int(s, 4, id);
    db_bind_int(s, 5, key->fingerprint);
    return db_run(s);
}

/*
 * Must the rows of all members (membership.active_at) be updated for this change? In a small
 * conversation they are, at most once in ACTIVE_LAG_MS. When it becomes large they are set to
 * ACTIVE_ALWAYS once, and no longer change. c->engine_mark is conversation.listed_at, the time of
 * the last update.
 */
static bool
lists_are_due(const struct conversation *c, int members)
{
    bool few = c->member_count <= MEMBERS_FEW;
    bool were_few = c->member_count - members <= MEMBERS_FEW;

    return few != were_few || (few && c->updated_at - c->engine_mark > ACTIVE_LAG_MS);
}

enum err
sqlite_conversations_bump(struct tx *tx, struct conversation *c, int messages, int members)
{
    struct stmt *s;
    bool due;
    enum err err;

    c->last_seq += messages;
    c->member_count += members;
    c->version += 1;
    c->updated_at = tx->tick;
    due = lists_are_due(c, members);
    if (due)
        c->engine_mark = tx->tick;
    s = db_use(tx->db, SQL_CONVERSATION_BUMP);
    db_bind_int(s, 1, c->id);
    db_bind_int(s, 2, c->last_seq);
    db_bind_int(s, 3, c->version);
    db_bind_int(s, 4, c->updated_at);
    db_bind_int(s, 5, c->member_count);
    db_bind_int(s, 6, c->engine_mark);
    err = db_run(s);
    return err == ERR_OK && due ? memberships_touch(tx, c) : err;
}

enum err
sqlite_conversations_set_settings(struct tx *tx, const struct conversation *c)
{
    struct stmt *s = db_use(tx->db, SQL_CONVERSATION_SET_SETTINGS);

    db_bind_int(s, 1, c->id);
    db_bind_text(s, 2, c->title);
    db_bind_int(s, 3, c->invite_only);
    return db_run(s);
}
