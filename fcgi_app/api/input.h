/* input.h - reading the inputs that several handlers share; each error names the input in x->field. */
#ifndef IMD_API_INPUT_H
#define IMD_API_INPUT_H

#include "api/context.h"
#include "domain/visibility.h"

/* A single query parameter; absent or empty gives the absent string. ERR_DUPLICATE_PARAMETER. */
enum err input_param(struct context *x, const char *name, struct str *value);
/* There must be a user who acts, and theirs be a name. ERR_USERNAME. */
enum err input_actor(const struct context *x);
/* An optional string, or integer, of the body: null is as good as nothing. */
enum body_kind input_string(const struct context *x, const char *key, struct str *out);
enum body_kind input_int(const struct context *x, const char *key, int64_t *out);
/*
 * A number, 0 … 2^63-1, from a query parameter. Absent or empty: *given false, and *value is left alone.
 * `wrong` is the error for anything else.
 */
enum err input_number(struct context *x, const char *name, enum err wrong, int64_t *value, bool *given);
/* limit: 1 … max, more counts as max; absent: 100. ERR_LIMIT. */
enum err input_limit(struct context *x, int max, int *limit);
/* Who sees the messages of the answer: the user who acts or is named, else the caller. */
struct view input_view(const struct context *x);
/* after: a user name, absent: "". ERR_AFTER_NAME. */
enum err input_after_name(struct context *x, struct str *after);
/* after: 0 … 2^63-1, absent: 0. ERR_AFTER. */
enum err input_after(struct context *x, int64_t *after);
/*
 * The key that makes a command repeatable: in the body, in a header, or the same in both; absent: none. Sets
 * x->field if it came in the header, also on success. ERR_CLIENT_ID.
 */
enum err input_client_id(struct context *x, struct str *client_id);

#endif
