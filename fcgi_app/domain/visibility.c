/*
 * visibility.c - see visibility.h. Must not know who requests a message, nor what an answer looks
 * like.
 */
#include "domain/visibility.h"

#include "model/ids.h"
#include "store/memberships.h"

struct message_reader
visibility_reader(const struct view *view)
{
    return (struct message_reader){view->snapshot->db, view->arena, view->viewer};
}

void
visibility_withhold(struct message *m, const struct ending *ending)
{
    if (!ending->former)
        return;
    if (m->edited_at != 0 && m->edited_at >= ending->left_at) {
        m->content = str_c("");
        m->edited_at = 0;
        m->withheld = true;
    }
    if (m->changed_version > ending->left_version) {
        m->emoji_count = 0;
        m->reaction_count = 0;
        m->reactions = NULL;
    }
}

bool
visibility_is_current(int64_t now, int64_t version)
{
    return now <= version;
}

enum err
visibility_ending(struct db *db, int32_t conversation, struct str username, struct ending *ending)
{
    struct stay last = {0};
    bool found;
    enum err err = memberships_last(db, conversation, username, &last, &found);

    *ending = (struct ending){!found || last.until != INT64_MAX, last.left_at, last.left_version};
    return err;
}

enum err
visibility_apply(struct visibility *v, struct message *m)
{
    size_t i = (size_t)m->conversation % VISIBILITY_KEPT;
    enum err err = ERR_OK;

    if (m->changed_version == 0)
        return ERR_OK;
    if (v->kept[i].conversation != m->conversation) {
        err = visibility_ending(v->db, m->conversation, v->viewer, &v->kept[i].ending);
        v->kept[i].conversation = err == ERR_OK ? m->conversation : CONVERSATION_NONE;
    }
    if (err == ERR_OK)
        visibility_withhold(m, &v->kept[i].ending);
    return err;
}
