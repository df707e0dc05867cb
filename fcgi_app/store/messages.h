/*
 * messages.h - the table message.
 *
 * In one conversation, seq runs 1, 2, 3 … without gaps. Timestamps and creating versions never fall
 * as seq grows. So a moment or a version is found by binary search, and needs no index.
 *
 * Functions that take a `struct tx` need a write transaction. Those that take a `struct db` need
 * none, but several of them agree with each other only inside one.
 */
#ifndef IMD_STORE_MESSAGES_H
#define IMD_STORE_MESSAGES_H

#include "base/arena.h"
#include "model/model.h"
#include "store/tx.h"

/* About how many bytes an emoji takes in an answer, and each name shown under it. */
#define MESSAGES_EMOJI_BYTES 64
#define MESSAGES_NAME_BYTES  (USERNAME_BYTES_MAX + 3)

/* Returns about how many bytes the message's content and reactions take in an answer. */
size_t messages_bytes(const struct message *m);

/*
 * Copies the message's strings into the arena, because the engine's own copies do not last.
 * ERR_MEMORY.
 */
enum err messages_keep(struct arena *arena, struct message *m);

/* Assigns the message its id, and stores it as the change that made `version`. */
enum err messages_add(struct tx *tx, struct message *m, int64_t version);

/* What reading messages with their reactions needs. */
struct message_reader {
    struct db *db;
    struct arena *arena; /* for what is read */
    struct str viewer;   /* whose reactions are marked as their own; absent: nobody's */
};

/*
 * A batch of messages ends once their content and reactions exceed this, but holds at least one. So
 * the bytes that are read but not shown are bounded, however large the messages are.
 */
#define MESSAGES_BATCH_BYTES (256 * 1024)

/* Returns one message with its reactions, all from the arena. */
enum err messages_get(const struct message_reader *r, int32_t conversation, int64_t seq, struct message *m,
                      bool *found);
/* The position of a message. */
struct message_place {
    int32_t conversation;
    int64_t seq; /* 0: there is no message */
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
 * Returns the message without its content and its reactions, which cost most to read. m->content is
 * "", and m->emoji_count tells whether there are reactions.
 */
enum err messages_head(struct db *db, struct arena *arena, int64_t id, struct message *m, bool *found);
/* Reads the content of a head, from the arena. */
enum err messages_content(struct db *db, struct arena *arena, struct message *m);
/* Returns the position of the message, without reading its content or its reactions. */
enum err messages_key(struct db *db, int64_t id, struct message_key *key, bool *found);
/*
 * Returns the message that the viewer sent under the key. *fingerprint: messages_fingerprint() of
 * the content as it was first sent; -1 if the content has not changed since.
 */
enum err messages_by_client_id(const struct message_reader *r, struct str client_id, struct message *m,
                               int *fingerprint, bool *found);
/*
 * Returns 16 bits of a hash: different contents mostly have different ones, and none can be told
 * from it.
 */
int messages_fingerprint(struct str content);

/*
 * Stores the change that made `version`: a new content, at tx->tick, or a deletion, which also
 * removes the reactions and edited_at. The old content is removed from the database. Both update *m
 * as well.
 */
enum err messages_edit(struct tx *tx, struct message *m, struct str content, int64_t version);
enum err messages_delete(struct tx *tx, struct message *m, int64_t version);

/* Stores m->emoji_count (reactions.h) and the version of the change. */
enum err messages_set_reacted(struct tx *tx, const struct message *m, int64_t version);

/* Messages of a conversation: after < seq <= until. */
struct message_range {
    int32_t conversation;
    int64_t after;
    int64_t until;
};

/*
 * Finds the first seq of the range whose timestamp is > after (UNIX ms); range->until + 1 if there
 * is none. All messages of the range must exist.
 */
enum err messages_first_after(struct db *db, const struct message_range *range, int64_t after, int64_t *seq);
/* Does the same for the versions that created the messages. */
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

/* A walk over the keys of a conversation's messages, by seq, one bounded batch at a time. */
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

/* Reads the next batch, and advances the walk. */
enum err messages_keys(struct db *db, struct key_walk *walk);

/* Whether a user received a message, as far as their last stay in its conversation tells. */
enum receipt {
    RECEIPT_NO = 0,
    RECEIPT_YES = 1,
    RECEIPT_EARLIER = 2, /* it is older than that stay: memberships_span() tells */
};

/* A walk over the keys of the messages of all conversations since a moment, oldest first. */
struct message_search {
    int64_t after;            /* UNIX ms; their timestamps are beyond this */
    int64_t from;             /* id; moves on; 0: the walk begins */
    struct str viewer;        /* whose receipts are read; absent: nobody's */
    int rows;                 /* of a batch, at most */
    struct message_key *keys; /* the caller's, with room for `rows`; out: the next ones … */
    enum receipt *receipts;   /* the caller's, as many; out: the viewer's, of each key … */
    size_t count;             /* out: … so many */
    bool all;                 /* out: there are no others */
};

/* Reads the next batch, and advances the walk. */
enum err messages_since(struct db *db, struct message_search *search);

/* The order of a walk, and which messages it visits. */
enum message_order {
    MESSAGES_BY_SEQ,      /* all from a seq on */
    MESSAGES_BY_CREATION, /* the same, with the versions that created them */
    MESSAGES_BY_CHANGE,   /* those that changed after a version, each by its last change */
};

/* A walk over the messages of a conversation, one bounded batch at a time. */
struct message_walk {
    enum message_order order;
    int32_t conversation;
    int64_t from;               /* advances: the first seq, or the version before the first */
    int rows;                   /* of a batch, at most; MESSAGES_BATCH_BYTES may end it earlier */
    struct message_step *steps; /* out: the next ones, from the arena … */
    size_t count;               /* … so many; 0: the walk is at its end */
};

struct message_step {
    struct message message; /* with its reactions */
    int64_t version;        /* that created it, or changed it last; not set by seq */
    bool changed_since;     /* by creation: it has changed since then, and only its seq is set */
};

/* Reads the next batch, and advances the walk. */
enum err messages_walk(const struct message_reader *r, struct message_walk *walk);

#endif
