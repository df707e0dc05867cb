/* conversations.c - see store/conversations.h. */
#include "store/memory/engine.h"

#include "store/memberships.h"
#include "store/memory/declared.h"

enum err
memory_conversations_get(struct db *db, struct arena *arena, int32_t id, struct conversation *c, bool *found)
{
    const struct conversation_row *row = state_conversation(db, id);

    declared_conversation(db, __func__, id);
    *found = row != NULL;
    if (!*found)
        return ERR_OK;
    *c = row->conversation;
    c->title = arena_copy(arena, c->title);
    return c->title.p == NULL ? ERR_MEMORY : ERR_OK;
}

enum err
memory_conversations_for_sender(struct db *db, struct posting *posting)
{
    int32_t id = posting->conversation.id;
    const struct conversation_row *row = state_conversation(db, id);
    int64_t joined_version;

    declared_stay(db, __func__, posting->conversation.id, posting->sender);
    posting->is_member = false;
    posting->found = row != NULL;
    if (!posting->found)
        return ERR_OK;
    posting->conversation = (struct conversation){
        .id = id,
        .last_seq = row->conversation.last_seq,
        .version = row->conversation.version,
        .member_count = row->conversation.member_count,
    };
    return memory_memberships_current(db, id, posting->sender, &joined_version, &posting->is_member);
}

enum err
memory_conversations_by_pair(struct db *db, struct str low, struct str high, int32_t *id, bool *found)
{
    const struct table *t = state_table(db, CONVERSATION);

    declared_pair(db, __func__, low, high);
    *found = false;
    for (size_t i = 0; i < t->count && !*found; i++) {
        const struct conversation_row *row = table_row(t, i);

        *found = row->low.p != NULL && str_eq(row->low, low) && str_eq(row->high, high);
        *id = row->conversation.id;
    }
    return ERR_OK;
}

enum err
memory_conversations_add(struct tx *tx, struct str low, struct str high, struct conversation *c)
{
    struct db *db = tx->db;
    const struct table *t = state_table(db, CONVERSATION);
    struct conversation_row row = {.low = low, .high = high};
    bool exists = false;
    int32_t id = 0;
    enum err err = low.p == NULL ? ERR_OK : memory_conversations_by_pair(db, low, high, &id, &exists);

    if (err != ERR_OK || exists)
        return ERR_STORAGE;
    if (t->count > 0)
        id = ((const struct conversation_row *)table_row(t, t->count - 1))->conversation.id;
    else
        id = 0;
    c->id = id + 1;
    c->created_at = tx->tick;
    c->updated_at = tx->tick;
    c->version = 1;
    c->last_seq = 0;
    row.conversation = *c;
    row.conversation.members = NULL;
    row.conversation.members_read = 0;
    err = state_keep(db, &row.conversation.title);
    if (err == ERR_OK)
        err = state_keep(db, &row.low);
    if (err == ERR_OK)
        err = state_keep(db, &row.high);
    return err == ERR_OK ? state_add(db, CONVERSATION, &row) : err;
}

enum err
memory_conversations_by_key(struct db *db, const struct creation_key *key, int32_t *id, int *fingerprint,
                            bool *found)
{
    const struct creation_row wanted = {.creator = key->creator, .client_id = key->client_id};
    const struct creation_row *row = table_get(state_table(db, CREATION), &wanted);

    declared_creation(db, __func__, key);
    *found = row != NULL;
    if (*found) {
        *id = row->conversation;
        *fingerprint = row->fingerprint;
    }
    return ERR_OK;
}

enum err
memory_conversations_add_key(struct tx *tx, const struct creation_key *key, int32_t id)
{
    struct creation_row row = {key->creator, key->client_id, id, key->fingerprint};
    enum err err = state_conversation(tx->db, id) == NULL ? ERR_STORAGE : ERR_OK;

    if (err == ERR_OK)
        err = state_keep(tx->db, &row.creator);
    if (err == ERR_OK)
        err = state_keep(tx->db, &row.client_id);
    return err == ERR_OK ? state_add(tx->db, CREATION, &row) : err;
}

/* Lists read the activity from the conversations themselves, so no row of a member changes. */
enum err
memory_conversations_bump(struct tx *tx, struct conversation *c, int messages, int members)
{
    struct conversation_row *row = state_conversation(tx->db, c->id);
    enum err err = row == NULL ? ERR_STORAGE : state_change(tx->db, CONVERSATION, row);

    if (err != ERR_OK)
        return err;
    c->last_seq += messages;
    c->member_count += members;
    c->version += 1;
    c->updated_at = tx->tick;
    row->conversation.last_seq = c->last_seq;
    row->conversation.member_count = c->member_count;
    row->conversation.version = c->version;
    row->conversation.updated_at = c->updated_at;
    return ERR_OK;
}

enum err
memory_conversations_set_settings(struct tx *tx, const struct conversation *c)
{
    struct conversation_row *row = state_conversation(tx->db, c->id);
    struct str title = c->title;
    enum err err = row == NULL ? ERR_STORAGE : state_change(tx->db, CONVERSATION, row);

    if (err == ERR_OK)
        err = state_keep(tx->db, &title);
    if (err != ERR_OK)
        return err;
    row->conversation.title = title;
    row->conversation.invite_only = c->invite_only;
    return ERR_OK;
}
