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

    if (l->updated_at >= inbox->updated_before || l->updated_at <= inbox->updated_after)
        return true;
    if (!add(s, l))
        return false;
    if (!settled(s, l->active_at))
        return true;
    s->ended_early = true;
    return false;
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

static void
sort(struct search *s)
{
    if (s->count > 1)
        qsort(s->entries, s->count, sizeof(*s->entries), newest_first);
}

/* Of whom the marker alone has moved: they are older than all others, so none is on a page that is full. */
static enum err
find_marked(struct db *db, struct search *s)
{
    const struct inbox *inbox = s->inbox;
    enum err err;

    if (inbox->updated_after < 0 || s->ended_early || page_length(s) < s->count)
        return ERR_OK;
    err = markers_moved(db, inbox->username, inbox->updated_after, walk_marker, s);
    sort(s);
    return err;
}

/* Finds what may be on the page, in its order. */
static enum err
find_entries(struct db *db, struct search *s)
{
    const struct inbox *inbox = s->inbox;
    int64_t after = inbox->updated_after < 0 ? -1 : inbox->updated_after - ACTIVE_LAG_MS - 1;
    int64_t until = inbox->updated_before < ACTIVE_ALWAYS ? inbox->updated_before - 1 : ACTIVE_ALWAYS - 1;
    const struct listed_range always = {inbox->username, ACTIVE_ALWAYS - 1, ACTIVE_ALWAYS};
    const struct listed_range present = {inbox->username, after, until};
    const struct listed_range left = {inbox->username, inbox->updated_after, until};
    enum err err = memberships_listed(db, &always, walk_entry, s);

    if (err == ERR_OK && s->err == ERR_OK)
        err = memberships_listed(db, &present, walk_entry, s);
    if (err == ERR_OK && s->err == ERR_OK && inbox->updated_after >= 0)
        err = memberships_left(db, &left, walk_entry, s);
    if (err == ERR_OK)
        err = s->err;
    sort(s);
    if (err == ERR_OK)
        err = find_marked(db, s);
    return err == ERR_OK ? s->err : err;
}

/* A page as it goes out. */
struct show {
    struct db *db;
    struct str username;
    bool (*each)(void *arg, const struct listing *listing);
    void *arg;
    bool more; /* there is room for more */
};

/* The newest message that the user received. */
static enum err
find_newest(const struct show *w, struct arena *arena, const struct conversation *c, const struct stay *last,
            struct message *m, bool *found)
{
    const struct message_reader reader = {w->db, arena, w->username};
    struct span span = {last->after, c->last_seq, true};
    enum err err = ERR_OK;

    *found = span.until > span.after;
    if (!*found)
        err = memberships_past_before(w->db, c->id, w->username, span.after, &span, found);
    return err == ERR_OK && *found ? messages_get(&reader, c->id, span.until, m, found) : err;
}

/* One that the user is a member of, in full. */
static enum err
show_present(struct show *w, struct arena *arena, int32_t id)
{
    struct listing l = {0};
    struct conversation *c = &l.conversation;
    struct reading_viewer viewer = {.username = w->username};
    struct message newest;
    struct stay last = {0};
    bool found;
    enum err err = conversations_get(w->db, arena, id, c, &found);

    if (err == ERR_OK)
        err = memberships_last(w->db, id, w->username, &last, &found);
    l.role = last.role;
    if (err == ERR_OK)
        err = memberships_names(w->db, arena, c, MEMBERS_FEW);
    if (err == ERR_OK)
        err = markers_get(w->db, id, w->username, &viewer.read_seq);
    if (err == ERR_OK)
        err = reading_count_unread(w->db, c, &last, &viewer, &l.unread);
    if (err == ERR_OK)
        err = find_newest(w, arena, c, &last, &newest, &found);
    if (err != ERR_OK)
        return err;
    l.read_seq = viewer.read_seq;
    l.newest = found ? &newest : NULL;
    w->more = w->each(w->arg, &l);
    return ERR_OK;
}

static void
show_left(struct show *w, const struct listed *entry)
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

    w->more = w->each(w->arg, &l);
}

static enum err
show_page(struct show *w, const struct search *s, bool *has_next)
{
    size_t n = page_length(s);
    size_t i = 0;
    enum err err = ERR_OK;

    for (; err == ERR_OK && i < n; i++) {
        const struct listed *entry = &s->entries[i];
        struct arena own; /* of this one alone: each may hold a large message */

        if (!w->more && entry->updated_at != entry[-1].updated_at)
            break;
        if (entry->left) {
            show_left(w, entry);
            continue;
        }
        arena_init(&own);
        err = show_present(w, &own, entry->conversation);
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
    struct show show = {snapshot->db, inbox->username, each, arg, true};
    struct instance instance = {0};
    enum err err = instance_get(show.db, &instance);

    memcpy(inbox->epoch, instance.epoch, sizeof(inbox->epoch));
    if (err == ERR_OK)
        err = find_entries(show.db, &s);
    if (err == ERR_OK)
        err = show_page(&show, &s, &inbox->has_next);
    return err;
}
