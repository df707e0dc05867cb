/*
 * inbox.c - see inbox.h. Must not know what a list looks like.
 *
 * A membership's active_at never is ahead of its conversation's updated_at, and at most ACTIVE_LAG_MS behind.
 * So a walk by active_at may stop as soon as it holds a page's worth of entries that nothing further on can
 * outrun: its cost grows with the page and with what was active in the last seconds, not with how many
 * conversations there are.
 */
#include "domain/inbox.h"

#include <stdlib.h>
#include "domain/reading.h"
#include "store/conversations.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"

/* The entries that may be on the page. */
struct search {
    const struct inbox *inbox;
    struct arena *arena;
    struct listed *entries;
    size_t count;
    size_t next_look; /* with so many entries it is looked whether they are enough */
    bool ended_early; /* there may be more entries, all older */
    enum err err;
};

static int
newest_first(const void *a, const void *b)
{
    const struct listed *x = a;
    const struct listed *y = b;

    if (x->updated_at != y->updated_at)
        return x->updated_at > y->updated_at ? -1 : 1;
    return (x->conversation < y->conversation) - (x->conversation > y->conversation);
}

static bool
add(struct search *s, const struct listed *l)
{
    s->entries = arena_grow(s->arena, s->entries, s->count, sizeof(*s->entries));
    if (s->entries == NULL) {
        s->err = ERR_MEMORY;
        return false;
    }
    s->entries[s->count++] = *l;
    return true;
}

/* Is the page full of entries, one to spare, that nothing active at `active_at` or before can outrun? */
static bool
settled(struct search *s, int64_t active_at)
{
    size_t need = (size_t)s->inbox->limit + 1;

    if (active_at == ACTIVE_ALWAYS || s->count < need || s->count < s->next_look)
        return false;
    s->next_look = s->count * 2;
    qsort(s->entries, s->count, sizeof(*s->entries), newest_first);
    return s->entries[need - 1].updated_at > active_at + ACTIVE_LAG_MS;
}

static bool
walk_entry(void *arg, const struct listed *l)
{
    struct search *s = arg;
    const struct inbox *inbox = s->inbox;

    if (l->superseded || (l->left && inbox->updated_after < 0))
        return true;
    if (l->updated_at >= inbox->updated_before || l->updated_at <= inbox->updated_after)
        return true;
    if (!add(s, l))
        return false;
    s->ended_early = settled(s, l->active_at);
    return !s->ended_early;
}

static bool
walk_marker(void *arg, int32_t conversation, int64_t updated_at)
{
    struct search *s = arg;
    struct listed l = {.conversation = conversation, .updated_at = updated_at};

    /* What was active itself is found by its activity. */
    if (updated_at > s->inbox->updated_after || updated_at >= s->inbox->updated_before)
        return true;
    return add(s, &l);
}

/* Finds what may be on the page, in its order. */
static enum err
find_entries(struct db *db, struct search *s)
{
    const struct inbox *inbox = s->inbox;
    int64_t after = inbox->updated_after < 0 ? -1 : inbox->updated_after - ACTIVE_LAG_MS - 1;
    int64_t until = inbox->updated_before < ACTIVE_ALWAYS ? inbox->updated_before - 1 : ACTIVE_ALWAYS - 1;
    enum err err =
        memberships_by_activity(db, inbox->username, ACTIVE_ALWAYS - 1, ACTIVE_ALWAYS, walk_entry, s);

    if (err == ERR_OK && s->err == ERR_OK)
        err = memberships_by_activity(db, inbox->username, after, until, walk_entry, s);
    if (err == ERR_OK && s->err == ERR_OK && inbox->updated_after >= 0)
        err = markers_moved(db, inbox->username, inbox->updated_after, walk_marker, s);
    if (err == ERR_OK)
        err = s->err;
    if (err == ERR_OK && s->count > 1)
        qsort(s->entries, s->count, sizeof(*s->entries), newest_first);
    return err;
}

/* The newest message that the user received. */
static enum err
find_newest(struct db *db, struct arena *arena, const struct stay *stays, size_t count, int64_t last_seq,
            struct message *m, bool *found)
{
    *found = false;
    for (size_t i = count; i > 0; i--) {
        int64_t until = stays[i - 1].until > last_seq ? last_seq : stays[i - 1].until;

        if (until > stays[i - 1].after)
            return messages_get(db, arena, stays[i - 1].conversation, until, m, found);
    }
    return ERR_OK;
}

/* One that the user is a member of, in full. */
static enum err
show_present(struct db *db, struct arena *arena, struct str username, int32_t id,
             bool (*each)(void *arg, const struct listing *listing), void *arg, bool *more)
{
    struct listing l = {0};
    struct conversation *c = &l.conversation;
    struct message newest;
    struct stay *stays;
    size_t count = 0;
    bool found;
    enum err err = conversations_get(db, arena, id, c, &found);

    if (err == ERR_OK)
        err = memberships_role(db, id, username, &l.role);
    if (err == ERR_OK && c->member_count <= MEMBERS_FEW)
        err = memberships_names(db, arena, c);
    if (err == ERR_OK)
        err = memberships_stays(db, arena, username, id, &stays, &count);
    if (err == ERR_OK)
        err = markers_get(db, id, username, &l.read_seq);
    if (err == ERR_OK)
        err = reading_count_unread(db, stays, count, username, c->last_seq, l.read_seq, &l.unread);
    if (err == ERR_OK)
        err = find_newest(db, arena, stays, count, c->last_seq, &newest, &found);
    if (err != ERR_OK)
        return err;
    l.newest = found ? &newest : NULL;
    *more = each(arg, &l);
    return ERR_OK;
}

static bool
show_left(const struct listed *entry, bool (*each)(void *arg, const struct listing *listing), void *arg)
{
    struct listing l = {
        .left = true,
        .conversation =
            {
                .id = entry->conversation,
                .type = entry->type,
                .updated_at = entry->updated_at,
                .version = entry->version,
                .last_seq = entry->last_seq,
            },
    };

    return each(arg, &l);
}

/* How many of the entries make the page. */
static size_t
page_length(const struct search *s)
{
    size_t limit = (size_t)s->inbox->limit;
    size_t n = limit;

    if (s->count <= limit)
        return s->count;
    while (n > 0 && s->entries[n - 1].updated_at == s->entries[limit].updated_at)
        n--;
    if (n > 0)
        return n;
    for (n = limit; n < s->count && s->entries[n].updated_at == s->entries[0].updated_at; n++)
        ;
    return n;
}

static enum err
show_page(struct db *db, const struct search *s, bool *has_next,
          bool (*each)(void *arg, const struct listing *listing), void *arg)
{
    size_t n = page_length(s);
    size_t i = 0;
    bool more = true;
    enum err err = ERR_OK;

    for (; err == ERR_OK && i < n; i++) {
        const struct listed *entry = &s->entries[i];
        struct arena own; /* of this one alone: each may hold a large message */

        if (!more && entry->updated_at != entry[-1].updated_at)
            break;
        if (entry->left) {
            more = show_left(entry, each, arg);
            continue;
        }
        arena_init(&own);
        err = show_present(db, &own, s->inbox->username, entry->conversation, each, arg, &more);
        arena_clear(&own);
    }
    *has_next = i < s->count || s->ended_early;
    return err;
}

enum err
inbox_list(const struct snapshot *snapshot, struct arena *arena, struct inbox *inbox,
           bool (*each)(void *arg, const struct listing *listing), void *arg)
{
    struct search s = {.inbox = inbox, .arena = arena};
    struct db *db = snapshot->db;
    int64_t last_change;
    enum err err = instance_epoch(db, inbox->epoch, &last_change);

    if (err == ERR_OK)
        err = find_entries(db, &s);
    if (err == ERR_OK)
        err = show_page(db, &s, &inbox->has_next, each, arg);
    return err;
}
