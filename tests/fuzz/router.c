/*
 * router.c - fuzzes the search in THE table. The input is a method, a blank and a path; what is found is a
 * row of that method, with an id and a text where its path has them, the text being one whole segment of the
 * path; and what is not is told by a list of methods or as not found.
 */
#include "routes.h"
#include "fuzz.h"

/* It lies in the path, between two slashes or at its end. */
static void
check_text(struct str text, struct str path)
{
    const char *end = path.p + path.n;

    must(text.p > path.p && text.p[-1] == '/' && text.p + text.n <= end);
    must(memchr(text.p, '/', text.n) == NULL);
    must(text.p + text.n == end || text.p[text.n] == '/');
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
    err = router_find(routes, route_count, method, path, &match);
    if (err == ERR_OK)
        check_found(&match, method, path);
    else
        must(match.route == NULL && err == (match.allow[0] != '\0' ? ERR_METHOD : ERR_NOT_FOUND));
    return 0;
}
