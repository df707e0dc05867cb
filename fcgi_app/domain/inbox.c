/*
 * inbox.c - see inbox.h. Must not know what a list looks like.
 *
 * A membership's active_at is at most ACTIVE_LAG_MS behind its conversation's updated_at, and never
 * ahead. So a walk by active_at may stop when the page is full of entries that are newer than
 * anything further on can be. Its cost grows with the page and with what was active in the last
 * seconds, not with the number of conversations.
 */
#include "domain/inbox.h"

#include <stdlib.h>
#include "store/listings.h"
#include "store/markers.h"
#include "store/memberships.h"
#include "store/messages.h"

/* Rows of a batch of a walk: so many are worth a call, and more would take much memory at once. */
#define WALK_ROWS_MIN 16
#define WALK_ROWS_MAX 2048
#define MOVED_ROWS    256

/* The entries that may be on the page. */
struct search {
    const struct inbox *inbox;
    struct arena *arena;
    struct list_position *entries;
    size_t count;
    bool ended_early; /* there may be more entries, all older */
};

static int
newest_first(const void *a, const void *b)
{
    const struct list_position *x = a;
    const struct list_position *y = b;

    if (x->updated_at != y->updated_at)
        return x->updated_at > y->updated_at ? -1 : 1;
    return (x->conversation < y->conversation) - (x->conversation > y->conversation);
}

static enum err
add(struct search *s, const struct list_position *position)
{
    s->entries = arena_grow(s->arena, s->entries, s->count, sizeof(*s->entries));
    if (s->entries == NULL)
        return ERR_MEMORY;
    s->entries[s->count++] = *position;
    return ERR_OK;
}

/* Adds the positions that lie in the part of the list that is requested. */
static enum err
add_batch(struct search *s, const struct list_walk *walk)
{
    const struct inbox *inbox = s->inbox;
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < walk->count; i++) {
        int64_t updated_at = walk->positions[i].updated_at;

        if (updated_at < inbox->updated_before && updated_at > inbox->updated_after)
            err = add(s, &walk->positions[i]);
    }
    return err;
}

/*
 * True if the page has enough entries, and one more, that are newer than anything whose active_at
 * is `active_at` or less.
 */
static bool
settled(struct search *s, int64_t active_at)
{
    size_t need = (size_t)s->inbox->limit + 1;

    if (active_at == ACTIVE_ALWAYS || s->count < need)
        return false;
    qsort(s->entries, s->count, sizeof(*s->entries), newest_first);
    return s->entries[need - 1].updated_at > active_at + ACTIVE_LAG_MS;
}

/*
 * Walks until the page is settled, or to the end. Each batch is as large as all before it together,
 * so the number of batches grows with the logarithm of the rows read.
 */
static enum err
walk_list(struct db *db, struct search *s,
          enum err (*next)(struct db *db, struct arena *arena, struct list_walk *walk),
          struct list_walk *walk)
{
    int need = s->inbox->limit + 1;
    int read = 0;
    enum err err;

    walk->username = s->inbox->username;
    do {
        walk->rows = read > need ? read : need;
        if (walk->rows < WALK_ROWS_MIN)
            walk->rows = WALK_ROWS_MIN;
        if (walk->rows > WALK_ROWS_MAX)
            walk->rows = WALK_ROWS_MAX;
        err = next(db, s->arena, walk);
        if (err == ERR_OK)
            err = add_batch(s, walk);
        if (err != ERR_OK || walk->count < (size_t)walk->rows)
            return err;
        read += walk->rows;
    } while (!settled(s, walk->until));
    s->ended_early = true;
    return ERR_OK;
}

/* Returns how many of the entries make the page. */
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

/* Adds the conversations where only the user's marker has moved since. */
static enum err
walk_markers(struct db *db, struct search *s)
{
    const struct inbox *inbox = s->inbox;
    struct moved_walk walk = {
        .username = inbox->username, .from = inbox->updated_after + 1, .rows = MOVED_ROWS};
    enum err err;

    do {
        err = markers_moved(db, s->arena, &walk);
        for (size_t i = 0; err == ERR_OK && i < walk.count; i++) {
            const struct list_position position = {.conversation = walk.moved[i].conversation,
                                                   .updated_at = walk.moved[i].updated_at};

            /* A conversation that was active itself was found by its activity. */
            if (position.updated_at <= inbox->updated_after && position.updated_at < inbox->updated_before)
                err = add(s, &position);
        }
    } while (err == ERR_OK && walk.count == MOVED_ROWS);
    return err;
}

/*
 * Adds the conversations where only the marker has moved. They are older than all others, so a full
 * page has none of them.
 */
static enum err
find_marked(struct db *db, struct search *s)
{
    enum err err;

    if (s->inbox->updated_after < 0 || s->inbox->updated_after == INT64_MAX)
        return ERR_OK;
    if (s->ended_early || page_length(s) < s->count)
        return ERR_OK;
    err = walk_markers(db, s);
    sort(s);
    return err;
}

/* Finds the entries that may be on the page, in its order. */
static enum err
find_entries(struct db *db, struct search *s)
{
    const struct inbox *inbox = s->inbox;
    int64_t after = inbox->updated_after < 0 ? -1 : inbox->updated_after - ACTIVE_LAG_MS - 1;
    int64_t until = inbox->updated_before < ACTIVE_ALWAYS ? inbox->updated_before - 1 : ACTIVE_ALWAYS - 1;
    struct list_walk always = {.after = ACTIVE_ALWAYS - 1, .until = ACTIVE_ALWAYS};
    struct list_walk present = {.after = after, .until = until};
    struct list_walk left = {.after = inbox->updated_after, .until = until};
    enum err err = walk_list(db, s, memberships_present, &always);

    if (err == ERR_OK)
        err = walk_list(db, s, memberships_present, &present);
    if (err == ERR_OK && inbox->updated_after >= 0)
        err = walk_list(db, s, memberships_left, &left);
    sort(s);
    return err == ERR_OK ? find_marked(db, s) : err;
}

/*
 * The most entries that are read at once, so the number of store calls does not grow with the
 * entries. A page of the default limit is one batch, one of PAGE_LIMIT_MAX a few. The bound also
 * limits the memory for the names of a long page.
 */
#define BATCH_MAX 200

/* A page that is being shown. */
struct show {
    struct db *db;
    struct str username;
    bool (*each)(void *arg, const struct listing *listing);
    void *arg;
    bool more;        /* there is room for more */
    struct arena own; /* of one batch of messages alone: each may be large */
    const struct list_position *entry;
    const struct listing_row *row; /* of the next entry that was not left */
};

/* True if the page has room for the entry, or if the entry shares its tick with the one before. */
static bool
is_on_page(const struct show *w, const struct list_position *entry)
{
    return w->more || entry->updated_at == entry[-1].updated_at;
}

static bool
show_present(struct show *w, const struct message *newest)
{
    const struct listing_row *row = w->row++;
    struct listing l = {
        .conversation = row->conversation,
        .role = row->last.role,
        .read_seq = row->read_seq,
        .unread = row->unread,
        .newest = newest,
    };

    return w->each(w->arg, &l);
}

static bool
show_left(const struct show *w, const struct list_position *entry)
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

    return w->each(w->arg, &l);
}

/*
 * Shows an entry for each message of the batch, the newest that the user received there. Returns
 * false when the page is full.
 */
static bool
show_entries(struct show *w, const struct message_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct message *newest = &batch->messages[i];

        if (!is_on_page(w, w->entry))
            return false;
        w->more = w->entry->left ? show_left(w, w->entry) : show_present(w, newest->id == 0 ? NULL : newest);
        w->entry++;
    }
    return true;
}

/* Reads the newest messages batch by batch and shows the entries. */
static enum err
show_messages(struct show *w, const struct message_place *places, size_t count)
{
    const struct message_reader reader = {w->db, &w->own, w->username};
    bool more = true;
    size_t done = 0;
    enum err err = ERR_OK;

    while (err == ERR_OK && more && done < count) {
        struct message_batch batch = {.places = places + done, .place_count = count - done};

        err = messages_at(&reader, &batch);
        if (err == ERR_OK)
            more = show_entries(w, &batch);
        done += batch.count;
        arena_reset(&w->own);
    }
    return err;
}

/* Reads the contents of the entries, except for messages: a row for each that was not left. */
static enum err
read_rows(const struct show *w, struct arena *arena, size_t count, struct listing_row *rows)
{
    size_t n = 0;
    enum err err;

    for (size_t i = 0; i < count; i++)
        if (!w->entry[i].left)
            rows[n++].id = w->entry[i].conversation;
    err = listings_standing(w->db, arena, w->username, rows, n);
    if (err == ERR_OK)
        err = listings_names(w->db, arena, rows, n);
    return err == ERR_OK ? listings_unread(w->db, w->username, rows, n) : err;
}

/* Shows the next `count` entries, or those of them that are on the page. */
static enum err
show_batch(struct show *w, struct arena *arena, size_t count)
{
    struct listing_row *rows = arena_alloc(arena, count * sizeof(*rows));
    struct message_place *places = arena_alloc(arena, count * sizeof(*places));
    size_t n = 0;
    enum err err = rows == NULL || places == NULL ? ERR_MEMORY : read_rows(w, arena, count, rows);

    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < count; i++)
        if (!w->entry[i].left) {
            places[i] = (struct message_place){rows[n].id, rows[n].newest_seq};
            n++;
        }
    w->row = rows;
    return show_messages(w, places, count);
}

static enum err
show_page(struct show *w, const struct search *s, bool *has_next)
{
    const struct list_position *end;
    struct arena batch;
    enum err err = ERR_OK;

    *has_next = s->ended_early;
    if (s->count == 0)
        return ERR_OK;
    end = s->entries + page_length(s);
    arena_init(&batch);
    arena_init(&w->own);
    w->entry = s->entries;
    while (err == ERR_OK && w->entry < end && is_on_page(w, w->entry)) {
        size_t left = (size_t)(end - w->entry);

        err = show_batch(w, &batch, left < BATCH_MAX ? left : BATCH_MAX);
        arena_reset(&batch);
    }
    *has_next = *has_next || w->entry < s->entries + s->count;
    arena_clear(&w->own);
    arena_clear(&batch);
    return err;
}

enum err
inbox_list(const struct snapshot *snapshot, struct arena *arena, struct inbox *inbox,
           bool (*each)(void *arg, const struct listing *listing), void *arg)
{
    struct search s = {.inbox = inbox, .arena = arena};
    struct show show = {
        .db = snapshot->db, .username = inbox->username, .each = each, .arg = arg, .more = true};
    struct instance instance = {0};
    enum err err = instance_get(show.db, &instance);

    memcpy(inbox->epoch, instance.epoch, sizeof(inbox->epoch));
    if (err == ERR_OK)
        err = find_entries(show.db, &s);
    if (err == ERR_OK)
        err = show_page(&show, &s, &inbox->has_next);
    return err;
}
