/* input.h - reading the inputs that several handlers share; each error names the input in x->field. */
#ifndef IMD_API_INPUT_H
#define IMD_API_INPUT_H

#include "api/context.h"

/* A single query parameter; absent or empty gives the absent string. ERR_DUPLICATE_PARAMETER. */
enum err input_param(struct context *x, const char *name, struct str *value);
/* The name of a user from the body. False where it is missing, mistyped or malformed. */
bool input_username(struct context *x, struct str *name);
/* limit: 1 … max, more counts as max; absent: 100. ERR_LIMIT. */
enum err input_limit(struct context *x, int max, int *limit);
/* after: 0 … 2^63-1, absent: 0. ERR_AFTER. */
enum err input_after(struct context *x, int64_t *after);

#endif
