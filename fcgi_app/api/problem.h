/* problem.h - the one place that maps errors to HTTP: status, code, sentence, field. */
#ifndef IMD_API_PROBLEM_H
#define IMD_API_PROBLEM_H

#include "api/context.h"

/* Makes the response the problem that `err` is; whatever was written of an answer is dropped. */
void problem_answer(struct context *x, enum err err);

#endif
