/* messages.c - what messages are to every engine. Must not know the engine. */
#include "store/messages.h"

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

enum err
messages_keep(struct arena *arena, struct message *m)
{
    m->sender = arena_copy(arena, m->sender);
    m->content = arena_copy(arena, m->content);
    if (m->client_id.p != NULL) {
        m->client_id = arena_copy(arena, m->client_id);
        if (m->client_id.p == NULL)
            return ERR_MEMORY;
    }
    return m->sender.p == NULL || m->content.p == NULL ? ERR_MEMORY : ERR_OK;
}
