/* memberships.c - see memberships.h. Must not know which engine it calls. */
#include "store/memberships.h"

#include "store/engine.h"

enum err
memberships_last(struct db *db, int32_t conversation, struct str username, struct stay *stay, bool *found)
{
    return db->engine->memberships_last(db, conversation, username, stay, found);
}

enum err
memberships_current(struct db *db, int32_t conversation, struct str username, int64_t *joined_version,
                    bool *is_member)
{
    return db->engine->memberships_current(db, conversation, username, joined_version, is_member);
}

enum err
memberships_role(struct db *db, int32_t conversation, struct str username, enum role *role)
{
    return db->engine->memberships_role(db, conversation, username, role);
}

enum err
memberships_first(struct db *db, int32_t conversation, struct str username, int64_t *joined_version)
{
    return db->engine->memberships_first(db, conversation, username, joined_version);
}

enum err
memberships_span(struct db *db, int32_t conversation, struct str username, int64_t seq, struct span *span)
{
    return db->engine->memberships_span(db, conversation, username, seq, span);
}

enum err
memberships_past_before(struct db *db, int32_t conversation, struct str username, int64_t seq,
                        struct span *span)
{
    return db->engine->memberships_past_before(db, conversation, username, seq, span);
}

enum err
memberships_owner(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    return db->engine->memberships_owner(db, arena, conversation, username);
}

enum err
memberships_heir(struct db *db, struct arena *arena, int32_t conversation, struct str *username)
{
    return db->engine->memberships_heir(db, arena, conversation, username);
}

enum err
memberships_add(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    return tx->db->engine->memberships_add(tx, c, username, role);
}

enum err
memberships_end(struct tx *tx, const struct conversation *c, struct str username, int64_t joined_version,
                bool removed)
{
    return tx->db->engine->memberships_end(tx, c, username, joined_version, removed);
}

enum err
memberships_set_role(struct tx *tx, const struct conversation *c, struct str username, enum role role)
{
    return tx->db->engine->memberships_set_role(tx, c, username, role);
}

enum err
memberships_names(struct db *db, struct arena *arena, struct conversation *c, int64_t limit)
{
    return db->engine->memberships_names(db, arena, c, limit);
}

enum err
memberships_page(struct db *db, struct arena *arena, struct membership_page *page)
{
    return db->engine->memberships_page(db, arena, page);
}

enum err
memberships_names_at(struct db *db, struct arena *arena, struct concerned_walk *walk)
{
    return db->engine->memberships_names_at(db, arena, walk);
}

enum err
memberships_active(struct db *db, struct arena *arena, struct active_search *search)
{
    return db->engine->memberships_active(db, arena, search);
}

enum err
memberships_since(struct db *db, struct arena *arena, struct joined_first *first)
{
    return db->engine->memberships_since(db, arena, first);
}

enum err
memberships_present(struct db *db, struct arena *arena, struct list_walk *walk)
{
    return db->engine->memberships_present(db, arena, walk);
}

enum err
memberships_left(struct db *db, struct arena *arena, struct list_walk *walk)
{
    return db->engine->memberships_left(db, arena, walk);
}

enum err
memberships_walk(struct db *db, struct arena *arena, struct membership_walk *walk)
{
    return db->engine->memberships_walk(db, arena, walk);
}
