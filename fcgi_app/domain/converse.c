/* converse.c - see converse.h. Must not know how a request came or where its answer goes. */
#include "domain/converse.h"

#include "base/buf.h"
#include "model/ids.h"
#include "model/names.h"
#include "domain/belong.h"
#include "store/accounts.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/messages.h"
#include "store/outbox.h"

/* Adds the creator to the members if they are not among them. */
static void
name_creator(struct creation *creation)
{
    if (creation->creator.p == NULL)
        return;
    for (size_t i = 0; i < creation->name_count; i++)
        if (str_eq(creation->names[i], creation->creator))
            return;
    creation->names[creation->name_count++] = creation->creator;
}

/* Checks the names, sorts them, and removes repeats. */
static enum err
check_names(struct creation *creation)
{
    size_t given = creation->name_count;
    size_t kept = 0;

    for (size_t i = 0; i < given; i++)
        if (!names_valid(creation->names[i])) {
            creation->wrong_name = creation->names[i];
            return ERR_MEMBER_NAME;
        }
    str_sort(creation->names, given);
    for (size_t i = 0; i < given; i++)
        if (kept == 0 || !str_eq(creation->names[kept - 1], creation->names[i]))
            creation->names[kept++] = creation->names[i];
    creation->name_count = kept;
    return creation->type == TYPE_PRIVATE && (given != 2 || kept != 2) ? ERR_MEMBER_COUNT : ERR_OK;
}

/* Finds the private chat of the pair. */
static enum err
find_pair(struct db *db, struct creation *creation, bool *found)
{
    struct conversation *c = &creation->conversation;
    int32_t id = 0;
    enum err err = conversations_by_pair(db, creation->names[0], creation->names[1], &id, found);

    if (err == ERR_OK && *found)
        err = conversations_get(db, creation->arena, id, c, found);
    if (err == ERR_OK && *found)
        err = memberships_names(db, creation->arena, c, MEMBERS_FEW);
    return err;
}

static enum role
role_at_first(const struct creation *creation, struct str name)
{
    bool owner =
        creation->type == TYPE_GROUP && creation->creator.p != NULL && str_eq(name, creation->creator);

    return owner ? ROLE_OWNER : ROLE_MEMBER;
}

/* Returns the fingerprint of the request in *fingerprint. The names must be sorted. */
static enum err
fingerprint_of(const struct creation *creation, int *fingerprint)
{
    struct buf all;
    enum err err;

    buf_init(&all);
    buf_printf(&all, "%d %d ", creation->type, creation->invite_only);
    buf_str(&all, creation->title);
    for (size_t i = 0; i < creation->name_count; i++) {
        buf_add(&all, "\0", 1);
        buf_str(&all, creation->names[i]);
    }
    err = buf_ok(&all) ? ERR_OK : ERR_MEMORY;
    *fingerprint = messages_fingerprint((struct str){all.p, all.n});
    buf_clear(&all);
    return err;
}

/*
 * Finds the conversation that was created under the key before. Only its members may repeat the
 * creation.
 */
static enum err
find_first(struct db *db, struct creation *creation, bool *found)
{
    struct conversation *c = &creation->conversation;
    enum role role = ROLE_MEMBER;
    int32_t id = CONVERSATION_NONE;
    int fingerprint = 0;
    enum err err = conversations_by_key(db, &creation->key, &id, &fingerprint, found);

    if (err != ERR_OK || !*found)
        return err;
    if (fingerprint != creation->key.fingerprint)
        return ERR_CREATION_MISMATCH;
    if (creation->verified)
        err = memberships_role(db, id, creation->creator, &role);
    if (err == ERR_OK && role == ROLE_NONE)
        err = ERR_NOT_A_MEMBER;
    if (err == ERR_OK)
        err = conversations_get(db, creation->arena, id, c, found);
    if (err == ERR_OK)
        err = memberships_names(db, creation->arena, c, MEMBERS_FEW);
    creation->replayed = err == ERR_OK;
    return err;
}

/* Creates the conversation with its members. */
static enum err
found(struct tx *tx, struct creation *creation)
{
    struct conversation *c = &creation->conversation;
    bool private = creation->type == TYPE_PRIVATE;
    struct str none = {0};
    enum err err = ERR_OK;

    *c = (struct conversation){
        .type = creation->type,
        .title = creation->title.p == NULL ? str_c("") : creation->title,
        .invite_only = creation->invite_only,
        .member_count = (int64_t)creation->name_count,
    };
    for (size_t i = 0; err == ERR_OK && i < creation->name_count; i++)
        err = accounts_add(tx, creation->names[i]);
    if (err == ERR_OK)
        err = conversations_add(tx, private ? creation->names[0] : none, private ? creation->names[1] : none,
                                c);
    for (size_t i = 0; err == ERR_OK && i < creation->name_count; i++)
        err = memberships_add(tx, c, creation->names[i], role_at_first(creation, creation->names[i]));
    if (err == ERR_OK)
        err = outbox_add(tx, EVENT_CONVERSATION_CREATED, c, 0, none);
    if (creation->name_count <= MEMBERS_FEW) {
        c->members = creation->names;
        c->members_read = creation->name_count;
    }
    return err;
}

static enum err
create_in_tx(struct tx *tx, void *arg)
{
    struct creation *creation = arg;
    bool keyed = creation->key.client_id.p != NULL;
    bool exists = false;
    enum err err = keyed ? find_first(tx->db, creation, &exists) : ERR_OK;

    if (err != ERR_OK || exists)
        return err;
    /* Another request may have committed since look_for_pair(). */
    if (creation->type == TYPE_PRIVATE)
        err = find_pair(tx->db, creation, &exists);
    if (err == ERR_OK && !exists)
        err = found(tx, creation);
    return err == ERR_OK && keyed ? conversations_add_key(tx, &creation->key, creation->conversation.id)
                                  : err;
}

/* Looks for the chat without a write, because clients often ask for a chat that exists. */
static enum err
look_for_pair(struct store *store, struct creation *creation, bool *exists)
{
    struct snapshot *snapshot;
    enum err err = snapshot_begin(store, &snapshot);

    if (err != ERR_OK)
        return err;
    err = find_pair(snapshot->db, creation, exists);
    snapshot_end(snapshot);
    return err;
}

/* New members are not read: the store adds those accounts that are missing. */
static enum err
create(struct store *store, struct creation *creation)
{
    struct command command = {
        .run = create_in_tx,
        .arg = creation,
        .bytes = creation->title.n + creation->name_count * 64,
        .reads = {.names = true},
    };

    if (creation->key.client_id.p != NULL) {
        command.reads.creation = &creation->key;
        command.reads.users[0] = creation->creator;
    }
    if (creation->type == TYPE_PRIVATE) {
        command.reads.low = creation->names[0];
        command.reads.high = creation->names[1];
    }
    return store_run(store, &command);
}

enum err
converse_create(struct store *store, struct creation *creation)
{
    bool exists = false;
    enum err err;

    name_creator(creation);
    err = check_names(creation);
    if (err == ERR_OK && creation->key.client_id.p != NULL)
        err = fingerprint_of(creation, &creation->key.fingerprint);
    else if (err == ERR_OK && creation->type == TYPE_PRIVATE)
        err = look_for_pair(store, creation, &exists);
    if (err != ERR_OK || exists)
        return err;
    return create(store, creation);
}

enum err
converse_show(const struct snapshot *snapshot, const struct access_list *list,
              void (*each)(void *arg, const struct conversation *c), void *arg)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < list->count; i++) {
        struct conversation c = list->found[i];
        struct arena own; /* of this conversation alone: there may be many, each with its members */

        arena_init(&own);
        err = memberships_names(snapshot->db, &own, &c, MEMBERS_FEW);
        if (err == ERR_OK)
            each(arg, &c);
        arena_clear(&own);
    }
    return err;
}

enum err
converse_find_as_member(struct db *db, struct arena *arena, int32_t id, struct str username,
                        struct conversation *c)
{
    int64_t joined_version = 0;
    bool found;
    bool is_member = false;
    enum err err = conversations_get(db, arena, id, c, &found);

    if (err == ERR_OK && !found)
        return ERR_CONVERSATION_UNKNOWN;
    if (err == ERR_OK)
        err = memberships_current(db, id, username, &joined_version, &is_member);
    return err == ERR_OK && !is_member ? ERR_NOT_A_MEMBER : err;
}

/*
 * Checks that the actor may change the settings. A group with an owner is renamed by admins only,
 * and who may join is always set by admins. Outsiders are refused before anything else is read.
 */
static enum err
check_settings_change(struct db *db, const struct settings_change *settings)
{
    const struct conversation *c = &settings->conversation;
    struct str owner;
    enum err err;

    if (settings->join != JOIN_STAYS)
        return c->type == TYPE_PRIVATE ? ERR_JOIN_POLICY
                                       : belong_check_role(db, c, settings->actor, ROLE_ADMIN);
    err = belong_check_role(db, c, settings->actor, ROLE_ADMIN);
    if (err != ERR_ROLE)
        return err;
    err = memberships_owner(db, settings->arena, c->id, &owner);
    return err == ERR_OK && owner.p != NULL ? ERR_ROLE : err;
}

static enum err
set_settings_in_tx(struct tx *tx, void *arg)
{
    struct settings_change *settings = arg;
    struct conversation *c = &settings->conversation;
    struct str title;
    bool invite_only;
    bool found;
    enum err err = conversations_get(tx->db, settings->arena, settings->id, c, &found);

    if (err == ERR_OK && !found)
        err = ERR_CONVERSATION_UNKNOWN;
    if (err == ERR_OK)
        err = check_settings_change(tx->db, settings);
    if (err == ERR_OK)
        err = memberships_names(tx->db, settings->arena, c, MEMBERS_FEW);
    if (err != ERR_OK)
        return err;
    title = settings->title.p == NULL ? c->title : settings->title;
    invite_only = settings->join == JOIN_STAYS ? c->invite_only : settings->join == JOIN_INVITE;
    if (str_eq(c->title, title) && c->invite_only == invite_only)
        return ERR_OK;
    c->title = title;
    c->invite_only = invite_only;
    err = conversations_bump(tx, c, 0, 0);
    if (err == ERR_OK)
        err = conversations_set_settings(tx, c);
    if (err == ERR_OK)
        err = outbox_add(tx, EVENT_CONVERSATION_UPDATED, c, c->last_seq, (struct str){0});
    return err;
}

enum err
converse_set_settings(struct store *store, struct settings_change *settings)
{
    return store_run(store, &(struct command){
                                .run = set_settings_in_tx,
                                .arg = settings,
                                .bytes = settings->title.n,
                                .reads =
                                    {
                                        .conversation = settings->id,
                                        .users = {settings->actor.username},
                                        .names = true,
                                        .owner = settings->join == JOIN_STAYS,
                                    },
                            });
}

bool
converse_title_valid(struct str title)
{
    size_t chars = 0;

    /* Every byte that does not continue a character begins one. */
    for (size_t i = 0; i < title.n; i++)
        if (((unsigned char)title.p[i] & 0xc0) != 0x80)
            chars++;
    return chars <= TITLE_CHARS_MAX;
}

enum err
converse_check_member(const struct snapshot *snapshot, struct arena *arena, int32_t conversation,
                      struct str username, bool *few)
{
    struct conversation c = {0};
    enum err err = converse_find_as_member(snapshot->db, arena, conversation, username, &c);

    *few = c.member_count <= MEMBERS_FEW;
    return err;
}

enum err
converse_members(const struct snapshot *snapshot, struct arena *arena, struct conversation *c, int64_t limit)
{
    return c->member_count > limit ? ERR_TOO_MANY_MEMBERS : memberships_names(snapshot->db, arena, c, limit);
}

enum err
converse_list_members(const struct snapshot *snapshot, struct arena *arena, struct membership_page *page)
{
    return memberships_page(snapshot->db, arena, page);
}
