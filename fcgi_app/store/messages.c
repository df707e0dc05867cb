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

/* Copies the string to *at, with a NUL, and moves *at on. */
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
