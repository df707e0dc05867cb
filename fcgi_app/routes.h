/* routes.h - THE table: every request that imd answers. */
#ifndef IMD_ROUTES_H
#define IMD_ROUTES_H

#include "api/context.h"
#include "http/router.h"

extern const struct route routes[];
extern const size_t route_count;

/*
 * Answers x->request through the table: finds the route, checks its needs, runs the handler, and
 * turns an error into a problem. The response is always complete afterwards. The body is read from
 * `e`.
 */
struct exchange;
void routes_answer(struct context *x, struct exchange *e);

#endif
