/*
 * publisher.h - changes of the outbox become frames on the channels of those whom they concern.
 *
 * Changes are taken in batches: whatever has come up since the last one. In a batch, the changes of one
 * conversation that concern the same users share a frame. So a relay that keeps up sends one event at a time,
 * and one that is behind sends fewer, fuller frames until it is not. A frame takes the fewer events the more
 * users it is for, because nchan keeps a copy for each; an event that alone is too large for so many is sent
 * thin: without its message or conversation, which clients then fetch. Users who certainly have no
 * subscription (push/silence.h) get no copy, and an event that nobody would hear is not even rendered. It is
 * also thin for those who have left since, if what it is about has changed since.
 * Heavy fan-outs have allowances, so that they cannot fill nchan's memory: see fanout.h.
 */
#ifndef IMD_RELAY_PUBLISHER_H
#define IMD_RELAY_PUBLISHER_H

#include "base/arena.h"
#include "base/buf.h"
#include "domain/audience.h"
#include "run/shared.h"
#include "relay/fanout.h"
#include "store/instance.h"
#include "store/store.h"

/* As many changes as are taken at once. */
#define PUBLISHER_BATCH_MAX 512

struct nchan;
struct silence;

struct publisher {
    struct store *store;       /* borrowed, for reading */
    struct snapshot *snapshot; /* of what is published at once … */
    struct db *db;             /* … and what is read by it */
    struct nchan *nchan;       /* borrowed */
    struct silence *silence;   /* borrowed; whom nothing need be published to */
    struct shared *shared;     /* borrowed; with the rates that fan-outs are charged to */
    char epoch[EPOCH_BYTES];
    int batch_max;      /* changes to take at once; the owner sets it */
    struct arena arena; /* of one batch */
    struct buf frame;
    struct audience audience;     /* whom the change at hand concerns */
    bool moved_on;                /* something that the frame tells of has changed since */
    const struct change *changes; /* of the batch at hand, sorted … */
    int64_t *units;               /* … and what each costs its payer, once it is published */
    int64_t charged_id;           /* changes up to it are charged */
    struct buf channels;          /* some of them, joined by "," */
    struct fanout fanout;         /* what heavy fan-outs may take of nchan's memory */
    int frames;         /* that the batch at hand has given nchan, for up to NCHAN_CHANNELS_MAX users each */
    size_t users;       /* whom the largest of its frames was for */
    int untold;         /* changes of it that no later event tells of: too many conversations wait */
    uint64_t published; /* requests to nchan since the start */
};

/* What became of a batch. */
struct batch_result {
    int64_t last_id; /* all changes up to it are taken; the id asked from where there were none */
    size_t users;    /* whom the largest frame was for */
    int taken;       /* changes that were taken for sending */
    int dropped;     /* changes that were too old */
    int untold;      /* changes that nobody is told of: too many conversations wait */
    int frames;      /* in flight to nchan, which answers with last_id; 0: nothing needs a push */
};

/* Frees what it holds; the borrowed things are the caller's. Zero the struct and set the borrowed ones to
 * begin. */
void publisher_clear(struct publisher *p);

/*
 * Takes the changes after `id` in order, at most a batch, and gives nchan what is to be sent. Where it is not
 * connected, takes only what is too old to be sent at all. Opens a read transaction. ERR_STORAGE, ERR_MEMORY:
 * what nchan was given is incomplete, so the connection must go.
 */
enum err publisher_batch(struct publisher *p, int64_t id, struct batch_result *result);

/*
 * Gives nchan, which must be connected, the event that somebody is typing, for the other members; nothing
 * where they are many or the user is no member. Opens a read transaction. Errors as above.
 */
enum err publisher_typing(struct publisher *p, const struct shared_typing *typing);

/*
 * Gives nchan, which must be connected, the thin event of the deferred conversation whose turn it is, for its
 * members as they are now; nothing where none may go out. Opens a read transaction. Errors as above.
 */
enum err publisher_deferred(struct publisher *p);

#endif
