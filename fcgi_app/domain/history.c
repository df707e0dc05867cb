/* history.c - see history.h. Must not know what a page looks like. */
#include "domain/history.h"

#include <stdlib.h>
#include "store/memberships.h"
#include "store/messages.h"

/* Up to so many stays, each is looked at; with more, messages anywhere are looked at first: as many as there
 * are stays (up to a bound), but no fewer than this. */
#define FEW_STAYS     8
#define WALK_MIN      32
#define STAYS_COUNTED 4096

/* A page as it fills. */
struct page {
    const struct history_sink *sink;
    int limit;
    int count;    /* messages in complete ticks and in the one at hand */
    int in_tick;  /* of them, in the one at hand */
    size_t bytes; /* of content and reactions */
    int64_t tick; /* the one at hand, UNIX ms */
    bool has_next;
};

/* Takes the next message; false: the page is full, and this message is not in it. */
static bool
page_add(void *arg, const struct message *m)
{
    struct page *p = arg;
    bool first_tick = p->count == p->in_tick;

    if (p->count > 0 && m->timestamp != p->tick) {
        p->sink->tick_ends(p->sink->arg);
        p->in_tick = 0;
        first_tick = false;
        if (p->count >= p->limit || p->bytes > PAGE_BYTES_MAX) {
            p->has_next = true;
            return false;
        }
    }
    if (p->count >= p->limit && !first_tick) {
        p->sink->cut(p->sink->arg);
        p->has_next = true;
        return false;
    }
    p->sink->message(p->sink->arg, m);
    p->tick = m->timestamp;
    p->count++;
    p->in_tick++;
    p->bytes += messages_bytes(m);
    return true;
}

enum err
history_of_conversation(const struct snapshot *snapshot, struct arena *arena, const struct conversation *c,
                        int64_t after, int limit, const struct history_sink *sink, bool *has_next)
{
    struct page page = {.sink = sink, .limit = limit};
    int64_t seq = 0;
    enum err err = messages_first_after(snapshot->db, c->id, 1, c->last_seq, after, &seq);

    if (err == ERR_OK && seq <= c->last_seq)
        err = messages_range(snapshot->db, arena, c->id, seq, page_add, &page);
    *has_next = page.has_next;
    return err;
}

/*
 * Which messages a user's page may hold, by key. Collected from many conversations; whenever there are
 * far more than a page needs, the latest are forgotten, and `bound` says from which tick on.
 */
struct selection {
    struct db *db;
    struct arena *arena;
    struct str username;
    int64_t after; /* UNIX ms */
    size_t need;   /* keys that a page may need: limit + 1 */
    struct message_key *keys;
    size_t count;
    size_t size;   /* room in keys */
    int64_t bound; /* UNIX ms; later ones are not needed; INT64_MAX: none was forgotten */
    bool beyond;   /* some were forgotten */
    enum err err;
};

static int
by_id(const void *a, const void *b)
{
    int64_t x = ((const struct message_key *)a)->id;
    int64_t y = ((const struct message_key *)b)->id;

    return (x > y) - (x < y);
}

/* Ids grow with time: sorts by them and forgets what lies after the tick of the last key needed. */
static void
prune(struct selection *s)
{
    size_t keep;

    if (s->count > 1)
        qsort(s->keys, s->count, sizeof(*s->keys), by_id);
    if (s->count <= s->need)
        return;
    s->bound = s->keys[s->need - 1].timestamp;
    for (keep = s->need; keep < s->count && s->keys[keep].timestamp == s->bound; keep++)
        ;
    s->beyond = s->beyond || keep < s->count;
    s->count = keep;
}

static bool
select_key(void *arg, const struct message_key *key)
{
    struct selection *s = arg;

    if (key->timestamp > s->bound) {
        s->beyond = true;
        return false;
    }
    if (s->count == s->size && s->count >= 2 * s->need)
        prune(s);
    if (s->count == s->size) {
        size_t size = s->size == 0 ? 64 : s->size * 2;
        struct message_key *keys = arena_alloc(s->arena, size * sizeof(*keys));

        if (keys == NULL) {
            s->err = ERR_MEMORY;
            return false;
        }
        if (s->count > 0)
            memcpy(keys, s->keys, s->count * sizeof(*keys));
        s->keys = keys;
        s->size = size;
    }
    s->keys[s->count++] = *key;
    return true;
}

/* Stay by stay: each conversation that changed since, from its first message after the moment. */
static enum err
select_by_stays(struct selection *s)
{
    struct stay *stays;
    size_t count;
    enum err err = memberships_active(s->db, s->arena, s->username, s->after, &stays, &count);

    for (size_t i = 0; err == ERR_OK && i < count; i++) {
        int64_t first;

        err = messages_first_after(s->db, stays[i].conversation, stays[i].after + 1, stays[i].until, s->after,
                                   &first);
        if (err == ERR_OK && first <= stays[i].until)
            err = messages_keys(s->db, stays[i].conversation, first, stays[i].until, select_key, s);
        if (s->err != ERR_OK)
            err = s->err;
    }
    return err;
}

/* A walk through messages anywhere, oldest first. */
struct walk {
    struct selection *selection;
    struct stay *stays; /* of the conversation looked at last, for the user */
    size_t stay_count;
    int32_t conversation; /* that one; 0: none yet */
    bool full;            /* the page was, before the walk's end */
};

static bool
walk_key(void *arg, const struct message_key *key)
{
    struct walk *w = arg;
    struct selection *s = w->selection;

    if (key->conversation != w->conversation) {
        s->err =
            memberships_stays(s->db, s->arena, s->username, key->conversation, &w->stays, &w->stay_count);
        if (s->err != ERR_OK)
            return false;
        w->conversation = key->conversation;
    }
    if (!memberships_received(w->stays, w->stay_count, key->seq))
        return true;
    w->full = !select_key(s, key);
    /* They come in order, so nothing after this tick is needed any more. */
    if (s->count == s->need)
        s->bound = key->timestamp;
    return !w->full;
}

/*
 * Somebody in many conversations mostly receives much of what is said, or asks for the few messages since a
 * moment ago. Then some messages from that moment on fill the page, or are all there are, whatever the number
 * of conversations. *done false: they did not.
 */
static enum err
select_by_walk(struct selection *s, int limit, bool *done)
{
    struct walk walk = {.selection = s};
    bool all;
    enum err err = messages_since(s->db, s->after, limit, walk_key, &walk, &all);

    if (err == ERR_OK)
        err = s->err;
    *done = err == ERR_OK && (walk.full || all);
    /* The keys come again by stays; a bound that was found holds all the same. */
    if (!*done)
        s->count = 0;
    return err;
}

static enum err
select_keys(struct selection *s)
{
    int stays;
    bool done = false;
    enum err err = memberships_count_active(s->db, s->username, s->after, STAYS_COUNTED, &stays);

    if (err == ERR_OK && stays > FEW_STAYS)
        err = select_by_walk(s, stays < WALK_MIN ? WALK_MIN : stays, &done);
    if (err == ERR_OK && !done)
        err = select_by_stays(s);
    if (err == ERR_OK)
        prune(s);
    return err;
}

/* Fills the page with the messages selected. */
static enum err
fill(struct db *db, const struct selection *s, struct page *page)
{
    enum err err = ERR_OK;
    bool more = true;

    for (size_t i = 0; err == ERR_OK && more && i < s->count; i++) {
        struct message m;
        bool found;

        err = messages_get(db, s->arena, s->keys[i].conversation, s->keys[i].seq, &m, &found);
        if (err == ERR_OK && found)
            more = page_add(page, &m);
    }
    return err;
}

enum err
history_of_user(const struct snapshot *snapshot, struct arena *arena, struct str username, int64_t after,
                int limit, const struct history_sink *sink, bool *has_next)
{
    struct page page = {.sink = sink, .limit = limit};
    struct selection s = {
        .db = snapshot->db,
        .arena = arena,
        .username = username,
        .after = after,
        .need = (size_t)limit + 1,
        .bound = INT64_MAX,
    };
    enum err err = select_keys(&s);

    if (err == ERR_OK)
        err = fill(s.db, &s, &page);
    *has_next = page.has_next || s.beyond;
    return err;
}

/* The first seq of the page; the page goes on from there. */
static enum err
find_start(struct db *db, const struct seq_page *page, int64_t *first)
{
    /* In a page around a message, the half before it takes no more than its share of the content. */
    bool around = page->side == SEQ_AROUND;
    int before = around ? (page->limit - 1) / 2 : page->limit;

    if (page->side == SEQ_AFTER) {
        *first = page->seq + (page->seq <= page->conversation->last_seq);
        return ERR_OK;
    }
    return messages_page_before(db, page->conversation->id, page->seq, before,
                                PAGE_BYTES_MAX / (around ? 2 : 1), first);
}

/* A page by seq as it goes out. */
struct seq_walk {
    struct seq_page *page;
    int64_t end;  /* seq at which it ends at the latest */
    int64_t next; /* seq */
    size_t bytes;
    void (*each)(void *arg, const struct message *m);
    void *arg;
};

static bool
walk_message(void *arg, const struct message *m)
{
    struct seq_walk *w = arg;
    /* What comes before the message asked for was measured when the start was found. */
    bool counts = w->page->side != SEQ_BEFORE && m->seq >= w->page->seq;

    if (m->seq >= w->end)
        return false;
    w->each(w->arg, m);
    w->next = m->seq + 1;
    w->bytes += counts ? messages_bytes(m) : 0;
    return w->bytes <= PAGE_BYTES_MAX / (w->page->side == SEQ_AROUND ? 2 : 1);
}

/* Where the page ends at the latest. */
static int64_t
find_end(const struct seq_page *page, int64_t first)
{
    int64_t room = page->limit;

    if (page->side == SEQ_BEFORE)
        return page->seq;
    if (page->side == SEQ_AROUND)
        return page->seq + room - (page->limit - 1) / 2;
    return first + room;
}

enum err
history_by_seq(const struct snapshot *snapshot, struct arena *arena, struct seq_page *page,
               void (*each)(void *arg, const struct message *m), void *arg)
{
    const struct conversation *c = page->conversation;
    int64_t first = 1;
    enum err err;

    /* A seq beyond the last one leads to an empty place behind it, or back from there. */
    if (page->seq > c->last_seq)
        page->seq = c->last_seq + 1;
    err = find_start(snapshot->db, page, &first);
    if (err == ERR_OK) {
        struct seq_walk walk = {page, find_end(page, first), first, 0, each, arg};

        err = messages_range(snapshot->db, arena, c->id, first, walk_message, &walk);
        page->has_prev = first > 1;
        page->has_next = walk.next <= c->last_seq;
    }
    return err;
}
