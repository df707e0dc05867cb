/* changes.c - see changes.h. Must not know what a page looks like. */
#include "domain/changes.h"

#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"

/* A page ends after it has read so many rows that are not on it. */
#define SKIPPED_MAX 2000
#define NONE        INT64_MAX
/* The fewest rows of a batch of new messages, some of which may be skipped. */
#define BATCH_MIN 8

/*
 * The two walks over messages. The second shows messages that were created and changed since then.
 */
enum { CREATED, CHANGED, WALKS };

/* Merges three walks in the order of versions. `…_at` is the place of each walk in its batch. */
struct merge {
    struct db *db;
    struct arena *arena;
    struct changes_page *page;
    struct span span;       /* of page->username: the span of the message checked last; empty: none was */
    int64_t joined_version; /* of page->username: the version of their first stay */
    struct message_walk messages[WALKS];
    size_t messages_at[WALKS];
    struct membership_walk members; /* members whose standing changed since */
    size_t members_at;
    int skipped;
    int shown;
    size_t bytes; /* of content and reactions shown */
    void (*each)(void *arg, const struct message *m);
    void *arg;
};

/*
 * Returns how many versions there are from here to the end of the batch of new messages that made
 * none of those messages. At most so many older messages changed in between.
 */
static int64_t
other_changes(const struct merge *g)
{
    const struct message_walk *created = &g->messages[CREATED];
    size_t left = created->count - g->messages_at[CREATED];
    int64_t last = left > 0 ? created->steps[created->count - 1].version : g->page->object.version;

    return last - g->messages[CHANGED].from - (int64_t)left;
}

/*
 * Returns how many rows the next batch of the walk reads. Each older message that changed is at
 * another place, so no more of them are read than the page may show, and one more.
 */
static int
next_rows(const struct merge *g, int kind)
{
    int room = g->page->limit - g->shown + 1;
    int64_t others = kind == CHANGED ? other_changes(g) : 0;

    if (kind == CHANGED && others < room)
        return others > 0 ? (int)others + 1 : 1;
    return room > BATCH_MIN ? room : BATCH_MIN;
}

/* Reads the next batch if the last one is used up. */
static enum err
refill_messages(struct merge *g, int kind)
{
    const struct message_reader reader = {g->db, g->arena, g->page->viewer};

    if (g->messages_at[kind] < g->messages[kind].count)
        return ERR_OK;
    g->messages_at[kind] = 0;
    g->messages[kind].rows = next_rows(g, kind);
    return messages_walk(&reader, &g->messages[kind]);
}

static enum err
refill_members(struct merge *g)
{
    if (g->members_at < g->members.count)
        return ERR_OK;
    g->members_at = 0;
    return memberships_walk(g->db, g->arena, &g->members);
}

/* Return the versions of the next rows. NONE: the walk is at its end. */
static int64_t
message_version(const struct merge *g, int kind)
{
    return g->messages_at[kind] < g->messages[kind].count
               ? g->messages[kind].steps[g->messages_at[kind]].version
               : NONE;
}

static int64_t
member_version(const struct merge *g)
{
    return g->members_at < g->members.count ? g->members.steps[g->members_at].version : NONE;
}

/*
 * Finds whether page->username received the message. Messages come mostly in order, so one span
 * answers for many.
 */
static enum err
received(struct merge *g, int64_t seq, bool *received)
{
    const struct changes_page *page = g->page;
    enum err err = ERR_OK;

    *received = true;
    if (page->username.p == NULL)
        return ERR_OK;
    if (seq <= g->span.after || seq > g->span.until)
        err = memberships_span(g->db, page->conversation->id, page->username, seq, &g->span);
    *received = g->span.received;
    return err;
}

/* Gives the message to the page. */
static void
show_message(struct merge *g, const struct message *m)
{
    g->each(g->arg, m);
    g->shown++;
    g->bytes += messages_bytes(m);
}

/* Skips to the next stay, so messages between two stays are not read. */
static void
skip_gap(struct merge *g)
{
    g->messages[CREATED].from = g->span.until + 1;
    g->messages[CREATED].count = 0;
}

static enum err
pass_message(struct merge *g, int kind)
{
    struct message_step *step = &g->messages[kind].steps[g->messages_at[kind]++];
    bool theirs;
    enum err err = received(g, step->message.seq, &theirs);

    if (err == ERR_OK && theirs && !step->changed_since)
        show_message(g, &step->message);
    else
        g->skipped++;
    if (err == ERR_OK && !theirs && kind == CREATED && g->span.until < INT64_MAX)
        skip_gap(g);
    g->page->version = step->version;
    return err == ERR_OK ? refill_messages(g, kind) : err;
}

static enum err
pass_member(struct merge *g)
{
    struct changes_page *page = g->page;
    const struct membership_step *step = &g->members.steps[g->members_at++];

    page->members = arena_grow(g->arena, page->members, page->member_count, sizeof(*page->members));
    if (page->members == NULL)
        return ERR_MEMORY;
    page->members[page->member_count++] = step->standing;
    g->shown++;
    page->version = step->version;
    return refill_members(g);
}

static int64_t
smallest(const struct merge *g)
{
    int64_t version = member_version(g);

    for (int kind = 0; kind < WALKS; kind++)
        if (message_version(g, kind) < version)
            version = message_version(g, kind);
    return version;
}

/*
 * True if the page is full. The first members of a conversation share version 1. A page may not end
 * between them, because a client knows only the version that it holds.
 */
static bool
full(const struct merge *g, int64_t next)
{
    const struct changes_page *page = g->page;

    if (next == page->version && g->shown > 0)
        return false;
    return g->shown >= page->limit || g->skipped >= SKIPPED_MAX || g->bytes > PAGE_BYTES_MAX;
}

static enum err
merge(struct merge *g)
{
    enum err err = ERR_OK;
    int64_t next;

    while (err == ERR_OK && (next = smallest(g)) != NONE && !full(g, next)) {
        if (next == member_version(g))
            err = pass_member(g);
        else
            err = pass_message(g, next == message_version(g, CREATED) ? CREATED : CHANGED);
    }
    g->page->has_next = err == ERR_OK && smallest(g) != NONE;
    return err;
}

/*
 * Returns the version after which changed members are shown. The first members of a large group
 * share version 1, so no page could end between them. They are left out; clients list them by
 * pages.
 */
static int64_t
first_change(const struct changes_page *page)
{
    return !page->few && page->after < 1 ? 1 : page->after;
}

/* Begins the three walks. */
static enum err
begin(struct merge *g)
{
    const struct changes_page *page = g->page;
    const struct message_range everything = {page->conversation->id, 0, page->object.last_seq};
    int64_t after = page->after;
    int64_t first = 1;
    enum err err;

    /* A user received nothing before they joined. */
    if (page->username.p != NULL && g->joined_version > after)
        after = g->joined_version;
    err = messages_first_created_after(g->db, &everything, after, &first);
    if (err != ERR_OK)
        return err;
    g->messages[CREATED] = (struct message_walk){
        .order = MESSAGES_BY_CREATION, .conversation = page->conversation->id, .from = first};
    g->messages[CHANGED] = (struct message_walk){
        .order = MESSAGES_BY_CHANGE, .conversation = page->conversation->id, .from = after};
    g->members =
        (struct membership_walk){.conversation = page->conversation->id, .after = first_change(page)};
    err = refill_messages(g, CREATED);
    if (err == ERR_OK)
        err = refill_messages(g, CHANGED);
    return err == ERR_OK ? refill_members(g) : err;
}

/* Checks that page->username, if given, is a member. */
static enum err
check_member(struct merge *g)
{
    const struct changes_page *page = g->page;
    enum role role = ROLE_NONE;
    enum err err;

    if (page->username.p == NULL)
        return ERR_OK;
    err = memberships_role(g->db, page->conversation->id, page->username, &role);
    if (err == ERR_OK && role == ROLE_NONE)
        return ERR_NOT_A_MEMBER;
    return err == ERR_OK
               ? memberships_first(g->db, page->conversation->id, page->username, &g->joined_version)
               : err;
}

/* Reads the whole page. */
static enum err
read_page(struct merge *g)
{
    struct changes_page *page = g->page;
    struct instance instance = {0};
    enum err err = instance_get(g->db, &instance);

    memcpy(page->epoch, instance.epoch, sizeof(page->epoch));
    page->object = *page->conversation;
    if (err == ERR_OK)
        err = check_member(g);
    if (err != ERR_OK)
        return err;
    page->changed = page->object.version > page->after;
    page->few = page->object.member_count <= MEMBERS_FEW;
    page->version = page->after;
    if (page->changed)
        err = begin(g);
    if (err == ERR_OK && page->changed)
        err = merge(g);
    if (!page->has_next)
        page->version = page->object.version;
    if (err == ERR_OK && page->few)
        err = memberships_names(g->db, g->arena, &page->object, MEMBERS_FEW);
    if (err == ERR_OK && page->few)
        err = markers_of_conversation(g->db, g->arena, page->conversation->id, &page->markers,
                                      &page->marker_count);
    return err;
}

enum err
changes_page(const struct snapshot *snapshot, struct arena *arena, struct changes_page *page,
             void (*each)(void *arg, const struct message *m), void *arg)
{
    struct merge g = {.db = snapshot->db, .arena = arena, .page = page, .each = each, .arg = arg};

    return read_page(&g);
}
