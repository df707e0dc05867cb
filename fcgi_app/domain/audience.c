/* audience.c - see audience.h. Must not know who is subscribed. */
#include "domain/audience.h"

#include "store/memberships.h"

/* Of one batch: present members, and members who have left since. */
#define ROWS 256

/* Adds a name that is from the arena. */
static enum err
add(struct arena *arena, struct names *to, struct str name)
{
    struct str *names = arena_grow(arena, to->names, to->count, sizeof(*names));

    if (names == NULL)
        return ERR_MEMORY;
    to->names = names;
    names[to->count++] = name;
    return ERR_OK;
}

enum err
audience_of_version(struct db *db, struct arena *arena, int32_t conversation, int64_t version,
                    struct audience *audience)
{
    struct concerned members[2 * ROWS];
    struct concerned_walk walk = {
        .conversation = conversation, .version = version, .rows = ROWS, .members = members};
    enum err err;

    *audience = (struct audience){0};
    do {
        err = memberships_names_at(db, arena, &walk);
        for (size_t i = 0; err == ERR_OK && i < walk.count; i++)
            err = add(arena, members[i].present ? &audience->present : &audience->gone, members[i].name);
    } while (err == ERR_OK && !walk.all);
    return err;
}

enum err
audience_of_one(struct arena *arena, struct str username, struct audience *audience)
{
    struct str name = arena_copy(arena, username);

    *audience = (struct audience){0};
    return name.p == NULL ? ERR_MEMORY : add(arena, &audience->present, name);
}

/*
 * A read marker has no version. It goes to those who will receive the next change: a member who
 * left by the last one receives nothing after it.
 */
enum err
audience_of_change(struct db *db, struct arena *arena, const struct change *change, bool many,
                   struct audience *audience)
{
    bool is_read = change->event == EVENT_READ;

    if (is_read && many)
        return audience_of_one(arena, change->username, audience);
    return audience_of_version(db, arena, change->conversation, change->version + is_read, audience);
}

/* Removes a name from the list. False: it was not in the list. */
static bool
drop(struct names *from, struct str name)
{
    for (size_t i = 0; i < from->count; i++)
        if (str_eq(from->names[i], name)) {
            from->count--;
            from->names[i] = from->names[from->count];
            return true;
        }
    return false;
}

enum err
audience_of_typing(struct db *db, struct arena *arena, const struct conversation *c, struct str username,
                   struct audience *audience)
{
    enum err err = audience_of_version(db, arena, c->id, c->version + 1, audience);

    if (err == ERR_OK && !drop(&audience->present, username))
        *audience = (struct audience){0};
    return err;
}

static bool
changes_members(const struct change *change)
{
    return change->event == EVENT_MEMBER_JOINED || change->event == EVENT_MEMBER_LEFT;
}

/* True if both changes have the same audience. */
static bool
concerns_the_same(const struct change *before, const struct change *change, bool many)
{
    if (many && (before->event == EVENT_READ || change->event == EVENT_READ))
        return false;
    return !changes_members(before) && !changes_members(change);
}

size_t
audience_same(const struct change *changes, size_t count, bool many)
{
    size_t n = 1;

    while (n < count && concerns_the_same(&changes[n - 1], &changes[n], many))
        n++;
    return n;
}
