/* input.c - see input.h. */
#include "api/input.h"

#include "model/names.h"
#include "domain/send.h"

#define LIMIT_DEFAULT 100
#define KEY_HEADER    "Idempotency-Key"

/* Reads a query parameter as it was given: an empty one counts as given. */
static enum err
given_param(struct context *x, const char *name, struct str *value)
{
    enum err err = request_param(x->request, name, value);

    if (err != ERR_OK)
        x->field = name;
    return err;
}

enum err
input_param(struct context *x, const char *name, struct str *value)
{
    enum err err = given_param(x, name, value);

    if (err == ERR_OK && value->n == 0)
        *value = (struct str){0};
    return err;
}

enum err
input_not_a_number(struct context *x, const char *name)
{
    x->field = name;
    return ERR_NUMBER;
}

enum err
input_actor(const struct context *x)
{
    return names_valid(x->actor.username) ? ERR_OK : ERR_USERNAME;
}

enum err
input_authority(const struct context *x)
{
    return x->actor.any && x->request->control ? ERR_OK : input_actor(x);
}

static enum object_kind
optional(const struct context *x, const char *key, enum object_kind kind)
{
    return kind == OBJECT_MISTYPED && object_is_null(x->body, key) ? OBJECT_ABSENT : kind;
}

enum object_kind
input_string(const struct context *x, const char *key, struct str *out)
{
    return optional(x, key, object_string(x->body, key, out));
}

enum object_kind
input_int(const struct context *x, const char *key, int64_t *out)
{
    return optional(x, key, object_int(x->body, key, out));
}

enum err
input_number(struct context *x, const char *name, int64_t *value, bool *given)
{
    struct str text;
    enum err err = input_param(x, name, &text);

    *given = text.p != NULL;
    if (err != ERR_OK || text.p == NULL)
        return err;
    return str_to_int(text, value) ? ERR_OK : input_not_a_number(x, name);
}

enum err
input_true(struct context *x, const char *name, enum err wrong, bool *given)
{
    struct str text;
    enum err err = input_param(x, name, &text);

    *given = text.p != NULL;
    return err == ERR_OK && *given && !str_is(text, "true") ? wrong : err;
}

/* True if the text is a number too large for an int64_t. */
static bool
large_number(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n >= 19;
}

enum err
input_limit(struct context *x, int max, int *limit)
{
    struct str text;
    int64_t n = LIMIT_DEFAULT;
    enum err err = given_param(x, "limit", &text);

    if (err != ERR_OK)
        return err;
    if (text.p != NULL && !str_to_int(text, &n)) {
        if (!large_number(text))
            return input_not_a_number(x, "limit");
        n = max;
    }
    *limit = n < max ? (int)n : max;
    return n < 1 ? input_not_a_number(x, "limit") : ERR_OK;
}

enum err
input_after(struct context *x, int64_t *after)
{
    struct str text;
    enum err err = given_param(x, "after", &text);

    *after = 0;
    if (err != ERR_OK || text.p == NULL)
        return err;
    return str_to_int(text, after) ? ERR_OK : input_not_a_number(x, "after");
}

enum err
input_client_id(struct context *x, struct str *client_id)
{
    struct str header = x->request->idempotency_key;
    enum object_kind kind = input_string(x, "client_id", client_id);

    if (kind == OBJECT_MISTYPED || (kind == OBJECT_OK && !send_client_id_valid(*client_id)))
        return ERR_CLIENT_ID;
    if (header.n == 0)
        return ERR_OK;
    if (kind == OBJECT_OK)
        return str_eq(header, *client_id) ? ERR_OK : ERR_CLIENT_ID;
    x->field = KEY_HEADER;
    *client_id = header;
    return send_client_id_valid(header) ? ERR_OK : ERR_CLIENT_ID;
}

struct view
input_view(const struct context *x)
{
    return (struct view){
        .snapshot = x->snapshot,
        .arena = x->arena,
        .viewer = x->actor.username.p != NULL ? x->actor.username : x->caller.name,
        .may_be_former = x->actor.username.p != NULL,
    };
}

enum err
input_after_name(struct context *x, struct str *after)
{
    struct str text;
    enum err err = input_param(x, "after", &text);

    *after = str_c("");
    if (err != ERR_OK || text.p == NULL)
        return err;
    *after = text;
    return names_valid(text) ? ERR_OK : ERR_CURSOR;
}
