/*
 * http_router.c - checks: the table of routes finds every request that imd answers, with and
 * without its slash, and nothing else. A text segment is passed on unchanged. A wrong method gets
 * the list of the allowed ones.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "routes.h"

static enum err
find(const char *method, const char *path, struct route_match *match)
{
    const struct route_request request = {str_c(method), str_c(path), true};

    return router_find(routes, route_count, &request, match);
}

static enum err
find_str(struct str method, struct str path)
{
    return router_find(routes, route_count, &(struct route_request){method, path, true},
                       &(struct route_match){0});
}

/* Replaces `hole` by `text`, if the path has it. */
static void
fill(char *path, size_t size, const char *hole, const char *text)
{
    char after[256];
    char *at = strstr(path, hole);

    if (at == NULL)
        return;
    snprintf(after, sizeof(after), "%s", at + strlen(hole));
    snprintf(at, size - (size_t)(at - path), "%s%s", text, after);
}

/* Returns the row's path with `id` and `text` filled in, followed by `after`. */
static const char *
path_with(const struct route *route, const char *id, const char *text, const char *after)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s%s", route->path, after);
    fill(path, sizeof(path), "{emoji}", text);
    fill(path, sizeof(path), "{name}", text);
    fill(path, sizeof(path), "{id}", id);
    return path;
}

static const char *
path_of(const struct route *route, const char *id, const char *after)
{
    return path_with(route, id, "+1", after);
}

static bool
has_id(const struct route *route)
{
    return strstr(route->path, "{id}") != NULL;
}

static bool
has_text(const struct route *route)
{
    return strstr(route->path, "{emoji}") != NULL || strstr(route->path, "{name}") != NULL;
}

/*
 * The gate looks for a route's objects in the snapshot that READS gives it, so without READS no one
 * would check who may read. A route that writes needs the store, which READS takes away.
 */
static void
a_route_reads_or_changes_something_and_never_both(void **state)
{
    const unsigned finds = MEMBER_OF_PATH | MEMBER_OF_MESSAGE | MEMBER_OF_QUERY | MEMBER_OF_IDS;

    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        bool reads = (r->needs & READS) != 0;
        /* Typing is passed to the relay and changes nothing in the store. */
        bool changes = strcmp(r->method, "GET") != 0 && strstr(r->path, "/typing") == NULL;

        assert_true(reads || (r->needs & finds) == 0);
        assert_false(reads && changes);
        /* Each GET of an object reads one that the gate finds. */
        assert_true(strcmp(r->method, "GET") != 0 || !has_id(r) || (r->needs & finds) != 0);
    }
}

static void
every_row_is_found_with_and_without_slash(void **state)
{
    static const char *const after[] = {"", "/"};

    (void)state;
    assert_true(route_count > 0);
    for (size_t i = 0; i < route_count; i++)
        for (int k = 0; k < 2; k++) {
            struct route_match match;

            assert_int_equal(find(routes[i].method, path_of(&routes[i], "57", after[k]), &match), ERR_OK);
            assert_ptr_equal(match.route, &routes[i]);
            assert_int_equal(match.id, has_id(&routes[i]) ? 57 : 0);
            assert_true(str_is(match.text, has_text(&routes[i]) ? "+1" : ""));
        }
}

/* Whether it is an emoji is checked later, not by the router. */
static void
a_text_is_one_segment_unchanged(void **state)
{
    static const char *const texts[] = {
        "1", "\xf0\x9f\x91\x8d", " ", "%2F", "{emoji}", "{id}", "a.b", "..", "\xff\x01", "reactions",
    };
    size_t rows = 0;

    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        struct route_match match;

        if (!has_text(&routes[i]))
            continue;
        rows++;
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
            assert_int_equal(find(routes[i].method, path_with(&routes[i], "8", texts[k], "/"), &match),
                             ERR_OK);
            assert_true(str_is(match.text, texts[k]));
            assert_int_equal(match.id, 8);
        }
        /* Two slashes at the end: one is ignored, so the text is empty. */
        assert_int_equal(find(routes[i].method, path_with(&routes[i], "8", "", "/"), &match), ERR_OK);
        assert_non_null(match.text.p);
        assert_int_equal(match.text.n, 0);
        /* That is the path of the list, if the texts have a list. */
        assert_int_not_equal(find(routes[i].method, path_with(&routes[i], "8", "", ""), &match), ERR_OK);
        assert_null(match.route);
        assert_int_equal(find(routes[i].method, path_with(&routes[i], "8", "a/b", ""), &match),
                         ERR_NOT_FOUND);
        assert_int_equal(find(routes[i].method, path_with(&routes[i], "8", "/a", ""), &match), ERR_NOT_FOUND);
    }
    assert_int_equal(rows, 4);
}

static void
head_is_answered_by_get(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        struct route_match match;

        if (strcmp(routes[i].method, "GET") != 0)
            continue;
        assert_int_equal(find("HEAD", path_of(&routes[i], "57", ""), &match), ERR_OK);
        assert_ptr_equal(match.route, &routes[i]);
    }
}

static void
a_wrong_method_gets_the_allowed_ones(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        const char *allow;
    } cases[] = {
        {"PUT", "/messages", "POST, GET, HEAD"},
        {"DELETE", "/messages/", "POST, GET, HEAD"},
        {"PATCH", "/conversations", "POST, GET, HEAD"},
        {"GET", "/conversations/1/join", "POST"},
        {"HEAD", "/conversations/1/leave/", "POST"},
        {"PUT", "/messages/1", "GET, HEAD, PATCH, DELETE"},
        {"POST", "/messages/1/reactions/x/", "PUT, DELETE"},
        {"GET", "/conversations/1", "PATCH"},
        {"POST", "/conversations/1/read", "PUT"},
        {"POST", "/ws", "GET, HEAD"},
        {"OPTIONS", "/healthz", "GET, HEAD"},
        {"get", "/healthz", "GET, HEAD"},
        {"GETS", "/healthz", "GET, HEAD"},
        {"GE", "/healthz", "GET, HEAD"},
        {"", "/healthz", "GET, HEAD"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct route_match match;

        assert_int_equal(find(cases[i].method, cases[i].path, &match), ERR_METHOD);
        assert_null(match.route);
        assert_string_equal(match.allow, cases[i].allow);
    }
}

/* Each row's method is in the list of its path, so the list had room for all of them. */
static void
every_row_is_in_the_list_of_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        struct route_match match;

        assert_int_equal(find("BREW", path_of(&routes[i], "1", ""), &match), ERR_METHOD);
        assert_non_null(strstr(match.allow, routes[i].method));
        assert_true(strlen(match.allow) + 1 < sizeof(match.allow));
        if (strcmp(routes[i].method, "GET") == 0)
            assert_non_null(strstr(match.allow, "GET, HEAD"));
    }
}

static void
ids_are_one_to_the_largest(void **state)
{
    static const char *const bad[] = {
        "0",
        "00",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "0x1",
        "1a",
        "a",
        "{id}",
        "%31",
        "9223372036854775808",
        "9999999999999999999",
        "18446744073709551617",
        "100000000000000000000",
    };

    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        struct route_match match;

        if (!has_id(&routes[i]))
            continue;
        assert_int_equal(find(routes[i].method, path_of(&routes[i], "1", ""), &match), ERR_OK);
        assert_int_equal(match.id, 1);
        assert_int_equal(find(routes[i].method, path_of(&routes[i], "9223372036854775807", "/"), &match),
                         ERR_OK);
        assert_int_equal(match.id, INT64_MAX);
        for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
            if (find(routes[i].method, path_of(&routes[i], bad[k], ""), &match) != ERR_NOT_FOUND)
                fail_msg("found: %s", path_of(&routes[i], bad[k], ""));
            /* There is no method that would be allowed. */
            assert_int_equal(find("BREW", path_of(&routes[i], bad[k], ""), &match), ERR_NOT_FOUND);
            assert_null(match.route);
        }
    }
}

static const char *const unknown_paths[] = {
    "",
    "/",
    "//",
    "messages",
    "messages/",
    "/message",
    "/messagess",
    "/Messages",
    "/messages//",
    "//messages",
    "/messages/x/",
    "/messages/1//",
    "/messages//1",
    "/messages/1/reactions/x/y",
    "/messages/x/reactions/x",
    "/messages//reactions/x",
    "/conversations/x",
    "/conversations/0/",
    "/conversations/1/members/x/y",
    "/conversations/join",
    "/conversations//join",
    "/conversations/1/joined",
    "/conversations/1/join/2",
    "/conversations/1/join//",
    "/conversations/1//join",
    "/conversations/1/2/join",
    "/ws/x",
    "/healthz ",
    " /healthz",
    "/healthz?",
    "/x/healthz",
    "/healthz/.",
    "/openapi",
    "/openapi.json/x",
    "/./healthz",
    "/*",
};

static void
no_other_path_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(unknown_paths) / sizeof(unknown_paths[0]); i++) {
        struct route_match match;

        if (find("GET", unknown_paths[i], &match) != ERR_NOT_FOUND ||
            find("POST", unknown_paths[i], &match) != ERR_NOT_FOUND)
            fail_msg("found: '%s'", unknown_paths[i]);
        assert_null(match.route);
        assert_string_equal(match.allow, "");
    }
    assert_int_equal(find_str(str_c("GET"), (struct str){"/ws\0", 4}), ERR_NOT_FOUND);
    assert_int_equal(find_str(str_c("GET"), (struct str){0}), ERR_NOT_FOUND);
}

/* On the other socket the answer does not even contain its methods. */
static void
a_control_route_exists_only_on_the_control_socket(void **state)
{
    int hidden = 0;

    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        struct route_request request = {str_c(routes[i].method), str_c(path_of(&routes[i], "1", "")), false};
        bool control = (routes[i].needs & FOR_CONTROL) != 0;
        struct route_match match;

        assert_int_equal(control, strncmp(routes[i].path, "/control/", 9) == 0);
        assert_int_equal(router_find(routes, route_count, &request, &match),
                         control ? ERR_NOT_FOUND : ERR_OK);
        request.method = str_c("PURGE");
        assert_int_equal(router_find(routes, route_count, &request, &match),
                         control ? ERR_NOT_FOUND : ERR_METHOD);
        hidden += control;
    }
    assert_true(hidden > 0);
}

/* No row hides another: the first match is the only one. */
static void
no_two_rows_are_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++)
        for (size_t k = i + 1; k < route_count; k++)
            assert_false(strcmp(routes[i].method, routes[k].method) == 0 &&
                         strcmp(routes[i].path, routes[k].path) == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_reads_or_changes_something_and_never_both),
        cmocka_unit_test(every_row_is_found_with_and_without_slash),
        cmocka_unit_test(a_control_route_exists_only_on_the_control_socket),
        cmocka_unit_test(a_text_is_one_segment_unchanged),
        cmocka_unit_test(head_is_answered_by_get),
        cmocka_unit_test(a_wrong_method_gets_the_allowed_ones),
        cmocka_unit_test(every_row_is_in_the_list_of_its_path),
        cmocka_unit_test(ids_are_one_to_the_largest),
        cmocka_unit_test(no_other_path_is_found),
        cmocka_unit_test(no_two_rows_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
