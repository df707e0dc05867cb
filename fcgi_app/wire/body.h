/*
 * body.h - a request's JSON body, parsed and validated by jansson.
 *
 * Strict: one object and nothing after it, no duplicate key, no NUL, no lone surrogate, valid
 * UTF-8.
 */
#ifndef IMD_WIRE_BODY_H
#define IMD_WIRE_BODY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct body;

/* Call once in each process, before it starts threads. */
void body_setup(void);
/* Parses the text; free the body with body_free(). ERR_SYNTAX, ERR_NOT_AN_OBJECT. */
enum err body_parse(struct str text, struct body **out);
/* NULL is allowed. */
void body_free(struct body *b);

enum body_kind { BODY_ABSENT, BODY_OK, BODY_MISTYPED };

/* Reads one value, borrowed from the body. An integer is a number without fraction or exponent. */
enum body_kind body_string(const struct body *b, const char *key, struct str *out);
enum body_kind body_int(const struct body *b, const char *key, int64_t *out);
/* True only for the JSON value true: not for "true" or 1. */
bool body_is_true(const struct body *b, const char *key);
/* True only for the JSON value null: not for an absent key. */
bool body_is_null(const struct body *b, const char *key);
/* Reads a list and its number of elements. */
enum body_kind body_list(const struct body *b, const char *key, const struct body **list, size_t *count);
/*
 * Reads element i, which must be a string. On BODY_MISTYPED, *out is the element's JSON text, from
 * the arena.
 */
enum body_kind body_list_string(const struct body *list, size_t i, struct arena *arena, struct str *out);

#endif
