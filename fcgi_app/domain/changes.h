/*
 * changes.h - what of a conversation has changed since a version: each object once, as it is now.
 *
 * Nothing is logged for it: every row bears the version of its last change, and a page is cut from three
 * ranges, each in the order of versions. So a client that holds a version, and applies page after page, ends
 * with the present state, however long it was away; and a page costs what it holds, whatever the history.
 */
#ifndef IMD_DOMAIN_CHANGES_H
#define IMD_DOMAIN_CHANGES_H

#include "base/arena.h"
#include "model/model.h"
#include "store/instance.h"
#include "store/store.h"

struct changes_page {
    const struct conversation *conversation; /* as the gate found it in the snapshot */
    int64_t after;                           /* the version that the client holds; 0: nothing */
    struct str username;                     /* only what this member received; absent: all messages */
    struct str viewer;                       /* whose reactions are shown as their own; absent: nobody's */
    int limit;                               /* 1 … PAGE_LIMIT_MAX: objects on the page */
    /* out: */
    char epoch[EPOCH_BYTES];
    int64_t version; /* that the client holds with this page */
    bool has_next;
    bool changed;                /* there is something new */
    bool few;                    /* there are at most MEMBERS_FEW members: the markers tell all */
    struct conversation object;  /* members only where there are few */
    struct standing *members;    /* changed ones on this page, from the arena … */
    size_t member_count;         /* … so many */
    struct read_marker *markers; /* of the present members, from the arena … */
    size_t marker_count;         /* … so many */
};

/*
 * Calls back with the page's messages, in the order of their last changes, strings living for the call; then
 * fills in the rest. A page may hold fewer objects than `limit`, even none, before the last one; its version
 * is always ahead of `after` then. ERR_NOT_A_MEMBER where username is given.
 */
enum err changes_page(const struct snapshot *snapshot, struct arena *arena, struct changes_page *page,
                      void (*each)(void *arg, const struct message *m), void *arg);

#endif
