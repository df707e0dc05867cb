/*
 * publisher.h - publishes the changes of the outbox as frames, on the channels of their audience.
 *
 * A batch is everything that was committed since the last batch. Within a batch, the changes of one
 * conversation that have the same audience share a frame. So a relay that keeps up sends one event
 * at a time, and a relay that lags sends fewer, fuller frames.
 *
 * nchan keeps a copy of each frame for each user. So the more users a frame is for, the fewer
 * events it holds. An event that alone is too large for so many users is sent thin: without its
 * message or conversation, which clients then fetch. An event is also sent thin to members who have
 * left since, if its subject has changed since.
 *
 * Users who certainly have no subscription (push/silence.h) get no copy. An event without listeners
 * is not even rendered. Heavy fan-outs have allowances, so that they cannot fill nchan's memory:
 * see fanout.h.
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

/* The most changes of a batch. */
#define PUBLISHER_BATCH_MAX 512

struct nchan;
struct silence;

/* A change that was published before an older one was. */
struct published_ahead {
    int64_t id; /* in the outbox */
    uint64_t payer;
    int64_t units; /* what its fan-out costs the payer */
};

struct publisher {
    struct store *store;       /* borrowed, for reading */
    struct snapshot *snapshot; /* of the current call … */
    struct db *db;             /* … and its database */
    struct nchan *nchan;       /* borrowed */
    struct silence *silence;   /* borrowed; knows who has no subscription */
    struct shared *shared;     /* borrowed; holds the rates that fan-outs are charged to */
    char epoch[EPOCH_BYTES];
    int batch_max;      /* the most changes of the next batch; the owner sets it */
    struct arena arena; /* of one batch */
    struct arena names; /* the audience of one frame: a batch may hold frames for many large groups */
    struct buf frame;
    struct audience audience;     /* the users whom the current change concerns */
    bool moved_on;                /* the subject of an event in the frame has changed since */
    const struct change *changes; /* of the current batch, sorted … */
    int64_t *units;               /* … and what each costs its payer */
    int64_t charged_id;           /* changes up to it are charged */
    /* Published, but after the last batch's last_id. Later batches skip them. */
    struct published_ahead ahead[PUBLISHER_BATCH_MAX];
    size_t ahead_count;
    struct buf channels;  /* the channels of one publish, joined by "," */
    struct fanout fanout; /* the allowances of heavy frames, and the deferred conversations */
    int frames;           /* how many publishes the current batch has given nchan */
    size_t users;         /* the audience of its largest frame */
    int unannounced;      /* its changes that no event will announce */
    uint64_t published;   /* publishes given to nchan since the start */
};

/* The outcome of a batch. */
struct batch_result {
    int64_t last_id; /* every change up to it is handled; the given id if there was none */
    size_t users;    /* the audience of the largest frame */
    int taken;       /* changes that were taken for publishing */
    int dropped;     /* changes that were too old */
    int unannounced; /* changes that no event will announce: too many conversations are deferred */
    int frames;      /* publishes given to nchan; last_id is the ticket of the last one */
};

/*
 * Frees what the publisher owns. To initialize one, zero the struct and set its borrowed members.
 */
void publisher_clear(struct publisher *p);

/*
 * Handles the changes after `id` in order, at most a batch. If nchan is not connected, it only
 * drops those that are too old to be sent. Opens a read transaction.
 *
 * A batch ends early when it has given nchan enough. It may then have published changes after
 * last_id; later batches skip them. ERR_STORAGE, ERR_MEMORY: nchan was given an incomplete batch,
 * so the connection must be closed.
 */
enum err publisher_batch(struct publisher *p, int64_t id, struct batch_result *result);

/* Forgets everything in flight, because the connection is lost: it will be published again. */
void publisher_lose(struct publisher *p);

/*
 * Publishes that a user is typing to the other members, unless the members are many or the user is
 * not one; or the empty frame of a ping to the user. nchan must be connected. Opens a read
 * transaction. Errors as above.
 */
enum err publisher_signal(struct publisher *p, const struct shared_signal *signal);

/*
 * Publishes the thin event of the deferred conversation whose turn it is, to its present members;
 * nothing if none may go out. nchan must be connected. Opens a read transaction. Errors as above.
 */
enum err publisher_deferred(struct publisher *p);

#endif
