/* belong.c - see belong.h. Must not know how a request came or where its answer goes. */
#include "domain/belong.h"

#include "model/names.h"
#include "store/accounts.h"
#include "store/conversations.h"
#include "store/memberships.h"
#include "store/outbox.h"

/* The facts that a command decides by. */
struct scene {
    struct tx *tx;
    struct belonging *b;
    struct conversation c;
    enum role actor;  /* the actor's role; ROLE_NONE: not a member */
    enum role user;   /* the user's role */
    struct stay stay; /* the user's last, if there is one */
    bool removed;     /* another user ended it */
    bool alone;       /* the actor is the user in question */
    bool names;       /* the command creates the user's account if there is none */
};

/* Returns the actor's role in *role. A site administrator has the rights of an owner. */
static enum err
actor_role(struct db *db, int32_t conversation, struct actor actor, enum role *role)
{
    *role = ROLE_OWNER;
    return actor.any ? ERR_OK : memberships_role(db, conversation, actor.username, role);
}

enum err
belong_check_role(struct db *db, const struct conversation *c, struct actor actor, enum role needed)
{
    enum role role;
    enum err err = actor_role(db, c->id, actor, &role);

    if (err != ERR_OK)
        return err;
    if (role == ROLE_NONE)
        return ERR_NOT_A_MEMBER;
    return role < needed ? ERR_ROLE : ERR_OK;
}

/* Reads the user's present role and last stay. */
static enum err
find_user(struct scene *s)
{
    bool found;
    enum err err = memberships_last(s->tx->db, s->c.id, s->b->username, &s->stay, &found);
    bool present = found && s->stay.left_version == 0;

    s->user = present ? s->stay.role : ROLE_NONE;
    s->removed = found && !present && s->stay.removed;
    return err;
}

/* Reads the scene, and makes the checks that all commands share. */
static enum err
enter(struct scene *s, enum err if_private)
{
    struct belonging *b = s->b;
    struct db *db = s->tx->db;
    bool found;
    enum err err = conversations_get(db, b->arena, b->conversation, &s->c, &found);

    if (err == ERR_OK && !found)
        err = ERR_CONVERSATION_UNKNOWN;
    if (err == ERR_OK && s->c.type == TYPE_PRIVATE)
        err = if_private;
    if (err == ERR_OK)
        err = accounts_exists(db, b->username, &found);
    if (b->actor.username.p == NULL)
        b->actor.username = b->username;
    s->alone = str_eq(b->actor.username, b->username);
    if (err == ERR_OK && !found &&
        !((s->names || (s->alone && b->actor.verified)) && names_valid(b->username)))
        err = ERR_USERNAME_UNKNOWN;
    if (err == ERR_OK)
        err = actor_role(db, s->c.id, b->actor, &s->actor);
    return err == ERR_OK ? find_user(s) : err;
}

/* Checks that the user may become a member. */
static enum err
check_join(struct scene *s, enum err if_stranger)
{
    if (!s->alone && s->actor == ROLE_NONE)
        return if_stranger;
    if (s->alone && s->c.invite_only && !s->b->actor.any)
        return ERR_INVITE_ONLY;
    if (!s->removed || s->actor >= ROLE_ADMIN)
        return ERR_OK;
    return s->alone ? ERR_REMOVED : ERR_ROLE;
}

static enum err
join(struct scene *s)
{
    struct str username = s->b->username;
    enum err err = conversations_bump(s->tx, &s->c, 0, 1);

    if (err == ERR_OK)
        err = accounts_add(s->tx, username);
    if (err == ERR_OK)
        err = memberships_add(s->tx, &s->c, username, ROLE_MEMBER);
    if (err == ERR_OK)
        err = outbox_add(s->tx, EVENT_MEMBER_JOINED, &s->c, s->c.last_seq, username);
    s->user = ROLE_MEMBER;
    return err;
}

static enum err
give_role(struct scene *s, struct str username, enum role role)
{
    enum err err = conversations_bump(s->tx, &s->c, 0, 0);

    if (err == ERR_OK)
        err = memberships_set_role(s->tx, &s->c, username, role);
    return err == ERR_OK ? outbox_add(s->tx, EVENT_MEMBER_UPDATED, &s->c, s->c.last_seq, username) : err;
}

/* Ends the user's stay. If they own the group, the next owner takes their place. */
static enum err
leave(struct scene *s)
{
    struct str username = s->b->username;
    struct str heir = {0};
    enum err err = ERR_OK;

    if (s->user == ROLE_OWNER)
        err = memberships_heir(s->tx->db, s->b->arena, s->c.id, &heir);
    if (err == ERR_OK)
        err = conversations_bump(s->tx, &s->c, 0, -1);
    if (err == ERR_OK)
        err = memberships_end(s->tx, &s->c, username, s->stay.joined_version, !s->alone);
    if (err == ERR_OK)
        err = outbox_add(s->tx, EVENT_MEMBER_LEFT, &s->c, s->c.last_seq, username);
    return err == ERR_OK && heir.p != NULL ? give_role(s, heir, ROLE_OWNER) : err;
}

static enum err
join_in_tx(struct tx *tx, void *arg)
{
    struct scene s = {.tx = tx, .b = arg};
    enum err err = enter(&s, ERR_JOIN_PRIVATE);

    if (err == ERR_OK && s.user == ROLE_NONE)
        err = check_join(&s, ERR_NOT_YOURSELF);
    if (err == ERR_OK && s.user == ROLE_NONE)
        err = join(&s);
    return err;
}

static enum err
leave_in_tx(struct tx *tx, void *arg)
{
    struct scene s = {.tx = tx, .b = arg};
    enum err err = enter(&s, ERR_LEAVE_PRIVATE);

    return err == ERR_OK && s.user != ROLE_NONE ? leave(&s) : err;
}

/* Makes the user the owner. The present owner, if there is one, becomes an admin. */
static enum err
hand_over(struct scene *s, struct str owner)
{
    enum err err = owner.p != NULL ? give_role(s, owner, ROLE_ADMIN) : ERR_OK;

    return err == ERR_OK ? give_role(s, s->b->username, ROLE_OWNER) : err;
}

static enum err
set_in_tx(struct tx *tx, void *arg)
{
    struct belonging *b = arg;
    struct scene s = {.tx = tx, .b = b, .names = true};
    struct str owner = {0};
    bool gives; /* the user gets a role that differs from their own, or from a new member's */
    enum err err = enter(&s, ERR_JOIN_PRIVATE);

    if (err == ERR_OK && s.user == ROLE_NONE)
        err = check_join(&s, ERR_NOT_A_MEMBER);
    else if (err == ERR_OK && s.actor == ROLE_NONE)
        err = ERR_NOT_A_MEMBER;
    if (err != ERR_OK)
        return err;
    gives = b->role != ROLE_NONE && b->role != (s.user == ROLE_NONE ? ROLE_MEMBER : s.user);
    if (gives && s.actor != ROLE_OWNER)
        return ERR_ROLE;
    if (b->role != ROLE_NONE && s.user == ROLE_OWNER && b->role != ROLE_OWNER)
        return ERR_OWNER;
    if (gives && b->role == ROLE_OWNER)
        err = memberships_owner(tx->db, b->arena, s.c.id, &owner);
    if (err == ERR_OK && s.user == ROLE_NONE)
        err = join(&s);
    if (err == ERR_OK && gives)
        err = b->role == ROLE_OWNER ? hand_over(&s, owner) : give_role(&s, b->username, b->role);
    if (b->role == ROLE_NONE)
        b->role = s.user;
    return err;
}

static enum err
remove_in_tx(struct tx *tx, void *arg)
{
    struct scene s = {.tx = tx, .b = arg};
    enum err err = enter(&s, ERR_LEAVE_PRIVATE);

    if (err != ERR_OK)
        return err;
    if (!s.alone && s.actor == ROLE_NONE)
        return ERR_NOT_A_MEMBER;
    /*
     * An admin can remove members, the owner also admins. Only a site administrator can remove the
     * owner.
     */
    if (!s.alone && !s.b->actor.any && (s.actor < ROLE_ADMIN || s.user >= s.actor))
        return ERR_ROLE;
    return s.user != ROLE_NONE ? leave(&s) : ERR_OK;
}

/* What each command of this file reads; some read more. */
static struct command
command_of(command_fn *run, struct belonging *b)
{
    return (struct command){
        .run = run,
        .arg = b,
        .bytes = b->username.n,
        .reads = {.conversation = b->conversation, .users = {b->username, b->actor.username}},
    };
}

enum err
belong_join(struct store *store, struct belonging *b)
{
    const struct command command = command_of(join_in_tx, b);

    return store_run(store, &command);
}

enum err
belong_leave(struct store *store, struct belonging *b)
{
    struct command command = command_of(leave_in_tx, b);

    command.reads.heir = true;
    return store_run(store, &command);
}

enum err
belong_set(struct store *store, struct belonging *b)
{
    struct command command = command_of(set_in_tx, b);

    command.reads.owner = b->role == ROLE_OWNER;
    return store_run(store, &command);
}

enum err
belong_remove(struct store *store, struct belonging *b)
{
    struct command command = command_of(remove_in_tx, b);

    command.reads.heir = true;
    return store_run(store, &command);
}
