/*
 * gate.h - authenticates, limits and authorises a request, by the needs of its route, before the
 * handler runs. So no handler checks any of this.
 */
#ifndef IMD_API_GATE_H
#define IMD_API_GATE_H

#include "api/context.h"

/*
 * Authenticates the caller, fills x->caller, and applies the rate limit. Only the parameters and
 * headers have been read so far, not the body. The errors of auth_identify(), ERR_NOT_AN_ADMIN,
 * ERR_TOO_MANY_REQUESTS, ERR_GIVEN_TWICE.
 */
enum err gate_identify(struct context *x, const struct route *route);
/*
 * Finds the acting user, fills x->actor, and checks that they may read what they ask for. Call it
 * once query and body are read.
 *
 * For a route that READS, begins x->snapshot, sets x->store to NULL, and fills x->conversation,
 * x->message or x->requested. ERR_NOT_YOURSELF, ERR_NOT_A_MEMBER; ERR_CONVERSATION_UNKNOWN and
 * ERR_MESSAGE_UNKNOWN for an id in the path; ERR_SELECTOR, ERR_CONVERSATION, ERR_ID,
 * ERR_TOO_MANY_IDS and ERR_GIVEN_TWICE for the query.
 */
enum err gate_admit(struct context *x, const struct route *route);
/*
 * Charges the caller for an expensive request, before the work: `units` more than the one of every
 * request, at most three quarters of a burst. ERR_TOO_MANY_REQUESTS: nothing was charged.
 */
enum err gate_charge(struct context *x, int64_t units);
/* Refunds what gate_charge() charged, because the work was not done. */
void gate_refund(struct context *x);
/*
 * Ends the snapshot, if there is one. Call it after gate_admit(), even if that failed, and before a
 * handler waits. Repeating it does nothing.
 */
void gate_leave(struct context *x);

#endif
