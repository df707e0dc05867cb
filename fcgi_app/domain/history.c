/* history.c - see history.h. Must not know what a page looks like. */
#include "domain/history.h"

#include <stdlib.h>
#include "domain/visibility.h"
#include "store/memberships.h"
#include "store/messages.h"

/* A round with at most so many active conversations reads each of them. */
#define FEW_CONVERSATIONS 8
/*
 * With at most so many, reading each costs no more than the search for a cheaper way. One short
 * walk is tried first.
 */
#define SOME_CONVERSATIONS 64
/* The factor by which the effort grows from round to round. */
#define EFFORT_FACTOR 8
/*
 * How many messages of any conversation a round reads: for each conversation that it reads, and for
 * each key that the page needs.
 */
#define WALK_BY_CONVERSATION 8
#define WALK_BY_NEED         2
/* The most keys of one batch of such a walk. */
#define WALK_ROWS_MAX 512
/* A batch reads so many more keys than it probably needs, for the end of the last tick. */
#define TICK_ROWS 16

/* A page that is being filled. */
struct page_filler {
    const struct history_sink *sink;
    int limit;
    int count;    /* messages in the complete ticks and in the last one */
    int in_tick;  /* of them, in the last tick */
    size_t bytes; /* of content and reactions */
    int64_t tick; /* the last tick, UNIX ms */
    bool has_next;
};

/* Adds the next message. False: the page is full, and the message is not on it. */
static bool
page_add(void *arg, const struct message *m)
{
    struct page_filler *p = arg;
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

/* The most messages of one batch. It bounds the memory of a long page. */
#define BATCH_ROWS_MAX 256

static int
batch_rows(int64_t wanted)
{
    return wanted < BATCH_ROWS_MAX ? (int)wanted : BATCH_ROWS_MAX;
}

/*
 * Reads the messages from the seq `from` up to `last`, batch by batch, until `take` returns false.
 */
struct page_walk {
    const struct conversation *conversation;
    int64_t from;
    int64_t last;   /* the last seq that the page may hold */
    int64_t wanted; /* how many messages the page probably reads */
    bool (*take)(void *arg, const struct message *m);
    void *arg;
};

static enum err
walk_page(const struct view *view, const struct page_walk *p)
{
    struct message_walk walk = {.conversation = p->conversation->id, .from = p->from};
    struct message_reader reader = visibility_reader(view);
    struct arena batch;
    bool more = true;
    enum err err = ERR_OK;

    arena_init(&batch);
    reader.arena = &batch;
    while (err == ERR_OK && more && walk.from <= p->last) {
        int64_t left = p->last - walk.from + 1;

        walk.rows = batch_rows(left < p->wanted ? left : p->wanted);
        err = messages_walk(&reader, &walk);
        if (walk.count == 0)
            break;
        for (size_t i = 0; err == ERR_OK && more && i < walk.count; i++)
            more = p->take(p->arg, &walk.steps[i].message);
        arena_reset(&batch);
    }
    arena_clear(&batch);
    return err;
}

enum err
history_of_conversation(const struct view *view, const struct conversation *c, struct time_page *page,
                        const struct history_sink *sink)
{
    const struct message_range everything = {c->id, 0, c->last_seq};
    struct page_filler filler = {.sink = sink, .limit = page->limit};
    struct page_walk walk = {
        .conversation = c, .last = c->last_seq, .wanted = page->limit + 1, .take = page_add, .arg = &filler};
    enum err err = messages_first_after(view->snapshot->db, &everything, page->after, &walk.from);

    if (err == ERR_OK)
        err = walk_page(view, &walk);
    page->has_next = filler.has_next;
    return err;
}

/*
 * The keys of the messages that a user's page may hold, from many conversations. When there are far
 * more than the page needs, the latest are dropped, and `bound` is the last tick that was kept.
 */
struct selection {
    struct db *db;
    struct arena *arena;
    struct str username;
    int64_t after;               /* UNIX ms */
    size_t need;                 /* keys that a page may need: limit + 1 */
    struct active_search active; /* where they may have received something since */
    struct message_key *keys;
    size_t count;
    size_t size;               /* room in keys */
    int64_t bound;             /* UNIX ms; later keys are not needed; INT64_MAX: none was dropped */
    bool beyond;               /* some keys were dropped */
    struct message_key *batch; /* room for `need` keys of one conversation */
};

static int
by_id(const void *a, const void *b)
{
    int64_t x = ((const struct message_key *)a)->id;
    int64_t y = ((const struct message_key *)b)->id;

    return (x > y) - (x < y);
}

/* A walk selects keys in order. */
static bool
is_sorted(const struct selection *s)
{
    for (size_t i = 1; i < s->count; i++)
        if (s->keys[i].id < s->keys[i - 1].id)
            return false;
    return true;
}

/*
 * Sorts the keys by id, which grows with time, and drops those after the tick of the last key
 * needed.
 */
static void
prune(struct selection *s)
{
    size_t keep;

    if (!is_sorted(s))
        qsort(s->keys, s->count, sizeof(*s->keys), by_id);
    if (s->count < s->need)
        return;
    s->bound = s->keys[s->need - 1].timestamp;
    keep = s->need;
    while (keep < s->count && s->keys[keep].timestamp == s->bound)
        keep++;
    if (keep < s->count)
        s->beyond = true;
    s->count = keep;
}

/* Makes room for one more key. */
static enum err
make_room(struct selection *s)
{
    size_t size = s->size == 0 ? 64 : s->size * 2;
    struct message_key *keys;

    if (s->count == s->size && s->count >= 2 * s->need)
        prune(s);
    if (s->count < s->size)
        return ERR_OK;
    keys = arena_alloc(s->arena, size * sizeof(*keys));
    if (keys == NULL)
        return ERR_MEMORY;
    if (s->count > 0)
        memcpy(keys, s->keys, s->count * sizeof(*keys));
    s->keys = keys;
    s->size = size;
    return ERR_OK;
}

/* Adds the key. *passed: it is later than needed, and was not added. */
static enum err
select_key(struct selection *s, const struct message_key *key, bool *passed)
{
    enum err err = ERR_OK;

    *passed = key->timestamp > s->bound;
    if (*passed)
        s->beyond = true;
    else
        err = make_room(s);
    if (err == ERR_OK && !*passed)
        s->keys[s->count++] = *key;
    return err;
}

/* Adds the keys of the walk's next batch. *passed: all further keys are later than needed. */
static enum err
select_batch(struct selection *s, struct key_walk *walk, bool *passed)
{
    enum err err;

    walk->no_later = s->bound;
    err = messages_keys(s->db, walk);
    *passed = walk->later;
    if (walk->later)
        s->beyond = true;
    for (size_t i = 0; err == ERR_OK && i < walk->count; i++) {
        bool later;

        err = select_key(s, &walk->keys[i], &later);
        *passed = *passed || later;
    }
    /*
     * A full batch holds all keys of this conversation that the page needs, except for the rest of
     * the last tick.
     */
    if (err == ERR_OK && walk->count == (size_t)walk->rows)
        prune(s);
    return err;
}

/*
 * Selects what the user received in one conversation after s->after, until it is later than needed.
 * The cursor goes from span to span, so stays that ended before s->after are never read.
 */
static enum err
select_received(struct selection *s, const struct joined *joined)
{
    const struct message_range everything = {joined->conversation, 0, joined->last_seq};
    bool passed = false;
    int64_t seq;
    enum err err = messages_first_after(s->db, &everything, s->after, &seq);

    while (err == ERR_OK && seq <= joined->last_seq && !passed) {
        struct span span = {.until = joined->last_seq, .received = true};
        struct key_walk walk = {
            .conversation = joined->conversation, .after = seq - 1, .rows = (int)s->need, .keys = s->batch};

        if (seq <= joined->joined_seq)
            err = memberships_span(s->db, joined->conversation, s->username, seq, &span);
        if (err != ERR_OK)
            return err;
        walk.until = span.until < joined->last_seq ? span.until : joined->last_seq;
        if (span.received)
            do
                err = select_batch(s, &walk, &passed);
            while (err == ERR_OK && !passed && walk.count == s->need && walk.after < walk.until);
        seq = walk.until + 1;
    }
    return err;
}

/* Finds the conversations that were active after s->after, if there are at most `limit`. */
static enum err
find_active(struct selection *s, int limit)
{
    /* The last search found more than that. */
    if (limit <= s->active.limit && !s->active.all)
        return ERR_OK;
    s->active = (struct active_search){.username = s->username, .after = s->after, .limit = limit};
    return memberships_active(s->db, s->arena, &s->active);
}

/* Selects from each active conversation. */
static enum err
select_active(struct selection *s)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < s->active.count; i++)
        err = select_received(s, &s->active.joined[i]);
    return err;
}

/* Drops everything that was selected. */
static void
start_over(struct selection *s)
{
    s->count = 0;
    s->bound = INT64_MAX;
    s->beyond = false;
}

/*
 * Selects what the user received in the `effort` conversations that they joined first, up to
 * *moment (UNIX ms), when they joined the next one. *done: that fills a page.
 */
static enum err
select_before_others(struct selection *s, int effort, int64_t *moment, bool *done)
{
    struct joined_first first = {.username = s->username, .limit = effort + 1};
    enum err err = memberships_since(s->db, s->arena, &first);

    *moment = s->after;
    *done = false;
    if (err != ERR_OK || first.count <= (size_t)effort || first.joined[effort].since_at - 1 <= s->after)
        return err;
    *moment = first.joined[effort].since_at - 1;
    s->bound = *moment;
    for (size_t i = 0; err == ERR_OK && i < (size_t)effort; i++)
        if (first.joined[i].left_at > s->after)
            err = select_received(s, &first.joined[i]);
    if (err == ERR_OK && s->count > 0)
        prune(s);
    *done = err == ERR_OK && s->count >= s->need;
    if (!*done) {
        s->bound = INT64_MAX;
        s->beyond = false;
    }
    return err;
}

#define SPANS_KEPT 64

/* A walk along messages of all conversations, oldest first. */
struct walk {
    struct selection *selection;
    struct {
        int32_t conversation; /* 0: none yet */
        struct span span;
    } kept[SPANS_KEPT]; /* the last spans found, by conversation */
    bool full;          /* the last key was later than needed */
};

/*
 * Returns whether the user received the message, as far as the list of all active conversations
 * tells.
 */
static enum receipt
receipt_by_list(const struct active_search *active, const struct message_key *key)
{
    size_t i = 0;

    while (i < active->count && active->joined[i].conversation != key->conversation)
        i++;
    if (i == active->count)
        return RECEIPT_NO;
    return key->seq > active->joined[i].joined_seq ? RECEIPT_YES : RECEIPT_EARLIER;
}

static enum err
find_span(struct walk *w, const struct message_key *key, const struct span **span)
{
    const struct selection *s = w->selection;
    size_t i = (size_t)key->conversation % SPANS_KEPT;

    *span = &w->kept[i].span;
    if (w->kept[i].conversation == key->conversation && key->seq > (*span)->after &&
        key->seq <= (*span)->until)
        return ERR_OK;
    w->kept[i].conversation = key->conversation;
    return memberships_span(s->db, key->conversation, s->username, key->seq, &w->kept[i].span);
}

/* Adds the key if the user received its message. */
static enum err
walk_key(struct walk *w, const struct message_key *key, enum receipt receipt)
{
    struct selection *s = w->selection;
    bool received = receipt == RECEIPT_YES;
    const struct span *span;
    enum err err = ERR_OK;

    if (receipt == RECEIPT_EARLIER) {
        err = find_span(w, key, &span);
        received = err == ERR_OK && span->received;
    }
    if (err != ERR_OK || !received)
        return err;
    err = select_key(s, key, &w->full);
    /* Keys come in order, so nothing after this tick is needed. */
    if (s->count == s->need)
        s->bound = key->timestamp;
    return err;
}

/* Adds the keys of the walk's next batch. */
static enum err
walk_batch(struct walk *w, struct message_search *search)
{
    const struct selection *s = w->selection;
    enum err err = messages_since(s->db, search);

    for (size_t i = 0; err == ERR_OK && !w->full && i < search->count; i++) {
        const struct message_key *key = &search->keys[i];

        err = walk_key(w, key, s->active.all ? receipt_by_list(&s->active, key) : search->receipts[i]);
    }
    return err;
}

/*
 * Returns how many keys the next batch reads. `read` of them were read so far, the last `rows` in
 * one batch. The user received some of those, so about this share of the next ones can be expected.
 */
static int
next_rows(const struct selection *s, int read, int rows, int limit)
{
    int64_t missing = s->count < s->need ? (int64_t)(s->need - s->count) : 0;
    int64_t next = 2 * (int64_t)rows;

    if (s->count > 0 && missing * read / (int64_t)s->count + TICK_ROWS < next)
        next = missing * read / (int64_t)s->count + TICK_ROWS;
    if (next > WALK_ROWS_MAX)
        next = WALK_ROWS_MAX;
    return next < limit ? (int)next : limit;
}

/*
 * Selects from the first `limit` messages of all conversations after the moment. *done: they fill
 * the page, or there are no others.
 */
static enum err
select_by_walk(struct selection *s, int64_t moment, int limit, bool *done)
{
    int first = (int)s->need + TICK_ROWS < WALK_ROWS_MAX ? (int)s->need + TICK_ROWS : WALK_ROWS_MAX;
    int room = limit < WALK_ROWS_MAX ? limit : WALK_ROWS_MAX;
    struct message_search search = {.after = moment, .rows = first < limit ? first : limit};
    struct walk walk = {.selection = s};
    int read = 0;
    enum err err = ERR_OK;

    if (!s->active.all)
        search.viewer = s->username;
    search.keys = arena_alloc(s->arena, (size_t)room * sizeof(*search.keys));
    search.receipts = arena_alloc(s->arena, (size_t)room * sizeof(*search.receipts));
    if (search.keys == NULL || search.receipts == NULL)
        return ERR_MEMORY;
    while (err == ERR_OK && !walk.full && !search.all && read < limit) {
        err = walk_batch(&walk, &search);
        read += search.rows;
        search.rows = next_rows(s, read, search.rows, limit - read);
    }
    *done = err == ERR_OK && (walk.full || search.all);
    return err;
}

/* Makes one round. *done: the selection is complete. */
static enum err
select_with_effort(struct selection *s, int effort, bool *done)
{
    int64_t moment;
    enum err err = find_active(s, effort);

    start_over(s);
    *done = err == ERR_OK && s->active.all;
    if (*done)
        return select_active(s);
    if (err == ERR_OK)
        err = select_before_others(s, effort, &moment, done);
    if (err == ERR_OK && !*done)
        err = select_by_walk(s, moment, WALK_BY_CONVERSATION * effort + WALK_BY_NEED * (int)s->need, done);
    return err;
}

/*
 * Selects for a user in many conversations, in rounds of growing effort. Such a user mostly
 * receives many of all messages, or asks for the few of the last moments. Then the messages of all
 * conversations from that moment on soon fill the page. But the user may have been in few
 * conversations then, or in quiet ones.
 * So each round first selects what they received before they had joined more than a few
 * conversations. From there on it walks along the messages of all conversations. The last round
 * reads each conversation that was active. So a page costs about as much as by the cheapest of
 * these ways.
 */
static enum err
select_in_rounds(struct selection *s)
{
    bool done = false;
    enum err err = ERR_OK;

    for (int effort = FEW_CONVERSATIONS; err == ERR_OK && !done; effort *= EFFORT_FACTOR)
        err = select_with_effort(s, effort, &done);
    return err;
}

/* Selects for a user in some conversations: by a short walk if that is enough, else from each. */
static enum err
select_among_some(struct selection *s)
{
    bool done = false;
    enum err err = ERR_OK;

    if (s->active.count > FEW_CONVERSATIONS)
        err = select_by_walk(s, s->after, (int)s->active.count, &done);
    if (err != ERR_OK || done)
        return err;
    start_over(s);
    return select_active(s);
}

static enum err
select_keys(struct selection *s)
{
    enum err err = find_active(s, SOME_CONVERSATIONS);

    if (err == ERR_OK && s->active.all)
        err = select_among_some(s);
    else if (err == ERR_OK)
        err = select_in_rounds(s);
    if (err == ERR_OK)
        prune(s);
    return err;
}

/* Fills the page with a batch of the messages selected. *more: the page takes more. */
static enum err
fill_batch(struct visibility *visibility, const struct message_batch *batch, struct page_filler *filler,
           bool *more)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && *more && i < batch->count; i++) {
        struct message *m = &batch->messages[i];

        if (m->id == 0)
            continue;
        err = visibility_apply(visibility, m);
        if (err == ERR_OK)
            *more = page_add(filler, m);
    }
    return err;
}

/* Fills the page with the messages selected. */
static enum err
fill(const struct selection *s, struct page_filler *filler)
{
    struct visibility visibility = {.db = s->db, .viewer = s->username};
    struct message_place *places = arena_alloc(s->arena, s->count * sizeof(*places));
    struct arena own;
    const struct message_reader reader = {s->db, &own, s->username};
    bool more = true;
    size_t done = 0;
    enum err err = places == NULL ? ERR_MEMORY : ERR_OK;

    arena_init(&own);
    for (size_t i = 0; err == ERR_OK && i < s->count; i++)
        places[i] = (struct message_place){s->keys[i].conversation, s->keys[i].seq};
    while (err == ERR_OK && more && done < s->count) {
        struct message_batch batch = {.places = places + done,
                                      .place_count = (size_t)batch_rows((int64_t)(s->count - done))};

        err = messages_at(&reader, &batch);
        if (err == ERR_OK)
            err = fill_batch(&visibility, &batch, filler, &more);
        done += batch.count;
        arena_reset(&own);
    }
    arena_clear(&own);
    return err;
}

enum err
history_of_user(const struct view *view, struct time_page *page, const struct history_sink *sink)
{
    struct page_filler filler = {.sink = sink, .limit = page->limit};
    struct selection s = {
        .db = view->snapshot->db,
        .arena = view->arena,
        .username = view->viewer,
        .after = page->after,
        .need = (size_t)page->limit + 1,
        .bound = INT64_MAX,
    };
    enum err err = ERR_MEMORY;

    s.batch = arena_alloc(s.arena, s.need * sizeof(*s.batch));
    if (s.batch != NULL)
        err = select_keys(&s);
    if (err == ERR_OK)
        err = fill(&s, &filler);
    page->has_next = filler.has_next || s.beyond;
    return err;
}

/* Finds the first seq of the page. */
static enum err
find_start(struct db *db, const struct seq_page *page, int64_t *first)
{
    /* In a page around a message, the messages before it take about half of the bytes. */
    bool around = page->side == SEQ_AROUND;
    struct message_page before = {
        .conversation = page->conversation->id,
        .before = page->seq,
        .limit = around ? (page->limit - 1) / 2 : page->limit,
        .bytes = PAGE_BYTES_MAX / (around ? 2 : 1),
    };
    enum err err;

    if (page->side == SEQ_AFTER) {
        *first = page->seq <= page->conversation->last_seq ? page->seq + 1 : page->seq;
        return ERR_OK;
    }
    err = messages_page_before(db, &before);
    *first = before.first;
    return err;
}

/* A page by seq that is being shown. */
struct seq_filler {
    struct seq_page *page;
    int64_t next; /* seq */
    size_t bytes;
    void (*each)(void *arg, const struct message *m);
    void *arg;
};

static bool
seq_add(void *arg, const struct message *m)
{
    struct seq_filler *w = arg;
    /* The messages before page->seq were measured when the start was found. */
    bool counts = w->page->side != SEQ_BEFORE && m->seq >= w->page->seq;

    w->each(w->arg, m);
    w->next = m->seq + 1;
    if (counts)
        w->bytes += messages_bytes(m);
    return w->bytes <= PAGE_BYTES_MAX / (w->page->side == SEQ_AROUND ? 2 : 1);
}

/* Returns the last seq that the page may hold. */
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
history_by_seq(const struct view *view, struct seq_page *page,
               void (*each)(void *arg, const struct message *m), void *arg)
{
    const struct conversation *c = page->conversation;
    int64_t first = 1;
    enum err err;

    /* A seq beyond the last one means an empty page after it, or a page back from there. */
    if (page->seq > c->last_seq)
        page->seq = c->last_seq + 1;
    err = find_start(view->snapshot->db, page, &first);
    if (err == ERR_OK) {
        int64_t end = find_end(page, first);
        struct seq_filler filler = {page, first, 0, each, arg};
        struct page_walk walk = {.conversation = c,
                                 .from = first,
                                 .last = end <= c->last_seq ? end - 1 : c->last_seq,
                                 .wanted = end - first,
                                 .take = seq_add,
                                 .arg = &filler};

        err = walk_page(view, &walk);
        page->has_prev = first > 1;
        page->has_next = filler.next <= c->last_seq;
    }
    return err;
}
