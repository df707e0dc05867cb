/*
 * Checks who may join, add, remove, give roles, rename, open and close a group, and delete in it:
 * every role towards every other, against the rules written down a second time. Random sequences
 * must end as by those rules. Each change counts one version and queues one event. Refused commands
 * and repeats change nothing. Checks succession and removals.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "domain/amend.h"
#include "domain/belong.h"
#include "domain/converse.h"
#include "store/memberships.h"

/* --- the rules, a second time: a group as plain arrays */

#define PEOPLE 6
#define LAST   (PEOPLE - 1) /* a name that is not an account yet */

static char last_name[16] = "fay";
static const char *const people[PEOPLE] = {"ann", "bob", "cid", "dan", "eve", last_name};

struct group {
    bool known[PEOPLE]; /* has an account */
    enum role role[PEOPLE];
    int since[PEOPLE]; /* a member since which version */
    bool removed[PEOPLE];
    bool invite;
    int title;
    int version;
    int sender; /* of the one message */
    bool deleted;
};

enum verb { JOIN, LEAVE, SET, REMOVE, NAME, DELETE, COMMANDS };

struct order {
    enum verb command;
    int actor;
    bool any; /* by an administrator's own authority */
    bool verified;
    int user;                /* of JOIN, SET, REMOVE; LEAVE: the actor */
    enum role role;          /* of SET */
    int title;               /* of NAME; -1: not given */
    enum join_policy policy; /* of NAME */
};

static enum role
power_of(const struct group *g, const struct order *o)
{
    return o->any ? ROLE_OWNER : g->role[o->actor];
}

static int
owner_of(const struct group *g)
{
    for (int i = 0; i < PEOPLE; i++)
        if (g->role[i] == ROLE_OWNER)
            return i;
    return -1;
}

static void
enter_group(struct group *g, int user)
{
    g->known[user] = true;
    g->role[user] = ROLE_MEMBER;
    g->since[user] = ++g->version;
    g->removed[user] = false;
}

static void
leave_group(struct group *g, int user, bool by_another)
{
    bool owned = g->role[user] == ROLE_OWNER;
    int heir = -1;

    g->role[user] = ROLE_NONE;
    g->removed[user] = by_another;
    g->version++;
    if (!owned)
        return;
    for (int i = 0; i < PEOPLE; i++)
        if (g->role[i] != ROLE_NONE && (heir < 0 || g->role[i] > g->role[heir] ||
                                        (g->role[i] == g->role[heir] && g->since[i] < g->since[heir])))
            heir = i;
    if (heir >= 0) {
        g->role[heir] = ROLE_OWNER;
        g->version++;
    }
}

/* Returns whether the user may become a member. Call it only if they are not one. */
static enum err
door(const struct group *g, const struct order *o, enum err if_stranger)
{
    bool alone = o->actor == o->user;

    if (o->any)
        return ERR_OK;
    if (alone)
        return g->invite ? ERR_INVITE_ONLY : g->removed[o->user] ? ERR_REMOVED : ERR_OK;
    if (g->role[o->actor] == ROLE_NONE)
        return if_stranger;
    return g->removed[o->user] && g->role[o->actor] == ROLE_MEMBER ? ERR_ROLE : ERR_OK;
}

static enum err
order_to_set(struct group *g, const struct order *o)
{
    bool here = g->role[o->user] != ROLE_NONE;
    enum role has = here ? g->role[o->user] : ROLE_MEMBER;
    int owner = owner_of(g);
    enum err err;

    if (here && power_of(g, o) == ROLE_NONE)
        return ERR_NOT_A_MEMBER;
    err = here ? ERR_OK : door(g, o, ERR_NOT_A_MEMBER);
    if (err != ERR_OK)
        return err;
    if (o->role != ROLE_NONE && o->role != has) {
        if (power_of(g, o) != ROLE_OWNER)
            return ERR_ROLE;
        if (has == ROLE_OWNER)
            return ERR_OWNER;
    }
    if (!here)
        enter_group(g, o->user);
    if (o->role == ROLE_NONE || o->role == has)
        return ERR_OK;
    if (o->role == ROLE_OWNER && owner >= 0) {
        g->role[owner] = ROLE_ADMIN;
        g->version++;
    }
    g->role[o->user] = o->role;
    g->version++;
    return ERR_OK;
}

static enum err
order_to_remove(struct group *g, const struct order *o)
{
    enum role power = power_of(g, o);
    bool alone = o->actor == o->user;

    if (!alone && power == ROLE_NONE)
        return ERR_NOT_A_MEMBER;
    if (!alone && !o->any && (power == ROLE_MEMBER || g->role[o->user] >= power))
        return ERR_ROLE;
    if (g->role[o->user] != ROLE_NONE)
        leave_group(g, o->user, !alone);
    return ERR_OK;
}

static enum err
order_to_name(struct group *g, const struct order *o)
{
    enum role power = power_of(g, o);
    bool invite = o->policy == JOIN_STAYS ? g->invite : o->policy == JOIN_INVITE;
    int title = o->title < 0 ? g->title : o->title;

    if (power == ROLE_NONE)
        return ERR_NOT_A_MEMBER;
    if (power == ROLE_MEMBER && (o->policy != JOIN_STAYS || owner_of(g) >= 0))
        return ERR_ROLE;
    g->version += invite != g->invite || title != g->title;
    g->invite = invite;
    g->title = title;
    return ERR_OK;
}

static enum err
order_to_delete(struct group *g, const struct order *o)
{
    if (o->actor != g->sender && power_of(g, o) < ROLE_ADMIN)
        return ERR_NOT_THE_SENDER;
    g->version += !g->deleted;
    g->deleted = true;
    return ERR_OK;
}

static enum err
by_the_rules(struct group *g, const struct order *o)
{
    bool about_user = o->command == JOIN || o->command == LEAVE || o->command == SET || o->command == REMOVE;
    enum err err;

    /* Only setting a membership creates an unknown user. */
    if (about_user && o->command != SET && !g->known[o->user] && !(o->actor == o->user && o->verified))
        return ERR_USERNAME_UNKNOWN;
    switch (o->command) {
    case JOIN:
        err = g->role[o->user] != ROLE_NONE ? ERR_OK : door(g, o, ERR_NOT_YOURSELF);
        if (err == ERR_OK && g->role[o->user] == ROLE_NONE)
            enter_group(g, o->user);
        return err;
    case LEAVE:
        if (g->role[o->user] != ROLE_NONE)
            leave_group(g, o->user, false);
        return ERR_OK;
    case SET:
        return order_to_set(g, o);
    case REMOVE:
        return order_to_remove(g, o);
    case NAME:
        return order_to_name(g, o);
    default:
        return order_to_delete(g, o);
    }
}

/* --- the same commands in imd */

static const char *const titles[] = {"", "one", "two"};

struct hall {
    struct place *place;
    int64_t id;
    int64_t message;
    int64_t changes_before; /* last_change, before the group was created */
};

static enum err
by_imd(const struct hall *h, const struct order *o)
{
    struct store *store = &h->place->store;
    struct actor actor = {str_c(people[o->actor]), o->verified, o->any};
    struct belonging b = {&h->place->arena, h->id, actor, str_c(people[o->user]), o->role};
    struct settings_change settings = {
        .arena = &h->place->arena, .id = h->id, .actor = actor, .join = o->policy};
    struct amendment a = {.arena = &h->place->arena, .id = h->message, .actor = actor};

    switch (o->command) {
    case JOIN:
        return belong_join(store, &b);
    case LEAVE:
        return belong_leave(store, &b);
    case SET:
        return belong_set(store, &b);
    case REMOVE:
        return belong_remove(store, &b);
    case NAME:
        if (o->title >= 0)
            settings.title = str_c(titles[o->title]);
        return converse_set_settings(store, &settings);
    default:
        return amend_delete(store, &a);
    }
}

/* Returns the whole state of a group as text. */
static const char *
as_it_should_be(struct place *place, const struct group *g)
{
    char text[512];
    size_t n =
        (size_t)snprintf(text, sizeof(text), "%d %s%s'%s' noted %d", g->version, g->invite ? "invite " : "",
                         g->deleted ? "deleted " : "", titles[g->title], g->version);

    for (int i = 0; i < PEOPLE; i++)
        if (g->role[i] != ROLE_NONE)
            n += (size_t)snprintf(text + n, sizeof(text) - n, " %s:%s", people[i], role_names[g->role[i]]);
    for (int i = 0; i < PEOPLE; i++)
        if (g->known[i])
            n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", people[i]);
    return arena_copy(&place->arena, str_c(text)).p;
}

/* Appends " name:role" for each member. */
static const char *
members_of(struct place *place, int64_t group)
{
    struct snapshot *snapshot = support_begin(place);
    struct conversation c = *support_find(place, snapshot, group);
    char text[256] = "";
    size_t n = 0;

    assert_int_equal(memberships_names(snapshot->db, &place->arena, &c, MEMBERS_FEW), ERR_OK);
    for (size_t i = 0; i < c.members_read; i++) {
        enum role role;

        assert_int_equal(memberships_role(snapshot->db, c.id, c.members[i], &role), ERR_OK);
        n += (size_t)snprintf(text + n, sizeof(text) - n, " %s:%s", c.members[i].p, role_names[role]);
    }
    snapshot_end(snapshot);
    return arena_copy(&place->arena, str_c(text)).p;
}

static const char *
as_it_is(const struct hall *h)
{
    struct place *place = h->place;
    struct conversation c = support_conversation(place, h->id);
    struct message m;
    char text[512];
    size_t n;

    assert_int_equal(support_message(place, h->message, &m), ERR_OK);
    n = (size_t)snprintf(text, sizeof(text), "%d %s%s'%s' noted %d%s", (int)c.version,
                         c.invite_only ? "invite " : "", m.deleted_at != 0 ? "deleted " : "", c.title.p,
                         (int)(support_instance(place).last_change - h->changes_before),
                         members_of(place, h->id));
    for (int i = 0; i < PEOPLE; i++)
        if (support_has_account(place, people[i]))
            n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", people[i]);
    return arena_copy(&place->arena, str_c(text)).p;
}

static const char *
in_words(const struct order *o)
{
    static const char *const names[] = {"join", "leave", "set", "remove", "name", "delete"};
    static char text[256];

    snprintf(text, sizeof(text), "%s%s%s: %s %s to %s, title %d, policy %d", people[o->actor],
             o->any ? " by authority" : "", o->verified ? ", verified" : "", names[o->command],
             people[o->user], role_names[o->role], o->title, (int)o->policy);
    return text;
}

static void
assert_the_same(const struct hall *h, struct group *g, const struct order *o)
{
    enum err wanted = by_the_rules(g, o);
    enum err err = by_imd(h, o);
    const char *should = as_it_should_be(h->place, g);
    const char *is = as_it_is(h);

    if (err != wanted || strcmp(should, is) != 0)
        fail_msg("%s: %d, not %d\n is:     %s\n should: %s", in_words(o), (int)err, (int)wanted, is, should);
    arena_reset(&h->place->arena);
}

/*
 * Creates a group in which the first three are members. The creator is 0, or none (-1). Its message
 * is bob's.
 */
static void
found_group(struct hall *h, struct group *g, struct place *place, int creator)
{
    struct str names[4] = {str_c(people[0]), str_c(people[1]), str_c(people[2])};
    struct creation creation = {.arena = &place->arena, .type = TYPE_GROUP, .names = names, .name_count = 3};

    if (creator >= 0)
        creation.creator = str_c(people[creator]);
    assert_int_equal(converse_create(&place->store, &creation), ERR_OK);
    *h = (struct hall){.place = place, .id = creation.conversation.id};
    h->changes_before = support_instance(place).last_change - 1;
    h->message = support_send(place, h->id, people[1], "x").id;
    *g = (struct group){.version = 2, .sender = 1};
    for (int i = 0; i < LAST; i++)
        g->known[i] = true;
    g->known[LAST] = support_has_account(place, last_name);
    for (int i = 0; i < 3; i++) {
        g->role[i] = i == creator ? ROLE_OWNER : ROLE_MEMBER;
        g->since[i] = 1;
    }
}

/* All but the last have accounts, because a group of their own names them. */
static void
name_everybody(struct place *place)
{
    support_create(place, TYPE_GROUP, "ann bob cid dan eve");
}

/* --- tables */

/* ann is the owner, bob an admin, cid a member, dan was removed, eve and fay never were members. */
static void
prepare(struct hall *h, struct group *g, struct place *place, bool invite)
{
    const struct order orders[] = {
        {.command = SET, .actor = 0, .user = 1, .role = ROLE_ADMIN},
        {.command = SET, .actor = 2, .user = 3},
        {.command = REMOVE, .actor = 1, .user = 3},
        {.command = NAME, .actor = 0, .title = -1, .policy = invite ? JOIN_INVITE : JOIN_OPEN},
    };

    found_group(h, g, place, 0);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        assert_the_same(h, g, &orders[i]);
}

/* Tries the command. If it changed the group, the group is replaced by a new one. */
static void
try(struct hall *h, struct group *g, const struct order *o, bool invite)
{
    static int last_number;
    struct place *place = h->place;
    int version = g->version;

    assert_the_same(h, g, o);
    if (g->version == version)
        return;
    /* Accounts remain, so after a change the last name is replaced by a new one. */
    if (support_has_account(place, last_name))
        snprintf(last_name, sizeof(last_name), "fay%d", ++last_number);
    prepare(h, g, place, invite);
}

static void
every_command_of_every_user_about_every_other_follows_the_rules(void **state)
{
    static const enum verb commands[] = {JOIN, SET, REMOVE};
    struct place *place = *state;
    struct hall h;
    struct group g;

    name_everybody(place);
    for (int invite = 0; invite < 2; invite++) {
        prepare(&h, &g, place, invite);
        for (int actor = 0; actor < PEOPLE; actor++)
            for (int user = 0; user < PEOPLE; user++)
                for (int flags = 0; flags < 3; flags++)
                    for (size_t c = 0; c < 3; c++)
                        for (int role = ROLE_NONE; role <= (commands[c] == SET ? ROLE_OWNER : ROLE_NONE);
                             role++)
                            try(&h, &g,
                                &(struct order){.command = commands[c],
                                                .actor = actor,
                                                .user = user,
                                                .role = (enum role)role,
                                                .verified = flags > 0,
                                                .any = flags > 1},
                                invite);
    }
}

static void
every_user_renames_leaves_and_deletes_by_the_rules(void **state)
{
    struct place *place = *state;
    struct hall h;
    struct group g;

    name_everybody(place);
    for (int invite = 0; invite < 2; invite++) {
        prepare(&h, &g, place, invite);
        for (int actor = 0; actor < PEOPLE; actor++)
            for (int flags = 0; flags < 3; flags++) {
                struct order o = {.actor = actor, .user = actor, .verified = flags > 0, .any = flags > 1};

                o.command = LEAVE;
                try(&h, &g, &o, invite);
                o.command = DELETE;
                try(&h, &g, &o, invite);
                o.command = NAME;
                for (o.title = -1; o.title < 2; o.title++)
                    for (int policy = JOIN_STAYS; policy <= JOIN_INVITE; policy++) {
                        o.policy = (enum join_policy)policy;
                        try(&h, &g, &o, invite);
                    }
            }
    }
}

static void
a_group_without_an_owner_can_only_be_renamed(void **state)
{
    struct place *place = *state;
    struct order o = {.actor = 2, .user = 1};
    struct hall h;
    struct group g;

    name_everybody(place);
    found_group(&h, &g, place, -1);
    for (int command = SET; command < COMMANDS; command++)
        for (int role = ROLE_NONE; role <= ROLE_OWNER; role++)
            for (int title = -1; title < 2; title++)
                for (int policy = JOIN_STAYS; policy <= JOIN_INVITE; policy++) {
                    o.command = (enum verb)command;
                    o.role = (enum role)role;
                    o.title = title;
                    o.policy = (enum join_policy)policy;
                    assert_the_same(&h, &g, &o);
                }
    assert_string_equal(titles[g.title], "one");
    assert_int_equal(owner_of(&g), -1);
    /* A site administrator may give it an owner; then it is a group like others. */
    o = (struct order){
        .command = SET, .actor = LAST, .any = true, .verified = true, .user = 1, .role = ROLE_OWNER};
    assert_the_same(&h, &g, &o);
    assert_int_equal(owner_of(&g), 1);
    o = (struct order){.command = NAME, .actor = 2, .title = 2};
    assert_the_same(&h, &g, &o);
    assert_int_equal(g.title, 1);
}

/* --- random sequences */

static struct order
any_order(struct chance *chance)
{
    struct order o = {.command = (enum verb)support_draw(chance, COMMANDS)};

    o.actor = (int)support_draw(chance, PEOPLE);
    o.user = o.command == LEAVE ? o.actor : (int)support_draw(chance, PEOPLE);
    o.any = support_draw(chance, 12) == 0;
    o.verified = o.any || support_draw(chance, 2) == 0;
    if (o.command == SET)
        o.role = (enum role)support_draw(chance, 4);
    o.title = -1;
    if (o.command == NAME) {
        o.title = (int)support_draw(chance, 4) - 1;
        o.policy = (enum join_policy)support_draw(chance, 3);
    }
    return o;
}

static void
random_sequences_end_as_by_the_rules(void **state)
{
    struct place *place = *state;
    struct chance chance;

    support_chance(&chance);
    name_everybody(place);
    for (int round = 0; round < 12; round++) {
        struct hall h;
        struct group g;

        found_group(&h, &g, place, round % 4 == 3 ? -1 : 0);
        for (int i = 0; i < 150; i++) {
            struct order o = any_order(&chance);

            assert_the_same(&h, &g, &o);
        }
    }
}

/* --- cases that the rules above do not cover */

static enum err
give(struct place *place, int64_t group, const char *actor, const char *user, enum role role)
{
    struct belonging b = {&place->arena, group, {str_c(actor), true, false}, str_c(user), role};

    return belong_set(&place->store, &b);
}

static enum err
take_away(struct place *place, int64_t group, const char *actor, const char *user)
{
    struct belonging b = {&place->arena, group, {str_c(actor), true, false}, str_c(user), ROLE_NONE};

    return belong_remove(&place->store, &b);
}

static int64_t
create_owned(struct place *place, const char *creator, const char *other)
{
    struct str names[3] = {str_c(creator), str_c(other)};
    struct creation creation = {.arena = &place->arena,
                                .type = TYPE_GROUP,
                                .names = names,
                                .name_count = 2,
                                .creator = str_c(creator)};

    assert_int_equal(converse_create(&place->store, &creation), ERR_OK);
    return creation.conversation.id;
}

/* Returns "version event user" of the last changes, oldest first. */
static const char *
last_changes(struct place *place, int count)
{
    struct change *changes;
    size_t all = support_changes(place, &changes);
    char text[256] = "";
    size_t n = 0;

    for (size_t i = all - (size_t)count; i < all; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d %s %s", n > 0 ? ", " : "",
                              (int)changes[i].version, change_event_names[changes[i].event],
                              changes[i].username.p);
    return arena_copy(&place->arena, str_c(text)).p;
}

static enum role
role_of(struct place *place, int64_t group, const char *username)
{
    struct snapshot *snapshot = support_begin(place);
    enum role role;

    assert_int_equal(memberships_role(snapshot->db, (int32_t)group, str_c(username), &role), ERR_OK);
    snapshot_end(snapshot);
    return role;
}

static void
each_change_of_a_member_is_noted(void **state)
{
    struct place *place = *state;
    int64_t group = create_owned(place, "ann", "bob");

    assert_int_equal(give(place, group, "ann", "bob", ROLE_ADMIN), ERR_OK);
    assert_string_equal(last_changes(place, 1), "2 member.updated bob");
    support_create(place, TYPE_GROUP, "cid");
    assert_int_equal(give(place, group, "ann", "cid", ROLE_ADMIN), ERR_OK);
    assert_string_equal(last_changes(place, 2), "3 member.joined cid, 4 member.updated cid");
    assert_int_equal(give(place, group, "ann", "cid", ROLE_OWNER), ERR_OK);
    assert_string_equal(last_changes(place, 2), "5 member.updated ann, 6 member.updated cid");
    assert_int_equal(take_away(place, group, "cid", "bob"), ERR_OK);
    assert_string_equal(last_changes(place, 1), "7 member.left bob");
    support_leave(place, group, "cid");
    assert_string_equal(last_changes(place, 2), "8 member.left cid, 9 member.updated ann");
    support_leave(place, group, "ann");
    assert_string_equal(last_changes(place, 1), "10 member.left ann");
    /* The group is empty: the next member does not own it. */
    support_join(place, group, "cid");
    assert_int_equal(role_of(place, group, "cid"), ROLE_MEMBER);
}

static void
a_command_returns_the_role(void **state)
{
    static const struct {
        const char *user;
        enum role given;
        enum role told;
    } cases[] = {{"ann", ROLE_NONE, ROLE_OWNER},  {"bob", ROLE_NONE, ROLE_MEMBER},
                 {"bob", ROLE_ADMIN, ROLE_ADMIN}, {"bob", ROLE_NONE, ROLE_ADMIN},
                 {"cid", ROLE_NONE, ROLE_MEMBER}, {"bob", ROLE_OWNER, ROLE_OWNER},
                 {"ann", ROLE_NONE, ROLE_ADMIN}};
    struct place *place = *state;
    int64_t group = create_owned(place, "ann", "bob");

    support_create(place, TYPE_GROUP, "cid");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct belonging b = {
            &place->arena, group, {str_c("ann"), true, false}, str_c(cases[i].user), cases[i].given};

        assert_int_equal(belong_set(&place->store, &b), ERR_OK);
        assert_int_equal(b.role, cases[i].told);
    }
}

static const char *
owner_is(struct place *place, int64_t group)
{
    struct snapshot *snapshot = support_begin(place);
    struct str owner;

    assert_int_equal(memberships_owner(snapshot->db, &place->arena, (int32_t)group, &owner), ERR_OK);
    snapshot_end(snapshot);
    return owner.p == NULL ? "nobody" : owner.p;
}

static void
the_longest_standing_admin_or_else_member_succeeds(void **state)
{
    struct place *place = *state;
    int64_t group = create_owned(place, "zoe", "mia");

    support_create(place, TYPE_GROUP, "ann bob");
    support_join(place, group, "bob");
    support_join(place, group, "ann");
    /* Seniority of admins counts from when they joined, not from when they became admins. */
    assert_int_equal(give(place, group, "zoe", "ann", ROLE_ADMIN), ERR_OK);
    assert_int_equal(give(place, group, "zoe", "bob", ROLE_ADMIN), ERR_OK);
    support_leave(place, group, "zoe");
    assert_string_equal(owner_is(place, group), "bob");
    support_leave(place, group, "bob");
    assert_string_equal(owner_is(place, group), "ann");
    /* A member who returns has the least seniority. */
    support_join(place, group, "zoe");
    support_leave(place, group, "mia");
    support_join(place, group, "mia");
    support_leave(place, group, "ann");
    assert_string_equal(owner_is(place, group), "zoe");
    support_leave(place, group, "zoe");
    assert_string_equal(owner_is(place, group), "mia");
    support_leave(place, group, "mia");
    assert_string_equal(owner_is(place, group), "nobody");
}

static void
removed_users_cannot_rejoin_until_they_are_added(void **state)
{
    struct place *place = *state;
    int64_t group = create_owned(place, "ann", "bob");

    support_create(place, TYPE_GROUP, "cid");
    support_join(place, group, "cid");
    assert_int_equal(take_away(place, group, "ann", "bob"), ERR_OK);
    assert_int_equal(support_try_join(place, group, "bob"), ERR_REMOVED);
    assert_int_equal(give(place, group, "cid", "bob", ROLE_NONE), ERR_ROLE);
    assert_int_equal(give(place, group, "ann", "bob", ROLE_NONE), ERR_OK);
    /* A user who then leaves by themselves may return by themselves. */
    support_leave(place, group, "bob");
    support_join(place, group, "bob");
    /* A user who has left cannot be removed afterwards. */
    support_leave(place, group, "bob");
    assert_int_equal(take_away(place, group, "ann", "bob"), ERR_OK);
    support_join(place, group, "bob");
    /* Removing oneself is leaving. */
    assert_int_equal(take_away(place, group, "bob", "bob"), ERR_OK);
    support_join(place, group, "bob");
}

static void
a_private_chat_has_no_roles(void **state)
{
    struct place *place = *state;
    struct str names[3] = {str_c("ann"), str_c("bob")};
    struct creation creation = {.arena = &place->arena,
                                .type = TYPE_PRIVATE,
                                .names = names,
                                .name_count = 2,
                                .creator = str_c("ann")};
    int64_t chat;

    assert_int_equal(converse_create(&place->store, &creation), ERR_OK);
    chat = creation.conversation.id;
    assert_string_equal(owner_is(place, chat), "nobody");
    for (int any = 0; any < 2; any++) {
        struct actor actor = {str_c("ann"), true, any != 0};
        struct belonging b = {&place->arena, chat, actor, str_c("bob"), ROLE_ADMIN};
        struct settings_change settings = {
            .arena = &place->arena, .id = chat, .actor = actor, .join = JOIN_INVITE};

        assert_int_equal(belong_set(&place->store, &b), ERR_JOIN_PRIVATE);
        assert_int_equal(belong_join(&place->store, &b), ERR_JOIN_PRIVATE);
        assert_int_equal(belong_remove(&place->store, &b), ERR_LEAVE_PRIVATE);
        assert_int_equal(belong_leave(&place->store, &b), ERR_LEAVE_PRIVATE);
        assert_int_equal(converse_set_settings(&place->store, &settings), ERR_JOIN_POLICY);
        settings.join = JOIN_STAYS;
        settings.title = str_c(any ? "one" : "two");
        assert_int_equal(converse_set_settings(&place->store, &settings), ERR_OK);
        settings.actor = (struct actor){str_c("bob"), true, false};
        assert_int_equal(converse_set_settings(&place->store, &settings), ERR_OK);
        settings.actor = (struct actor){str_c("cid"), true, false};
        assert_int_equal(converse_set_settings(&place->store, &settings), ERR_NOT_A_MEMBER);
    }
    assert_int_equal(support_conversation(place, chat).version, 3);
}

static void
a_missing_object_is_reported_first(void **state)
{
    struct place *place = *state;
    struct belonging b = {&place->arena, 99, {str_c("ann"), true, true}, str_c("ann"), ROLE_OWNER};
    struct settings_change settings = {.arena = &place->arena, .id = 99, .actor = b.actor, .join = JOIN_OPEN};

    create_owned(place, "ann", "bob");
    assert_int_equal(belong_join(&place->store, &b), ERR_CONVERSATION_UNKNOWN);
    assert_int_equal(belong_leave(&place->store, &b), ERR_CONVERSATION_UNKNOWN);
    assert_int_equal(belong_set(&place->store, &b), ERR_CONVERSATION_UNKNOWN);
    assert_int_equal(belong_remove(&place->store, &b), ERR_CONVERSATION_UNKNOWN);
    assert_int_equal(converse_set_settings(&place->store, &settings), ERR_CONVERSATION_UNKNOWN);
}

#define RACERS 8
#define ROUNDS 15

struct race {
    struct place *place;
    int64_t group;
};

/* All users join, get roles, are removed and leave, at once. */
static void
come_and_go(void *arg, int n)
{
    struct race *race = arg;
    char name[8];
    char other[8];

    snprintf(name, sizeof(name), "u%d", n);
    snprintf(other, sizeof(other), "u%d", (n + 1) % RACERS);
    for (int i = 0; i < ROUNDS; i++) {
        struct arena arena;
        struct belonging b = {&arena, race->group, {str_c(name), true, i % 5 == 0}, str_c(name), ROLE_NONE};

        arena_init(&arena);
        belong_join(&race->place->store, &b);
        b.username = str_c(other);
        b.role = (enum role)(i % 4);
        belong_set(&race->place->store, &b);
        if (i % 3 == 0)
            belong_remove(&race->place->store, &b);
        b.username = str_c(name);
        belong_leave(&race->place->store, &b);
        arena_clear(&arena);
    }
}

static void
a_group_with_members_has_one_owner_after_concurrent_changes(void **state)
{
    struct race race = {.place = *state};
    struct conversation c;

    race.group = create_owned(race.place, "ann", "bob");
    support_threads(RACERS, come_and_go, &race);
    c = support_conversation(race.place, race.group);
    assert_int_equal(c.member_count > 0, strcmp(owner_is(race.place, race.group), "nobody") != 0);
    assert_int_equal(support_instance(race.place).last_change, c.version);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, support_open, support_check_and_close)
        TEST(every_command_of_every_user_about_every_other_follows_the_rules),
        TEST(every_user_renames_leaves_and_deletes_by_the_rules),
        TEST(a_group_without_an_owner_can_only_be_renamed),
        TEST(random_sequences_end_as_by_the_rules),
        TEST(each_change_of_a_member_is_noted),
        TEST(a_command_returns_the_role),
        TEST(the_longest_standing_admin_or_else_member_succeeds),
        TEST(removed_users_cannot_rejoin_until_they_are_added),
        TEST(a_private_chat_has_no_roles),
        TEST(a_missing_object_is_reported_first),
        TEST(a_group_with_members_has_one_owner_after_concurrent_changes),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
