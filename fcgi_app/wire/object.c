/* object.c - see object.h. Only this file knows jansson. Must not know any key by name. */
#include "wire/object.h"

#include <jansson.h>
#include <stdlib.h>

/* struct object is jansson's json_t under another name, so nothing is wrapped or allocated. */
static const json_t *
tree(const struct object *b)
{
    return (const json_t *)(const void *)b;
}

void
object_setup(void)
{
    /* Seed now: otherwise the first request would read the random source. */
    json_object_seed(0);
}

enum err
object_parse(struct str text, struct object **out)
{
    json_error_t error;
    json_t *root =
        json_loadb(text.p == NULL ? "" : text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

    if (root == NULL)
        return ERR_SYNTAX;
    if (!json_is_object(root)) {
        json_decref(root);
        return ERR_NOT_AN_OBJECT;
    }
    *out = (struct object *)(void *)root;
    return ERR_OK;
}

void
object_free(struct object *b)
{
    json_decref((json_t *)(void *)b);
}

static struct str
text_of(const json_t *value)
{
    return (struct str){json_string_value(value), json_string_length(value)};
}

enum object_kind
object_string(const struct object *b, const char *key, struct str *out)
{
    const json_t *value = json_object_get(tree(b), key);

    if (value == NULL)
        return OBJECT_ABSENT;
    if (!json_is_string(value))
        return OBJECT_MISTYPED;
    *out = text_of(value);
    return OBJECT_OK;
}

enum object_kind
object_int(const struct object *b, const char *key, int64_t *out)
{
    const json_t *value = json_object_get(tree(b), key);

    if (value == NULL)
        return OBJECT_ABSENT;
    if (!json_is_integer(value))
        return OBJECT_MISTYPED;
    *out = json_integer_value(value);
    return OBJECT_OK;
}

bool
object_is_true(const struct object *b, const char *key)
{
    return json_is_true(json_object_get(tree(b), key));
}

bool
object_is_null(const struct object *b, const char *key)
{
    return json_is_null(json_object_get(tree(b), key));
}

/* Returns the value as JSON text, to quote it in an error. */
static struct str
shown(const json_t *value, struct arena *arena)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    struct str copy = {0};

    if (text != NULL)
        copy = arena_copy(arena, str_c(text));
    free(text);
    return copy;
}

enum object_kind
object_list(const struct object *b, const char *key, const struct object **list, size_t *count)
{
    const json_t *value = json_object_get(tree(b), key);

    if (value == NULL)
        return OBJECT_ABSENT;
    if (!json_is_array(value))
        return OBJECT_MISTYPED;
    *list = (const struct object *)(const void *)value;
    *count = json_array_size(value);
    return OBJECT_OK;
}

enum object_kind
object_list_string(const struct object *list, size_t i, struct arena *arena, struct str *out)
{
    const json_t *value = json_array_get(tree(list), i);

    if (!json_is_string(value)) {
        *out = shown(value, arena);
        return OBJECT_MISTYPED;
    }
    *out = text_of(value);
    return OBJECT_OK;
}
