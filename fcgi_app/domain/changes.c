/* changes.c - see changes.h. Must not know what a page looks like. */
#include "domain/changes.h"

#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"

/* A page looks at so many rows that are not on it, and then ends. */
#define SKIPPED_MAX 2000
#define NONE        INT64_MAX

/* Three walks in the order of versions. Each stands before its next row, whose version is known. */
struct merge {
    struct db *db;
    struct arena *arena;
    struct changes_page *page;
    struct span span;       /* of page->username: around the message asked about last; empty: none yet */
    int64_t joined_version; /* of page->username: when they first came */
    /* Messages that were created since, and those that were changed since: one that was both is told by the
     * latter. */
    struct stmt *messages[2];
    int64_t message_version[2]; /* NONE: the walk is at its end */
    int64_t message_seq[2];
    bool told_later[2];
    /* Members whose standing changed since. */
    struct stmt *members;
    int64_t member_version; /* NONE: the walk is at its end */
    struct standing member;
    int skipped;
    int shown;
    size_t bytes; /* of content and reactions shown */
    void (*each)(void *arg, const struct message *m);
    void *arg;
};

static enum err
step_messages(struct merge *g, enum messages_walk kind)
{
    bool more;
    enum err err = messages_walk_next(g->messages[kind], &g->message_seq[kind], &g->message_version[kind],
                                      &g->told_later[kind], &more);

    if (!more)
        g->message_version[kind] = NONE;
    return err;
}

static enum err
step_members(struct merge *g)
{
    bool more;
    enum err err = memberships_walk_next(g->members, &g->member, &g->member_version, &more);

    if (!more)
        g->member_version = NONE;
    return err;
}

/* Messages are asked about in order, mostly: so one look finds the answer for many. */
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

/* The message at hand goes out. */
static enum err
show_message(struct merge *g, enum messages_walk kind)
{
    const struct message_reader reader = {g->db, g->arena, g->page->viewer};
    struct message m;
    enum err err = messages_walk_get(g->messages[kind], &reader, &m);

    if (err != ERR_OK)
        return err;
    g->each(g->arg, &m);
    g->shown++;
    g->bytes += messages_bytes(&m);
    return ERR_OK;
}

/* However much was said between two stays, the walk goes on with the later one. */
static void
skip_gap(struct merge *g)
{
    messages_walk_end(g->messages[MESSAGES_CREATED]);
    g->messages[MESSAGES_CREATED] =
        messages_walk_begin(g->db, MESSAGES_CREATED, g->page->conversation->id, g->span.until + 1);
}

static enum err
pass_message(struct merge *g, enum messages_walk kind)
{
    bool theirs;
    enum err err = received(g, g->message_seq[kind], &theirs);

    if (err == ERR_OK && theirs && !g->told_later[kind])
        err = show_message(g, kind);
    else
        g->skipped++;
    if (err == ERR_OK && !theirs && kind == MESSAGES_CREATED && g->span.until < INT64_MAX)
        skip_gap(g);
    g->page->version = g->message_version[kind];
    return err == ERR_OK ? step_messages(g, kind) : err;
}

static enum err
pass_member(struct merge *g)
{
    struct changes_page *page = g->page;
    struct standing *last;

    page->members = arena_grow(g->arena, page->members, page->member_count, sizeof(*page->members));
    if (page->members == NULL)
        return ERR_MEMORY;
    last = &page->members[page->member_count++];
    *last = (struct standing){
        .username = arena_copy(g->arena, g->member.username),
        .role = g->member.role,
        .left = g->member.left,
    };
    if (last->username.p == NULL)
        return ERR_MEMORY;
    g->shown++;
    page->version = g->member_version;
    return step_members(g);
}

static int64_t
smallest(const struct merge *g)
{
    int64_t version = g->member_version;

    for (int kind = 0; kind < 2; kind++)
        if (g->message_version[kind] < version)
            version = g->message_version[kind];
    return version;
}

/*
 * All first members share the first version: a page may not end between them, for the version alone says what
 * the client holds.
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
        if (next == g->member_version)
            err = pass_member(g);
        else
            err = pass_message(g, next == g->message_version[MESSAGES_CREATED] ? MESSAGES_CREATED
                                                                               : MESSAGES_CHANGED);
    }
    g->page->has_next = err == ERR_OK && smallest(g) != NONE;
    return err;
}

/*
 * From which version on members are told. A large group's first members share the first version, so no page
 * could end between them: they are left out and listed by pages of their own, as in the conversation's
 * object.
 */
static int64_t
first_change(const struct changes_page *page)
{
    return !page->few && page->after < 1 ? 1 : page->after;
}

/* Opens the three walks at their first rows. */
static enum err
begin(struct merge *g)
{
    const struct changes_page *page = g->page;
    int64_t after = page->after;
    int64_t first = 1;
    enum err err;

    /* Before they came, a user received nothing. */
    if (page->username.p != NULL && g->joined_version > after)
        after = g->joined_version;
    err =
        messages_first_created_after(g->db, page->conversation->id, 1, page->object.last_seq, after, &first);
    if (err != ERR_OK)
        return err;
    g->messages[MESSAGES_CREATED] =
        messages_walk_begin(g->db, MESSAGES_CREATED, page->conversation->id, first);
    g->messages[MESSAGES_CHANGED] =
        messages_walk_begin(g->db, MESSAGES_CHANGED, page->conversation->id, after);
    g->members = memberships_walk_begin(g->db, page->conversation->id, first_change(page));
    err = step_messages(g, MESSAGES_CREATED);
    if (err == ERR_OK)
        err = step_messages(g, MESSAGES_CHANGED);
    if (err == ERR_OK)
        err = step_members(g);
    return err;
}

static void
end(const struct merge *g)
{
    for (int kind = 0; kind < 2; kind++)
        if (g->messages[kind] != NULL)
            messages_walk_end(g->messages[kind]);
    if (g->members != NULL)
        db_done(g->members);
}

/* Who asks, where it is one user, must be a member. */
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

/* The page without its messages' place in the answer: all that one snapshot tells. */
static enum err
read_page(struct merge *g)
{
    struct changes_page *page = g->page;
    int64_t last_change;
    enum err err = instance_epoch(g->db, page->epoch, &last_change);

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
    end(g);
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
