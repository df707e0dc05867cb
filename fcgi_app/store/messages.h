/*
 * messages.h - the table message.
 *
 * In one conversation, seq runs 1, 2, 3 … without holes, and neither timestamps nor the versions
 * that created the messages fall as seq grows. So a moment or a version is found by search, and
 * needs no index.
 *
 * Functions that take a `struct tx` need a write transaction; those that take a `struct db` need
 * none, but several of them tell one story only inside one.
 */
#ifndef IMD_STORE_MESSAGES_H
#define IMD_STORE_MESSAGES_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

/* About what an emoji takes in an answer, and each name shown under it. */
#define MESSAGES_EMOJI_BYTES 64
#define MESSAGES_NAME_BYTES  (USERNAME_BYTES_MAX + 3)

/* Returns about how many bytes the message's content and reactions take in an answer. */
size_t messages_bytes(const struct message *m);

/*
 * Copies the message's strings into the arena: the engines read from what does not last.
 * ERR_MEMORY.
 */
enum err messages_keep(struct arena *arena, struct message *m);

/* Gives the message its id, and stores it as the change that made `version`. */
enum err messages_add(struct tx *tx, struct message *m, int64_t version);

/* Who reads messages with their reactions. */
struct message_reader {
    struct db *db;
    struct arena *arena; /* for what is read */
    struct str viewer;   /* whose reactions are shown as their own; absent: nobody's */
};

/*
 * A batch of messages ends once their content and reactions exceed this. It holds at least one. So
 * the bytes that an answer reads and does not show are bounded, however large the messages are.
 */
#define MESSAGES_BATCH_BYTES (256 * 1024)

/* One message with its reactions, all from the arena. */
enum err messages_get(const struct message_reader *r, int32_t conversation, int64_t seq, struct message *m,
                      bool *found);
/* Where a message stands. */
struct message_place {
    int32_t conversation;
    int64_t seq; /* 0: nowhere */
};

/* The messages at some places. */
struct message_batch {
    const struct message_place *places; /* in */
    size_t place_count;                 /* in */
    struct message *messages;           /* out: of the first places, in order, from the arena … */
    size_t count;                       /* … so many, by MESSAGES_BATCH_BYTES; id 0: there is none */
};

/* Fills the outputs of the batch: messages with their reactions. */
enum err messages_at(const struct message_reader *r, struct message_batch *batch);
enum err messages_by_id(const struct message_reader *r, int64_t id, struct message *m, bool *found);
/*
 * The message without its content and its reactions, which cost most to read: m->content is "", and
 * m->emoji_count tells whether there are reactions.
 */
enum err messages_head(struct db *db, struct arena *arena, int64_t id, struct message *m, bool *found);
/* Reads the content of a head, from the arena. */
enum err messages_content(struct db *db, struct arena *arena, struct message *m);
/* Where the message of that id stands: reads neither its content nor its reactions. */
enum err messages_key(struct db *db, int64_t id, struct message_key *key, bool *found);
/*
 * The one that the viewer sent under the key. *fingerprint: messages_fingerprint() of the content
 * as it was first sent; -1: the content still is what was sent.
 */
enum err messages_by_client_id(const struct message_reader *r, struct str client_id, struct message *m,
                               int *fingerprint, bool *found);
/* Sixteen bits of a content: different ones mostly differ, and none can be told from it. */
int messages_fingerprint(struct str content);

/*
 * The change that made `version`: another content, at tx->tick; or none at all, with no reactions
 * and no trace of an edit. The content as it was goes from the database. Update *m as well.
 */
enum err messages_edit(struct tx *tx, struct message *m, struct str content, int64_t version);
enum err messages_delete(struct tx *tx, struct message *m, int64_t version);

/* Notes m->emoji_count (reactions.h) and the version of the change. */
enum err messages_set_reacted(struct tx *tx, const struct message *m, int64_t version);

/* Messages of a conversation: after < seq <= until. */
struct message_range {
    int32_t conversation;
    int64_t after;
    int64_t until;
};

/*
 * The first seq of the range whose timestamp is > after (UNIX ms); range->until + 1 where there is
 * none. All messages of the range must exist.
 */
enum err messages_first_after(struct db *db, const struct message_range *range, int64_t after, int64_t *seq);
/* The same for the versions that created them. */
enum err messages_first_created_after(struct db *db, const struct message_range *range, int64_t version,
                                      int64_t *seq);

/* A page of messages that ends before a seq. */
struct message_page {
    int32_t conversation; /* in */
    int64_t before;       /* in: seq */
    int limit;            /* in: at most so many messages … */
    size_t bytes;         /* in: … or fewer, once content and reactions exceed this; but at least one */
    int64_t first;        /* out: seq at which the page begins; `before` if there is no message before it */
};

/* Fills the output of the page. */
enum err messages_page_before(struct db *db, struct message_page *page);

/* A walk along the keys of a conversation's messages, by seq, a bounded batch at a time. */
struct key_walk {
    int32_t conversation;
    int64_t after;            /* seq; moves on */
    int64_t until;            /* seq */
    int64_t no_later;         /* UNIX ms: the walk ends before the first message with a later timestamp */
    int rows;                 /* of a batch, at most */
    struct message_key *keys; /* the caller's, with room for `rows`; out: the next ones … */
    size_t count;             /* out: … so many; fewer than `rows`: the walk is at its end */
    bool later;               /* out: the range holds a message with a later timestamp */
};

/* Reads the next batch and moves the walk on. */
enum err messages_keys(struct db *db, struct key_walk *walk);

/* A walk along the keys of the messages of all conversations since a moment, oldest first. */
struct message_search {
    int64_t after;            /* UNIX ms; their timestamps are beyond this */
    int64_t from;             /* id; moves on; 0: the walk begins */
    int rows;                 /* of a batch, at most */
    struct message_key *keys; /* the caller's, with room for `rows`; out: the next ones … */
    size_t count;             /* out: … so many */
    bool all;                 /* out: there are no others */
};

/* Reads the next batch and moves the walk on. */
enum err messages_since(struct db *db, struct message_search *search);

/* The order of a walk, and which messages it comes to. */
enum message_order {
    MESSAGES_BY_SEQ,      /* all from a seq on */
    MESSAGES_BY_CREATION, /* the same, with the versions that created them */
    MESSAGES_BY_CHANGE,   /* those that changed after a version, each by its last change */
};

/* A walk along the messages of a conversation, a bounded batch at a time. */
struct message_walk {
    enum message_order order;
    int32_t conversation;
    int64_t from;               /* moves on: the seq from which on, or the version beyond which */
    int rows;                   /* of a batch, at most; it may end earlier, by MESSAGES_BATCH_BYTES */
    struct message_step *steps; /* out: the next ones, from the arena … */
    size_t count;               /* … so many; 0: the walk is at its end */
};

struct message_step {
    struct message message; /* with its reactions */
    int64_t version;        /* that created it, or changed it last; not set by seq */
    bool changed_since;     /* by creation: it has changed since then, and nothing of it is set but seq */
};

/* Reads the next batch and moves the walk on. */
enum err messages_walk(const struct message_reader *r, struct message_walk *walk);

#endif
