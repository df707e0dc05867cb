/*
 * messages.c - see messages.h: functions that all engines share, and calls of the engine. Must not
 * know which engine it calls.
 */
#include "store/messages.h"

#include "store/engine.h"

size_t
messages_bytes(const struct message *m)
{
    size_t bytes = m->content.n + m->reaction_count * MESSAGES_EMOJI_BYTES;

    for (size_t i = 0; i < m->reaction_count; i++)
        bytes += m->reactions[i].name_count * MESSAGES_NAME_BYTES;
    return bytes;
}

/* FNV-1a, folded. Databases keep it, so it never changes. */
int
messages_fingerprint(struct str content)
{
    uint32_t hash = str_hash(content);

    return (int)((hash >> 16) ^ (hash & 0xffff));
}

/* Copies the string to *at, with a NUL, and advances *at. */
static struct str
keep_at(char **at, struct str s)
{
    struct str kept = {*at, s.n};

    if (s.n > 0)
        memcpy(*at, s.p, s.n);
    *at += s.n + 1;
    return kept;
}

/* One piece of memory for all of them: a page keeps many messages. */
enum err
messages_keep(struct arena *arena, struct message *m)
{
    char *at = arena_alloc(arena, m->sender.n + m->content.n + m->client_id.n + 3);

    if (at == NULL)
        return ERR_MEMORY;
    m->sender = keep_at(&at, m->sender);
    m->content = keep_at(&at, m->content);
    if (m->client_id.p != NULL)
        m->client_id = keep_at(&at, m->client_id);
    return ERR_OK;
}

enum err
messages_add(struct tx *tx, struct message *m, int64_t version)
{
    return tx->db->engine->messages_add(tx, m, version);
}

enum err
messages_get(const struct message_reader *r, int32_t conversation, int64_t seq, struct message *m,
             bool *found)
{
    return r->db->engine->messages_get(r, conversation, seq, m, found);
}

enum err
messages_at(const struct message_reader *r, struct message_batch *batch)
{
    return r->db->engine->messages_at(r, batch);
}

enum err
messages_by_id(const struct message_reader *r, int64_t id, struct message *m, bool *found)
{
    return r->db->engine->messages_by_id(r, id, m, found);
}

enum err
messages_head(struct db *db, struct arena *arena, int64_t id, struct message *m, bool *found)
{
    return db->engine->messages_head(db, arena, id, m, found);
}

enum err
messages_content(struct db *db, struct arena *arena, struct message *m)
{
    return db->engine->messages_content(db, arena, m);
}

enum err
messages_key(struct db *db, int64_t id, struct message_key *key, bool *found)
{
    return db->engine->messages_key(db, id, key, found);
}

enum err
messages_by_client_id(const struct message_reader *r, struct str client_id, struct message *m,
                      int *fingerprint, bool *found)
{
    return r->db->engine->messages_by_client_id(r, client_id, m, fingerprint, found);
}

enum err
messages_edit(struct tx *tx, struct message *m, struct str content, int64_t version)
{
    return tx->db->engine->messages_edit(tx, m, content, version);
}

enum err
messages_delete(struct tx *tx, struct message *m, int64_t version)
{
    return tx->db->engine->messages_delete(tx, m, version);
}

enum err
messages_set_reacted(struct tx *tx, const struct message *m, int64_t version)
{
    return tx->db->engine->messages_set_reacted(tx, m, version);
}

enum err
messages_first_after(struct db *db, const struct message_range *range, int64_t after, int64_t *seq)
{
    return db->engine->messages_first_after(db, range, after, seq);
}

enum err
messages_first_created_after(struct db *db, const struct message_range *range, int64_t version, int64_t *seq)
{
    return db->engine->messages_first_created_after(db, range, version, seq);
}

enum err
messages_page_before(struct db *db, struct message_page *page)
{
    return db->engine->messages_page_before(db, page);
}

enum err
messages_keys(struct db *db, struct key_walk *walk)
{
    return db->engine->messages_keys(db, walk);
}

enum err
messages_since(struct db *db, struct message_search *search)
{
    return db->engine->messages_since(db, search);
}

enum err
messages_walk(const struct message_reader *r, struct message_walk *walk)
{
    return r->db->engine->messages_walk(r, walk);
}
