/* amend.c - see amend.h. Must not know how a request came or where its answer goes. */
#include "domain/amend.h"

#include "base/utf8.h"
#include "domain/belong.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"

static enum err
find(struct db *db, struct arena *arena, int64_t id, struct message *m)
{
    bool found;
    enum err err = messages_by_id(db, arena, id, m, &found);

    return err == ERR_OK && !found ? ERR_MESSAGE_UNKNOWN : err;
}

enum err
amend_find(const struct snapshot *snapshot, struct arena *arena, const struct message_key *key,
           struct message *m)
{
    bool found;
    enum err err = messages_get(snapshot->db, arena, key->conversation, key->seq, m, &found);

    return err == ERR_OK && !found ? ERR_MESSAGE_UNKNOWN : err;
}

/* Counts the change in the message's conversation. */
static enum err
bump(struct tx *tx, const struct amendment *a, struct conversation *c)
{
    bool found;
    enum err err = conversations_get(tx->db, a->arena, a->message.conversation, c, &found);

    if (err == ERR_OK && !found)
        err = ERR_STORAGE;
    return err == ERR_OK ? conversations_bump(tx, c, 0, 0) : err;
}

static enum err
announce(struct tx *tx, const struct amendment *a, const struct conversation *c, enum change_event event)
{
    return outbox_add(tx, event, c, a->message.seq, (struct str){0});
}

static enum err
find_own(struct tx *tx, struct amendment *a)
{
    enum err err = find(tx->db, a->arena, a->id, &a->message);

    return err == ERR_OK && !str_eq(a->message.sender, a->actor.username) ? ERR_NOT_THE_SENDER : err;
}

/* ERR_NOT_A_MEMBER unless the actor is a member now. */
static enum err
check_present(struct db *db, const struct amendment *a)
{
    int64_t joined_version = 0;
    bool is_member = false;
    enum err err =
        memberships_current(db, a->message.conversation, a->actor.username, &joined_version, &is_member);

    return err == ERR_OK && !is_member ? ERR_NOT_A_MEMBER : err;
}

/* What the actor has sent and may edit: whoever left or was removed may not, for members would read it. */
static enum err
find_editable(struct tx *tx, struct amendment *a)
{
    enum err err = find_own(tx, a);

    if (err == ERR_OK && !a->actor.any)
        err = check_present(tx->db, a);
    return err == ERR_OK && a->message.deleted_at != 0 ? ERR_MESSAGE_DELETED : err;
}

static enum err
edit_in_tx(struct tx *tx, void *arg)
{
    struct amendment *a = arg;
    struct conversation c;
    enum err err = find_editable(tx, a);

    if (err != ERR_OK || str_eq(a->message.content, a->content))
        return err;
    err = bump(tx, a, &c);
    if (err == ERR_OK)
        err = messages_edit(tx, &a->message, a->content, c.version);
    return err == ERR_OK ? announce(tx, a, &c, EVENT_MESSAGE_UPDATED) : err;
}

enum err
amend_edit(struct store *store, struct amendment *a)
{
    return commit_run(store->commit, edit_in_tx, a, a->content.n);
}

/* What the actor has sent, or may delete as an admin of the group. */
static enum err
find_deletable(struct tx *tx, struct amendment *a)
{
    struct conversation c;
    bool found;
    enum err err = find_own(tx, a);

    if (err != ERR_NOT_THE_SENDER)
        return err;
    err = conversations_get(tx->db, a->arena, a->message.conversation, &c, &found);
    if (err == ERR_OK)
        err = belong_check_role(tx->db, &c, a->actor, ROLE_ADMIN);
    return err == ERR_NOT_A_MEMBER || err == ERR_ROLE ? ERR_NOT_THE_SENDER : err;
}

static enum err
delete_in_tx(struct tx *tx, void *arg)
{
    struct amendment *a = arg;
    struct conversation c;
    enum err err = find_deletable(tx, a);

    if (err != ERR_OK || a->message.deleted_at != 0)
        return err;
    err = bump(tx, a, &c);
    if (err == ERR_OK)
        err = messages_delete(tx, &a->message, c.version);
    return err == ERR_OK ? announce(tx, a, &c, EVENT_MESSAGE_DELETED) : err;
}

enum err
amend_delete(struct store *store, struct amendment *a)
{
    return commit_run(store->commit, delete_in_tx, a, 0);
}

bool
amend_emoji_valid(struct str emoji)
{
    for (size_t i = 0; i < emoji.n; i++)
        if ((unsigned char)emoji.p[i] <= ' ' || emoji.p[i] == 0x7f)
            return false;
    return emoji.n >= 1 && emoji.n <= EMOJI_BYTES_MAX && utf8_valid(emoji);
}

/* What a reaction needs before it is added or removed. */
static enum err
find_as_member(struct tx *tx, struct amendment *a)
{
    enum err err = find(tx->db, a->arena, a->id, &a->message);

    return err == ERR_OK ? check_present(tx->db, a) : err;
}

/* Notes that the reactions have changed, and reads them as they are now. */
static enum err
reacted(struct tx *tx, struct amendment *a)
{
    struct conversation c;
    enum err err = bump(tx, a, &c);

    if (err == ERR_OK)
        err = messages_set_reacted(tx, &a->message, c.version);
    if (err == ERR_OK)
        err = announce(tx, a, &c, EVENT_MESSAGE_UPDATED);
    return err == ERR_OK ? find(tx->db, a->arena, a->id, &a->message) : err;
}

static enum err
react_in_tx(struct tx *tx, void *arg)
{
    struct amendment *a = arg;
    bool changed = false;
    enum err err = find_as_member(tx, a);

    if (err == ERR_OK && a->message.deleted_at != 0)
        err = ERR_MESSAGE_DELETED;
    if (err == ERR_OK)
        err = messages_react(tx, &a->message, a->emoji, a->actor.username, &changed);
    return err == ERR_OK && changed ? reacted(tx, a) : err;
}

enum err
amend_react(struct store *store, struct amendment *a)
{
    return commit_run(store->commit, react_in_tx, a, a->emoji.n);
}

static enum err
unreact_in_tx(struct tx *tx, void *arg)
{
    struct amendment *a = arg;
    bool changed = false;
    enum err err = find_as_member(tx, a);

    if (err == ERR_OK)
        err = messages_unreact(tx, &a->message, a->emoji, a->actor.username, &changed);
    return err == ERR_OK && changed ? reacted(tx, a) : err;
}

enum err
amend_unreact(struct store *store, struct amendment *a)
{
    return commit_run(store->commit, unreact_in_tx, a, 0);
}
