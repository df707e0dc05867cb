/* router.c - see router.h. Pure functions over the table. Must not know any route. */
#include "http/router.h"

#include <stdio.h>

/*
 * Takes the next segment off the path: "/a/b" gives "a" and leaves "/b". False: the path is empty.
 */
static bool
next_segment(struct str *path, struct str *segment)
{
    const char *slash;

    if (path->n == 0 || path->p[0] != '/')
        return false;
    *segment = (struct str){path->p + 1, path->n - 1};
    slash = memchr(segment->p, '/', segment->n);
    if (slash != NULL)
        segment->n = (size_t)(slash - segment->p);
    *path = (struct str){segment->p + segment->n, path->n - 1 - segment->n};
    return true;
}

static bool
path_fits(const struct route *route, struct str path, int64_t *id, struct str *text)
{
    struct str pattern = str_c(route->path);
    struct str want;
    struct str got;

    while (next_segment(&pattern, &want)) {
        if (!next_segment(&path, &got))
            return false;
        if (str_is(want, "{id}")) {
            if (!str_to_int(got, id) || *id == 0)
                return false;
        } else if (want.n > 0 && want.p[0] == '{') {
            *text = got;
        } else if (!str_eq(want, got)) {
            return false;
        }
    }
    return path.n == 0;
}

static void
allow(struct route_match *match, const char *method)
{
    size_t n = strlen(match->allow);

    snprintf(match->allow + n, sizeof(match->allow) - n, "%s%s%s", n > 0 ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

enum err
router_find(const struct route *routes, size_t count, const struct route_request *request,
            struct route_match *match)
{
    struct str method = request->method;
    struct str path = request->path;

    *match = (struct route_match){0};
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (str_is(method, "HEAD"))
        method = str_c("GET");
    for (size_t i = 0; i < count; i++) {
        struct str text = {0};
        int64_t id = 0;

        if ((routes[i].needs & FOR_CONTROL) && !request->control)
            continue;
        if (!path_fits(&routes[i], path, &id, &text))
            continue;
        if (str_is(method, routes[i].method)) {
            match->route = &routes[i];
            match->id = id;
            match->text = text;
            return ERR_OK;
        }
        allow(match, routes[i].method);
    }
    return match->allow[0] != '\0' ? ERR_METHOD : ERR_NOT_FOUND;
}
