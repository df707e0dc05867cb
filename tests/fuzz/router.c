/*
 * router.c - fuzzes the table of routes. The input is a method, a blank and a path. A match is a
 * row of that method, with an id and a text where its path has them; the text is one whole segment.
 * Otherwise there is a list of allowed methods, or the path is not found. One more slash at the end
 * changes nothing. A valid emoji can be written into a header, a log line and JSON.
 */
#include "base/utf8.h"
#include "model/emoji.h"
#include "routes.h"
#include "fuzz.h"

/* Asserts that it is a part of the path, between two slashes or at its end. */
static void
check_text(struct str text, struct str path)
{
    const char *end = path.p + path.n;

    must(text.p > path.p && text.p[-1] == '/' && text.p + text.n <= end);
    must(memchr(text.p, '/', text.n) == NULL);
    must(text.p + text.n == end || text.p[text.n] == '/');
    if (!emoji_valid(text))
        return;
    must(text.n >= 1 && text.n <= 64 && utf8_valid(text));
    for (size_t i = 0; i < text.n; i++)
        must((unsigned char)text.p[i] > ' ' && text.p[i] != 0x7f);
}

/* Asserts that a path leads to the same route with and without its slash. */
static void
check_slash(struct str method, struct str path, const struct route_match *match)
{
    char *with = malloc(path.n + 1);
    struct route_match other;

    must(with != NULL);
    if (path.n > 0)
        memcpy(with, path.p, path.n);
    with[path.n] = '/';
    if (path.n > 1 && path.p[path.n - 1] != '/') {
        router_find(routes, route_count, &(struct route_request){method, {with, path.n + 1}, true}, &other);
        must(other.route == match->route && other.id == match->id && str_eq(other.text, match->text));
        must(strcmp(other.allow, match->allow) == 0);
    }
    free(with);
}

static void
check_found(const struct route_match *match, struct str method, struct str path)
{
    bool has_text = strstr(match->route->path, "{emoji}") != NULL;

    must(match->route >= routes && match->route < routes + route_count);
    must(str_is(method, match->route->method) ||
         (str_is(method, "HEAD") && str_is(str_c("GET"), match->route->method)));
    must(match->id >= 0 && (strstr(match->route->path, "{id}") != NULL) == (match->id > 0));
    must(has_text == (match->text.p != NULL));
    if (has_text)
        check_text(match->text, path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *blank = size == 0 ? NULL : memchr(text, ' ', size);
    struct route_match match;
    struct str method;
    struct str path;
    enum err err;

    if (blank == NULL)
        return 0;
    method = (struct str){text, (size_t)(blank - text)};
    path = (struct str){blank + 1, size - method.n - 1};
    err = router_find(routes, route_count, &(struct route_request){method, path, true}, &match);
    check_slash(method, path, &match);
    if (err == ERR_OK)
        check_found(&match, method, path);
    else
        must(match.route == NULL && err == (match.allow[0] != '\0' ? ERR_METHOD : ERR_NOT_FOUND));
    return 0;
}
