/* amend.c - see amend.h. Must not know how a request came or where its answer goes. */
#include "domain/amend.h"

#include "model/emoji.h"
#include "domain/belong.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"
#include "store/reactions.h"

/* What each command of this file reads; some read more. */
static struct command
command_of(command_fn *run, struct amendment *a)
{
    return (struct command){.run = run, .arg = a, .reads = {.message = a->id, .users = {a->actor.username}}};
}

/* Reads what every command decides by: the message without its content and its reactions. */
static enum err
find_head(struct tx *tx, struct amendment *a)
{
    bool found;
    enum err err = messages_head(tx->db, a->arena, a->id, &a->message, &found);

    return err == ERR_OK && !found ? ERR_MESSAGE_UNKNOWN : err;
}

/* Reads the message with its content and reactions, after the actor was allowed to. */
static enum err
read_whole(struct tx *tx, struct amendment *a)
{
    const struct message_reader reader = {tx->db, a->arena, a->actor.username};
    bool found;
    enum err err = messages_by_id(&reader, a->id, &a->message, &found);

    return err == ERR_OK && !found ? ERR_STORAGE : err;
}

/* Finds the message's conversation. */
static enum err
find_conversation(struct tx *tx, const struct amendment *a, struct conversation *c)
{
    bool found;
    enum err err = conversations_get(tx->db, a->arena, a->message.conversation, c, &found);

    return err == ERR_OK && !found ? ERR_STORAGE : err;
}

/* Finds the conversation and counts the change in it. */
static enum err
bump(struct tx *tx, const struct amendment *a, struct conversation *c)
{
    enum err err = find_conversation(tx, a, c);

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
    enum err err = find_head(tx, a);

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

/*
 * Finds a message that the actor may edit: one of their own, while they are a member. Former
 * members may not, because present members would read the new content.
 */
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

    if (err == ERR_OK)
        err = read_whole(tx, a);
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
    struct command command = command_of(edit_in_tx, a);

    command.bytes = a->content.n;
    command.reads.content = true;
    command.reads.reactions = true;
    return store_run(store, &command);
}

/*
 * Finds a message that the actor may delete: one of their own, or any if they are an admin of the
 * group.
 */
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
    /* The store keeps a fingerprint of the content if the message has a key. */
    if (a->message.client_id.p != NULL)
        err = messages_content(tx->db, a->arena, &a->message);
    if (err == ERR_OK)
        err = bump(tx, a, &c);
    if (err == ERR_OK)
        err = messages_delete(tx, &a->message, c.version);
    return err == ERR_OK ? announce(tx, a, &c, EVENT_MESSAGE_DELETED) : err;
}

enum err
amend_delete(struct store *store, struct amendment *a)
{
    struct command command = command_of(delete_in_tx, a);

    command.reads.content = true;
    return store_run(store, &command);
}

/* Finds the message whose reactions a member changes. */
static enum err
find_as_member(struct tx *tx, struct amendment *a)
{
    enum err err = find_head(tx, a);

    return err == ERR_OK ? check_present(tx->db, a) : err;
}

/* Runs a command on reactions. The store knows one spelling of each emoji: the plain one. */
static enum err
run_on_reactions(struct store *store, command_fn *run, struct amendment *a)
{
    struct command command = command_of(run, a);

    a->emoji = emoji_plain(a->arena, a->emoji);
    if (a->emoji.p == NULL)
        return ERR_MEMORY;
    command.bytes = a->emoji.n;
    command.reads.emoji = a->emoji;
    command.reads.content = true;
    command.reads.reactions = true;
    return store_run(store, &command);
}

/*
 * Stores that the reactions have changed, and queues the event. reaction.username: who added or
 * removed one; absent: all of that emoji were cleared.
 */
static enum err
note_reaction(struct tx *tx, struct amendment *a, struct conversation *c, struct change reaction)
{
    enum err err = conversations_bump(tx, c, 0, 0);

    reaction.seq = a->message.seq;

    reaction.emoji = emoji_shown(a->arena, a->emoji);
    if (err == ERR_OK && reaction.emoji.p == NULL)
        err = ERR_MEMORY;
    if (err == ERR_OK)
        err = messages_set_reacted(tx, &a->message, c->version);
    return err == ERR_OK ? outbox_add_reaction(tx, c, &reaction) : err;
}

static enum err
react_in_tx(struct tx *tx, void *arg)
{
    struct amendment *a = arg;
    struct conversation c;
    bool changed = false;
    enum err err = find_as_member(tx, a);

    if (err == ERR_OK && a->message.deleted_at != 0)
        err = ERR_MESSAGE_DELETED;
    if (err == ERR_OK)
        err = find_conversation(tx, a, &c);
    if (err == ERR_OK)
        err = reactions_add(tx, &a->message, a->emoji, a->actor.username, &changed);
    if (err == ERR_OK && changed)
        err = note_reaction(tx, a, &c, (struct change){.username = a->actor.username, .added = true});
    return err == ERR_OK ? read_whole(tx, a) : err;
}

enum err
amend_react(struct store *store, struct amendment *a)
{
    return run_on_reactions(store, react_in_tx, a);
}

static enum err
unreact_in_tx(struct tx *tx, void *arg)
{
    struct amendment *a = arg;
    struct conversation c;
    bool changed = false;
    enum err err = find_as_member(tx, a);

    if (err == ERR_OK)
        err = find_conversation(tx, a, &c);
    if (err == ERR_OK)
        err = reactions_remove(tx, &a->message, a->emoji, a->actor.username, &changed);
    if (err == ERR_OK && changed)
        err = note_reaction(tx, a, &c, (struct change){.username = a->actor.username});
    return err == ERR_OK ? read_whole(tx, a) : err;
}

enum err
amend_unreact(struct store *store, struct amendment *a)
{
    return run_on_reactions(store, unreact_in_tx, a);
}

/*
 * Finds a message whose reactions the actor may clear. Senders who left may delete their message,
 * but not clear its reactions.
 */
static enum err
find_clearable(struct tx *tx, struct amendment *a)
{
    enum err err = find_deletable(tx, a);

    if (err == ERR_OK && !a->actor.any)
        err = check_present(tx->db, a);
    return err;
}

static enum err
clear_in_tx(struct tx *tx, void *arg)
{
    struct amendment *a = arg;
    struct conversation c;
    bool changed = false;
    enum err err = find_clearable(tx, a);

    if (err == ERR_OK)
        err = find_conversation(tx, a, &c);
    if (err == ERR_OK)
        err = reactions_clear(tx, &a->message, a->emoji, &changed);
    if (err == ERR_OK && changed)
        err = note_reaction(tx, a, &c, (struct change){0});
    return err == ERR_OK ? read_whole(tx, a) : err;
}

enum err
amend_clear(struct store *store, struct amendment *a)
{
    return run_on_reactions(store, clear_in_tx, a);
}
