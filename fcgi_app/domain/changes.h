/*
 * changes.h - what has changed in a conversation since a version: each object once, in its present
 * state.
 *
 * There is no log of changes. Every row has the version of its last change, and a page merges three
 * index ranges in the order of versions. So a client that holds a version and applies page after
 * page reaches the present state. The cost of a page grows with the page, not with history.
 */
#ifndef IMD_DOMAIN_CHANGES_H
#define IMD_DOMAIN_CHANGES_H

#include "base/arena.h"
#include "model/model.h"
#include "store/instance.h"
#include "store/store.h"

struct changes_page {
    const struct conversation *conversation; /* as the gate found it in the snapshot */
    int64_t after;                           /* the version that the client holds; 0: none */
    struct str username;                     /* only what this member received; absent: all messages */
    struct str viewer;                       /* whose reactions are shown as their own; absent: nobody's */
    int limit;                               /* 1 … PAGE_LIMIT_MAX: objects on the page */
    /* out: */
    char epoch[EPOCH_BYTES];
    int64_t version; /* that the client holds after this page */
    bool has_next;
    bool changed;                /* something has changed since `after` */
    bool few;                    /* there are at most MEMBERS_FEW members, so all of their markers are read */
    struct conversation object;  /* with its members if `few` */
    struct standing *members;    /* changed ones on this page, from the arena … */
    size_t member_count;         /* … so many */
    struct read_marker *markers; /* of the present members, from the arena … */
    size_t marker_count;         /* … so many */
};

/*
 * Calls back with the page's messages, in the order of their last changes; strings live for the
 * call. Then fills the outputs. A page may hold fewer objects than `limit`, even none, and still
 * have a next one; then its version is beyond `after`. ERR_NOT_A_MEMBER if username is given.
 */
enum err changes_page(const struct snapshot *snapshot, struct arena *arena, struct changes_page *page,
                      void (*each)(void *arg, const struct message *m), void *arg);

#endif
