/* access.c - see access.h. Must not know how a caller is known, nor what is read. */
#include "domain/access.h"

#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"

static enum err
check(struct db *db, struct arena *arena, struct str username, int64_t conversation)
{
    struct conversation c;
    enum role role;
    bool found = true;
    enum err err = memberships_role(db, conversation, username, &role);

    if (err == ERR_OK && role == ROLE_NONE)
        err = conversations_get(db, arena, conversation, &c, &found);
    return err == ERR_OK && role == ROLE_NONE && found ? ERR_NOT_A_MEMBER : err;
}

/* Leaves the snapshot to what follows, if anything does. */
static enum err
leave(struct store *store, struct db *db, enum err err)
{
    if (err == ERR_OK)
        pool_keep(db);
    else
        pool_end(store->pool, db);
    return err;
}

enum err
access_conversation(struct store *store, struct arena *arena, struct str username, int64_t conversation)
{
    struct db *db;
    enum err err = pool_begin(store->pool, &db);

    return err == ERR_OK ? leave(store, db, check(db, arena, username, conversation)) : err;
}

enum err
access_message(struct store *store, struct arena *arena, struct str username, int64_t message)
{
    struct message m;
    struct db *db;
    bool found;
    enum err err = pool_begin(store->pool, &db);

    if (err != ERR_OK)
        return err;
    err = messages_by_id(db, arena, message, &m, &found);
    if (err == ERR_OK && found)
        err = check(db, arena, username, m.conversation);
    return leave(store, db, err);
}

enum err
access_conversations(struct store *store, struct arena *arena, struct str username, int64_t *ids,
                     size_t *count)
{
    struct db *db;
    size_t given = *count;
    enum err refused = ERR_OK;
    enum err err = pool_begin(store->pool, &db);

    if (err != ERR_OK)
        return err;
    *count = 0;
    for (size_t i = 0; err == ERR_OK && i < given; i++) {
        err = check(db, arena, username, ids[i]);
        if (err == ERR_OK)
            ids[(*count)++] = ids[i];
        if (err == ERR_NOT_A_MEMBER) {
            refused = err;
            err = ERR_OK;
        }
    }
    return leave(store, db, err == ERR_OK && *count == 0 ? refused : err);
}

void
access_end(struct store *store)
{
    pool_drop_kept(store->pool);
}
