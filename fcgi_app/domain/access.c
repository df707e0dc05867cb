/* access.c - see access.h. Must not know how callers authenticate, nor what is read later. */
#include "domain/access.h"

#include <stdlib.h>
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"

static enum err
find(const struct access *a, int32_t id, struct conversation *c, bool *found)
{
    struct db *db = a->snapshot->db;
    enum role role;
    enum err err = conversations_get(db, a->arena, id, c, found);

    if (err != ERR_OK || !*found || a->reader.p == NULL)
        return err;
    err = memberships_role(db, id, a->reader, &role);
    return err == ERR_OK && role == ROLE_NONE ? ERR_NOT_A_MEMBER : err;
}

enum err
access_conversation(const struct access *a, int32_t id, const struct conversation **found)
{
    struct conversation *c = arena_alloc(a->arena, sizeof(*c));
    bool exists = false;
    enum err err = c == NULL ? ERR_MEMORY : find(a, id, c, &exists);

    *found = err == ERR_OK && exists ? c : NULL;
    return err;
}

enum err
access_message(const struct access *a, int64_t id, const struct message_key **message,
               const struct conversation **conversation)
{
    struct message_key *key = arena_alloc(a->arena, sizeof(*key));
    bool found = false;
    enum err err = key == NULL ? ERR_MEMORY : messages_key(a->snapshot->db, id, key, &found);

    if (err == ERR_OK && !found)
        err = ERR_MESSAGE_UNKNOWN;
    if (err == ERR_OK)
        err = access_conversation(a, key->conversation, conversation);
    if (err == ERR_OK && *conversation == NULL)
        err = ERR_STORAGE;
    *message = err == ERR_OK ? key : NULL;
    return err;
}

static int
by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

enum err
access_conversations(const struct access *a, int32_t *ids, size_t count, struct access_list *list)
{
    bool refused = false;
    bool unknown = false;
    enum err err = ERR_OK;

    *list = (struct access_list){.found = arena_alloc(a->arena, (count + 1) * sizeof(*list->found))};
    if (list->found == NULL)
        return ERR_MEMORY;
    if (count > 1)
        qsort(ids, count, sizeof(*ids), by_value);
    for (size_t i = 0; err == ERR_OK && i < count; i++) {
        bool found;

        if (i > 0 && ids[i] == ids[i - 1])
            continue;
        err = find(a, ids[i], &list->found[list->count], &found);
        if (err == ERR_NOT_A_MEMBER) {
            refused = true;
            err = ERR_OK;
        } else if (err == ERR_OK && found) {
            list->count++;
        } else if (err == ERR_OK) {
            unknown = true;
        }
    }
    if (err == ERR_OK && refused && !unknown && list->count == 0)
        return ERR_NOT_A_MEMBER;
    return err;
}
