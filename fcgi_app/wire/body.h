/*
 * body.h - a request's JSON body, read and checked by jansson.
 *
 * Strict: one object, no key twice, no NUL, no lone surrogate, valid UTF-8, nothing after it.
 */
#ifndef IMD_WIRE_BODY_H
#define IMD_WIRE_BODY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct body;

/* Once for each process, before the first thread. */
void body_setup(void);
/* ERR_JSON or ERR_BODY_NOT_OBJECT. The body lives until body_free(). */
enum err body_parse(struct str text, struct body **out);
/* NULL is allowed. */
void body_free(struct body *b);

enum body_kind { BODY_ABSENT, BODY_OK, BODY_MISTYPED };

/* Values are borrowed from the body. An integer is one that was written without fraction or exponent. */
enum body_kind body_string(const struct body *b, const char *key, struct str *out);
enum body_kind body_int(const struct body *b, const char *key, int64_t *out);
/* Does true stand there? Not "true", not 1. */
bool body_is_true(const struct body *b, const char *key);
/* Does null stand there? */
bool body_is_null(const struct body *b, const char *key);
/* A list: how many elements, and each of them. */
enum body_kind body_list(const struct body *b, const char *key, const struct body **list, size_t *count);
/* Element i, which must be a string; on BODY_MISTYPED *out is its JSON text instead, from the arena. */
enum body_kind body_list_string(const struct body *list, size_t i, struct arena *arena, struct str *out);

#endif
