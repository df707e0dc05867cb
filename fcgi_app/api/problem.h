/* problem.h - the only place that maps errors to HTTP: status, code, sentence, field. */
#ifndef IMD_API_PROBLEM_H
#define IMD_API_PROBLEM_H

#include "api/context.h"

/* Replaces the response by the problem of `err`, and drops any partial answer. */
void problem_answer(struct context *x, enum err err);

#endif
