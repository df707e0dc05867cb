/* request.c - see request.h. Pure functions over bytes. Must not know where the bytes come from. */
#include "http/request.h"

#include "base/utf8.h"

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes %XX and '+' into `to`, which has room for from.n bytes. */
static enum err
decode(struct str from, char *to, struct str *out)
{
    size_t n = 0;

    for (size_t i = 0; i < from.n; i++) {
        char c = from.p[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = from.n - i > 2 ? hex(from.p[i + 1]) : -1;
            int low = from.n - i > 2 ? hex(from.p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return ERR_ENCODING;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return ERR_ENCODING;
        to[n++] = c;
    }
    *out = (struct str){to, n};
    return utf8_valid(*out) ? ERR_OK : ERR_ENCODING;
}

/* Adds one parameter: "name=value" or "name". */
static enum err
add_param(struct request *r, struct str pair)
{
    struct param *param = &r->params[r->param_count];
    const char *equals = memchr(pair.p, '=', pair.n);
    size_t name_n = equals == NULL ? pair.n : (size_t)(equals - pair.p);
    struct str value = {pair.p + name_n, pair.n - name_n};
    char *to = arena_alloc(r->arena, pair.n + 1);
    enum err err;

    if (to == NULL)
        return ERR_MEMORY;
    if (value.n > 0)
        value = (struct str){value.p + 1, value.n - 1};
    err = decode((struct str){pair.p, name_n}, to, &param->name);
    if (err != ERR_OK)
        return err;
    err = decode(value, to + name_n, &param->value);
    if (err == ERR_OK)
        r->param_count++;
    else if (param->name.n > 0)
        r->at_fault = arena_copy(r->arena, param->name).p;
    return err;
}

enum err
request_parse_query(struct request *r)
{
    size_t pairs = 1;
    struct str rest = r->query;
    enum err err = ERR_OK;

    if (rest.n == 0)
        return ERR_OK;
    for (size_t i = 0; i < rest.n; i++)
        pairs += rest.p[i] == '&';
    r->params = arena_alloc(r->arena, pairs * sizeof(*r->params));
    if (r->params == NULL)
        return ERR_MEMORY;
    while (err == ERR_OK && rest.n > 0) {
        const char *amp = memchr(rest.p, '&', rest.n);
        size_t n = amp == NULL ? rest.n : (size_t)(amp - rest.p);

        if (n > 0)
            err = add_param(r, (struct str){rest.p, n});
        if (amp != NULL)
            n++;
        rest = (struct str){rest.p + n, rest.n - n};
    }
    return err;
}

enum err
request_param(const struct request *r, const char *name, struct str *value)
{
    *value = (struct str){0};
    for (size_t i = 0; i < r->param_count; i++)
        if (str_is(r->params[i].name, name)) {
            if (value->p != NULL)
                return ERR_GIVEN_TWICE;
            *value = r->params[i].value;
        }
    return ERR_OK;
}
