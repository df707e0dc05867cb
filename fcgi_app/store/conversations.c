/* conversations.c - see conversations.h. Must not know which engine it calls. */
#include "store/conversations.h"

#include "store/engine.h"

enum err
conversations_get(struct db *db, struct arena *arena, int32_t id, struct conversation *c, bool *found)
{
    return db->engine->conversations_get(db, arena, id, c, found);
}

enum err
conversations_for_sender(struct db *db, struct posting *posting)
{
    return db->engine->conversations_for_sender(db, posting);
}

enum err
conversations_by_pair(struct db *db, struct str low, struct str high, int32_t *id, bool *found)
{
    return db->engine->conversations_by_pair(db, low, high, id, found);
}

enum err
conversations_add(struct tx *tx, struct str low, struct str high, struct conversation *c)
{
    return tx->db->engine->conversations_add(tx, low, high, c);
}

enum err
conversations_by_key(struct db *db, const struct creation_key *key, int32_t *id, int *fingerprint,
                     bool *found)
{
    return db->engine->conversations_by_key(db, key, id, fingerprint, found);
}

enum err
conversations_add_key(struct tx *tx, const struct creation_key *key, int32_t id)
{
    return tx->db->engine->conversations_add_key(tx, key, id);
}

enum err
conversations_bump(struct tx *tx, struct conversation *c, int messages, int members)
{
    return tx->db->engine->conversations_bump(tx, c, messages, members);
}

enum err
conversations_set_settings(struct tx *tx, const struct conversation *c)
{
    return tx->db->engine->conversations_set_settings(tx, c);
}
