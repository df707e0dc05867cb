/*
 * gate.h - who is calling, and may they ask this? Turns what a route needs into refusals, so that no handler
 * checks anything of the kind.
 */
#ifndef IMD_API_GATE_H
#define IMD_API_GATE_H

#include "api/context.h"

/*
 * Who is calling, and are they too fast? Before anything of the request is read but its parameters. Fills
 * x->caller. The errors of auth_identify(), ERR_NOT_AN_ADMIN, ERR_TOO_MANY_REQUESTS.
 */
enum err gate_identify(struct context *x, const struct route *route);
/*
 * For whom do they act, and may they read what they ask for? After query and body are read. Fills x->actor.
 * For a route that READS, begins x->snapshot, takes x->store away, and fills x->conversation, x->message or
 * x->listed. ERR_NOT_YOURSELF, ERR_NOT_A_MEMBER; ERR_CONVERSATION_UNKNOWN and ERR_MESSAGE_UNKNOWN for an id
 * in the path; ERR_SELECTOR, ERR_CONVERSATION, ERR_ID and ERR_DUPLICATE_PARAMETER for one in the query.
 */
enum err gate_admit(struct context *x, const struct route *route);
/*
 * Charges the caller's rate for a request that is more work than others, before the work: so many units more
 * than the one of each request, at most a whole burst in all. ERR_TOO_MANY_REQUESTS: nothing is charged.
 */
enum err gate_charge(struct context *x, int64_t units);
/* Takes back what gate_charge() charged: the work was not done. */
void gate_refund(struct context *x);
/*
 * Ends the snapshot, if there is one. To follow gate_admit(), whatever came of it; and before a handler
 * waits. May be repeated.
 */
void gate_leave(struct context *x);

#endif
