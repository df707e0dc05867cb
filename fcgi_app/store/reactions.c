/* reactions.c - see reactions.h. Must not know which engine it calls. */
#include "store/reactions.h"

#include "store/engine.h"

enum err
reactions_read(struct db *db, struct arena *arena, struct str viewer, struct message *m)
{
    return db->engine->reactions_read(db, arena, viewer, m);
}

enum err
reactions_page(struct db *db, struct arena *arena, const struct message_key *key, struct reactors *page)
{
    return db->engine->reactions_page(db, arena, key, page);
}

enum err
reactions_add(struct tx *tx, struct message *m, struct str emoji, struct str username, bool *changed)
{
    return tx->db->engine->reactions_add(tx, m, emoji, username, changed);
}

enum err
reactions_remove(struct tx *tx, struct message *m, struct str emoji, struct str username, bool *changed)
{
    return tx->db->engine->reactions_remove(tx, m, emoji, username, changed);
}

enum err
reactions_clear(struct tx *tx, struct message *m, struct str emoji, bool *changed)
{
    return tx->db->engine->reactions_clear(tx, m, emoji, changed);
}

enum err
reactions_clear_all(struct tx *tx, struct message *m)
{
    return tx->db->engine->reactions_clear_all(tx, m);
}
