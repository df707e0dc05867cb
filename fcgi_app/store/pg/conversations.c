/* conversations.c - see conversations.h. */
#include "store/pg/conversations.h"

#include "model/ids.h"
#include "store/pg/behind.h"
#include "store/pg/engine.h"
#include "store/pg/instance.h"
#include "store/pg/memberships.h"

enum err
pg_conversations_row(struct pg_stmt *s, int column, struct arena *arena, int32_t id, struct conversation *c)
{
    *c = (struct conversation){
        .id = id,
        .type = pg_int(s, column) != 0 ? TYPE_GROUP : TYPE_PRIVATE,
        .created_at = pg_int(s, column + 1),
        .updated_at = pg_int(s, column + 2),
        .last_seq = pg_int(s, column + 3),
        .version = pg_int(s, column + 4),
        .member_count = pg_int(s, column + 5),
        .engine_mark = pg_int(s, column + 6),
        .title = arena_copy(arena, pg_text(s, column + 7)),
        .invite_only = pg_int(s, column + 8) != 0,
    };
    return c->title.p == NULL ? ERR_MEMORY : ERR_OK;
}

/* Does the work of pg_conversations_get() for a conversation that was read ahead. */
static enum err
copy_known(struct arena *arena, const struct pg_known_conversation *known, struct conversation *c,
           bool *found)
{
    *found = known->found;
    if (!known->found)
        return ERR_OK;
    *c = known->row;
    c->title = arena_copy(arena, c->title);
    return c->title.p == NULL ? ERR_MEMORY : ERR_OK;
}

enum err
pg_conversations_get(struct db *db, struct arena *arena, int32_t id, struct conversation *c, bool *found)
{
    const struct pg_known_conversation *known = pg_ahead_conversation(db, id);
    struct pg_stmt *s;
    enum err err;

    if (known != NULL)
        return copy_known(arena, known, c, found);
    s = pg_use(db, PG_CONVERSATION_GET);
    pg_bind_int(s, 1, id);
    err = pg_step(s, found);
    if (*found)
        err = pg_conversations_row(s, 0, arena, id, c);
    pg_done(s);
    return err;
}

enum err
pg_conversations_for_sender(struct db *db, struct posting *posting)
{
    const struct pg_known_conversation *known = pg_ahead_conversation(db, posting->conversation.id);
    const struct pg_known_stay *stay = pg_ahead_stay(db, posting->conversation.id, posting->sender);
    struct pg_stmt *s;
    enum err err;

    posting->is_member = false;
    if (known != NULL && stay != NULL) {
        posting->found = known->found;
        posting->is_member = stay->found && stay->stay.left_version == 0;
        if (known->found)
            posting->conversation = known->row;
        return ERR_OK;
    }
    s = pg_use(db, PG_CONVERSATION_FOR_SENDER);
    pg_bind_int(s, 1, posting->conversation.id);
    pg_bind_text(s, 2, posting->sender);
    err = pg_step(s, &posting->found);
    if (posting->found) {
        posting->conversation = (struct conversation){
            .id = posting->conversation.id,
            .last_seq = pg_int(s, 0),
            .version = pg_int(s, 1),
            .member_count = pg_int(s, 2),
            .engine_mark = pg_int(s, 3),
        };
        posting->is_member = pg_int(s, 4) != 0;
    }
    pg_done(s);
    return err;
}

enum err
pg_conversations_by_pair(struct db *db, struct str low, struct str high, int32_t *id, bool *found)
{
    struct pg_stmt *s = pg_use(db, PG_CONVERSATION_BY_PAIR);
    enum err err;

    pg_bind_text(s, 1, low);
    pg_bind_text(s, 2, high);
    err = pg_step(s, found);
    if (*found)
        *id = ids_conversation(pg_int(s, 0));
    pg_done(s);
    return err;
}

enum err
pg_conversations_add(struct tx *tx, struct str low, struct str high, struct conversation *c)
{
    struct pg_stmt *s = pg_use(tx->db, PG_CONVERSATION_ADD);

    c->id = ids_conversation(++tx->counters->last_conversation_id);
    pg_ahead_forget_conversation(tx->db, c->id);
    c->created_at = tx->tick;
    c->updated_at = tx->tick;
    c->engine_mark = tx->tick;
    c->version = 1;
    c->last_seq = 0;
    pg_bind_int(s, 1, tx->counters->last_conversation_id);
    pg_bind_text(s, 2, str_c(conversation_type_names[c->type]));
    pg_bind_text(s, 3, low);
    pg_bind_text(s, 4, high);
    pg_bind_int(s, 5, tx->tick);
    pg_bind_int(s, 6, c->member_count);
    pg_bind_bool(s, 7, c->invite_only);
    pg_bind_text(s, 8, c->title);
    return pg_queue(s);
}

enum err
pg_conversations_by_key(struct db *db, const struct creation_key *key, int32_t *id, int *fingerprint,
                        bool *found)
{
    struct pg_stmt *s = pg_use(db, PG_CREATION_KEY_GET);
    enum err err;

    pg_bind_text(s, 1, key->creator);
    pg_bind_text(s, 2, key->client_id);
    err = pg_step(s, found);
    if (*found) {
        *id = ids_conversation(pg_int(s, 0));
        *fingerprint = (int)pg_int(s, 1);
    }
    pg_done(s);
    return err;
}

enum err
pg_conversations_add_key(struct tx *tx, const struct creation_key *key, int32_t id)
{
    struct pg_stmt *s = pg_use(tx->db, PG_CREATION_KEY_ADD);

    pg_bind_text(s, 1, key->creator);
    pg_bind_text(s, 2, key->client_id);
    pg_bind_int(s, 3, id);
    pg_bind_int(s, 4, key->fingerprint);
    return pg_queue(s);
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
pg_conversations_bump(struct tx *tx, struct conversation *c, int messages, int members)
{
    struct pg_stmt *s;
    bool due;
    enum err err;

    c->last_seq += messages;
    c->member_count += members;
    c->version += 1;
    c->updated_at = tx->tick;
    due = lists_are_due(c, members);
    if (due)
        c->engine_mark = tx->tick;
    if (pg_behind_bump(tx, c))
        return due ? pg_memberships_touch(tx, c) : ERR_OK;
    s = pg_use(tx->db, PG_CONVERSATION_BUMP);
    pg_bind_int(s, 1, c->id);
    pg_bind_int(s, 2, c->last_seq);
    pg_bind_int(s, 3, c->version);
    pg_bind_int(s, 4, c->updated_at);
    pg_bind_int(s, 5, c->member_count);
    pg_bind_int(s, 6, c->engine_mark);
    err = pg_queue(s);
    return err == ERR_OK && due ? pg_memberships_touch(tx, c) : err;
}

enum err
pg_conversations_set_settings(struct tx *tx, const struct conversation *c)
{
    struct pg_known_conversation *known = pg_ahead_conversation(tx->db, c->id);
    struct pg_stmt *s = pg_use(tx->db, PG_CONVERSATION_SET_SETTINGS);

    if (known != NULL) {
        known->row.invite_only = c->invite_only;
        known->row.title = arena_copy(&pg_ahead(tx->db)->arena, c->title);
        if (known->row.title.p == NULL)
            return ERR_MEMORY;
    }
    pg_bind_int(s, 1, c->id);
    pg_bind_text(s, 2, c->title);
    pg_bind_bool(s, 3, c->invite_only);
    return pg_queue(s);
}
