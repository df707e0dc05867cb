/*
 * input.h - reads the inputs that several handlers share. Errors set x->field where it is not the
 * usual one.
 */
#ifndef IMD_API_INPUT_H
#define IMD_API_INPUT_H

#include "api/context.h"
#include "domain/visibility.h"
#include "wire/object.h"

/* Reads a query parameter; absent or empty gives the absent string. ERR_GIVEN_TWICE. */
enum err input_param(struct context *x, const char *name, struct str *value);
/* Checks that there is an acting user with a valid name. ERR_USERNAME. */
enum err input_actor(const struct context *x);
/*
 * Checks the same for commands that administrators may run by their own authority: on the control
 * socket they have no name.
 */
enum err input_authority(const struct context *x);
/* Reads an optional string or integer of the body; null counts as absent. */
enum object_kind input_string(const struct context *x, const char *key, struct str *out);
enum object_kind input_int(const struct context *x, const char *key, int64_t *out);
/*
 * Reads a number, 0 … 2^63-1, from a query parameter. If it is absent or empty, *given is false and
 * *value is unchanged. ERR_NUMBER.
 */
enum err input_number(struct context *x, const char *name, int64_t *value, bool *given);
/* Reads a query parameter that is `true` or absent (or empty), else the error `wrong`. */
enum err input_true(struct context *x, const char *name, enum err wrong, bool *given);
/* Returns ERR_NUMBER and notes which input is at fault. */
enum err input_not_a_number(struct context *x, const char *name);
/* Reads `limit`: 1 … max, 100 if absent; a larger one counts as max. ERR_NUMBER. */
enum err input_limit(struct context *x, int max, int *limit);
/* Returns whose view of the messages the answer shows: the acting user's, else the caller's. */
struct view input_view(const struct context *x);
/* Reads `after` as a user name; "" if absent. ERR_CURSOR. */
enum err input_after_name(struct context *x, struct str *after);
/* Reads `after` as a number, 0 … 2^63-1; 0 if absent. ERR_NUMBER. */
enum err input_after(struct context *x, int64_t *after);
/*
 * Reads the idempotency key: from the body, from the header, or the same in both; absent: none.
 * Sets x->field if it came only in the header, even on success. ERR_CLIENT_ID.
 */
enum err input_client_id(struct context *x, struct str *client_id);

#endif
