/*
 * object.h - a JSON object, parsed and validated by jansson: a request's body, or the claims of a
 * token.
 *
 * Strict: one object and nothing after it, no duplicate key, no NUL, no lone surrogate, valid
 * UTF-8.
 */
#ifndef IMD_WIRE_OBJECT_H
#define IMD_WIRE_OBJECT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct object;

/* Call once in each process, before it starts threads. */
void object_setup(void);
/* Parses the text; free the object with object_free(). ERR_SYNTAX, ERR_NOT_AN_OBJECT. */
enum err object_parse(struct str text, struct object **out);
/* NULL is allowed. */
void object_free(struct object *b);

enum object_kind { OBJECT_ABSENT, OBJECT_OK, OBJECT_MISTYPED };

/*
 * Reads one value, borrowed from the object. An integer is a number without fraction or exponent.
 */
enum object_kind object_string(const struct object *b, const char *key, struct str *out);
enum object_kind object_int(const struct object *b, const char *key, int64_t *out);
/* True only for the JSON value true: not for "true" or 1. */
bool object_is_true(const struct object *b, const char *key);
/* True only for the JSON value null: not for an absent key. */
bool object_is_null(const struct object *b, const char *key);
/* Reads a list and its number of elements. */
enum object_kind object_list(const struct object *b, const char *key, const struct object **list,
                             size_t *count);
/*
 * Reads element i, which must be a string. On OBJECT_MISTYPED, *out is the element's JSON text,
 * from the arena.
 */
enum object_kind object_list_string(const struct object *list, size_t i, struct arena *arena,
                                    struct str *out);

#endif
