/* message.c - see message.h. Must not know how a request came or where its answer goes. */
#include "domain/message.h"

#include "model/emoji.h"
#include "store/messages.h"

enum err
message_get(const struct view *view, const struct message_key *key, struct message *m)
{
    const struct message_reader reader = visibility_reader(view);
    bool found;
    enum err err = messages_get(&reader, key->conversation, key->seq, m, &found);

    if (err == ERR_OK && !found)
        err = ERR_MESSAGE_UNKNOWN;
    if (err == ERR_OK && view->may_be_former)
        err = visibility_apply(&(struct visibility){.db = reader.db, .viewer = view->viewer}, m);
    return err;
}

enum err
message_reactors(const struct view *view, const struct message_key *key, struct reactors *page)
{
    struct reactors found = *page;
    enum err err;

    found.emoji = emoji_plain(view->arena, page->emoji);
    if (found.emoji.p == NULL)
        return ERR_MEMORY;
    err = reactions_page(view->snapshot->db, view->arena, key, &found);
    *page = found;
    page->emoji = emoji_shown(view->arena, found.emoji);
    return err == ERR_OK && page->emoji.p == NULL ? ERR_MEMORY : err;
}
