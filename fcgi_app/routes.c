/*
 * routes.c - see routes.h. To add a route, add a row here, a handler in api/ and a rule in domain/.
 */
#include "routes.h"

#include "api/gate.h"
#include "api/problem.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"
#include "model/ids.h"
#include "wire/object.h"

/* The longest content, with each byte escaped as \u00XX, and the other members. */
#define BODY_SEND (CONFIG_CONTENT_BYTES_MAX * 6 + 4096)
/* About 20,000 names. */
#define BODY_CREATE (512 * 1024)
#define BODY_SMALL  4096

const struct route routes[] = {
    {"POST", "/messages", api_send_message, BODY_SEND, FOR_CALLERS | SELF_IN_BODY},
    {"GET", "/messages", api_list_messages, 0, FOR_CALLERS | SELF_IN_QUERY | READS | MEMBER_OF_QUERY},
    {"GET", "/messages/{id}", api_get_message, 0, FOR_CALLERS | SELF_IF_NAMED | READS | MEMBER_OF_MESSAGE},
    {"PATCH", "/messages/{id}", api_edit_message, BODY_SEND, FOR_CALLERS | SELF_IN_BODY},
    {"DELETE", "/messages/{id}", api_delete_message, 0, FOR_CALLERS | SELF_IN_QUERY},
    {"GET", "/messages/{id}/reactions", api_list_reactors, 0,
     FOR_CALLERS | SELF_IF_NAMED | READS | MEMBER_OF_MESSAGE},
    {"PUT", "/messages/{id}/reactions/{emoji}", api_react, 0, FOR_CALLERS | SELF_IN_QUERY},
    {"DELETE", "/messages/{id}/reactions/{emoji}", api_unreact, 0, FOR_CALLERS | SELF_IN_QUERY},
    {"POST", "/conversations", api_create_conversation, BODY_CREATE, FOR_CALLERS | SELF_IN_BODY},
    {"GET", "/conversations", api_list_conversations, 0,
     FOR_CALLERS | SELF_IN_QUERY | READS | MEMBER_OF_IDS | CATCHES_UP},
    {"PATCH", "/conversations/{id}", api_change_conversation, BODY_SMALL, FOR_CALLERS | SELF_IN_BODY},
    {"POST", "/conversations/{id}/join", api_join_conversation, BODY_SMALL, FOR_CALLERS | NAMES_ANOTHER},
    {"POST", "/conversations/{id}/leave", api_leave_conversation, BODY_SMALL, FOR_CALLERS | SELF_IN_BODY},
    {"GET", "/conversations/{id}/members", api_list_members, 0,
     FOR_CALLERS | SELF_IF_NAMED | READS | MEMBER_OF_PATH},
    {"PUT", "/conversations/{id}/members/{name}", api_set_member, BODY_SMALL, FOR_CALLERS | SELF_IN_BODY},
    {"DELETE", "/conversations/{id}/members/{name}", api_remove_member, 0, FOR_CALLERS | SELF_IN_QUERY},
    {"PUT", "/conversations/{id}/read", api_mark_read, BODY_SMALL, FOR_CALLERS | SELF_IN_BODY},
    {"GET", "/conversations/{id}/changes", api_list_changes, 0,
     FOR_CALLERS | SELF_IF_NAMED | READS | MEMBER_OF_PATH | CATCHES_UP},
    {"POST", "/conversations/{id}/typing", api_announce_typing, BODY_SMALL,
     FOR_CALLERS | SELF_IN_BODY | READS},
    {"GET", "/conversations/{id}/presence", api_presence, 0,
     FOR_CALLERS | SELF_IF_NAMED | READS | MEMBER_OF_PATH},
    {"GET", "/ws", api_subscribe, 0, FOR_CALLERS | SELF_IN_QUERY | SUBSCRIBES},
    {"GET", "/healthz", api_health, 0, FOR_ANYONE},
    {"GET", "/metrics", api_metrics, 0, FOR_ADMINS},
    {"GET", "/openapi.json", api_openapi, 0, FOR_ANYONE},
    {"GET", "/control/status", api_status, 0, FOR_CONTROL},
    {"GET", "/control/listeners", api_listeners, 0, FOR_CONTROL},
};
const size_t route_count = sizeof(routes) / sizeof(routes[0]);
_Static_assert(sizeof(routes) / sizeof(routes[0]) < SHARED_ROUTES_MAX, "each route has a row of counters");

/*
 * Checks the needs of the route. Authenticate first: the body of an unauthenticated request is
 * never read. Even a malformed query is parsed before that, because it may hold a token.
 */
static enum err
check_needs(struct context *x, const struct route *route, struct exchange *e)
{
    enum err query = request_parse_query(x->request);
    enum err err = gate_identify(x, route);

    if (err == ERR_OK && query != ERR_OK) {
        x->field = x->request->at_fault;
        return query;
    }
    if (err == ERR_OK && route->body_bytes_max > 0)
        err = server_read_body(e, x->arena, route->body_bytes_max, x->request);
    if (err == ERR_OK && route->body_bytes_max > 0)
        err = object_parse(x->request->body, &x->body);
    return err == ERR_OK ? gate_admit(x, route) : err;
}

/* Counts the answer for /metrics. */
static void
count_answer(const struct context *x, const struct route_match *match, int64_t started_us)
{
    struct shared_counters *c = &x->shared->counters;
    size_t row = match->route == NULL ? SHARED_ROUTES_MAX - 1 : (size_t)(match->route - routes);

    shared_count(&c->answers[row][x->response->status / 100 - 1], 1);
    shared_count(&c->answer_us[row], (uint64_t)(clock_mono_us() - started_us));
}

/* Logs what administrators do, except requests that only read. */
static void
log_control(const struct context *x, const struct route_match *match)
{
    if (x->request->control && match->route != NULL && !str_is(x->request->method, "GET") &&
        !str_is(x->request->method, "HEAD"))
        log_event(LOG_INFO, "control_request", "method=%s path=%s status=%d", match->route->method,
                  match->route->path, x->response->status);
}

/* Ends the body with a newline, so that a terminal's prompt starts on its own line. */
static void
end_line(struct buf *body)
{
    if (body->n == 0 || body->p[body->n - 1] != '\n')
        buf_c(body, "\n");
}

void
routes_answer(struct context *x, struct exchange *e)
{
    int64_t started_us = clock_mono_us();
    const struct route_request wanted = {x->request->method, x->request->path, x->request->control};
    struct route_match match;
    enum err err = router_find(routes, route_count, &wanted, &match);
    struct str allow;

    x->response->status = 200;
    x->response->content_type = "application/json";
    x->conversation_id = ids_conversation(match.id);
    x->message_id = match.id;
    x->text = match.text;
    x->routes = routes;
    x->route_count = route_count;
    if (err == ERR_OK)
        err = check_needs(x, match.route, e);
    if (err == ERR_OK)
        err = match.route->handler(x);
    gate_leave(x);
    if (err == ERR_OK && !buf_ok(&x->response->body))
        err = ERR_MEMORY;
    if (err == ERR_METHOD) {
        allow = arena_copy(x->arena, str_c(match.allow));
        x->response->allow = allow.p;
    }
    if (err != ERR_OK)
        problem_answer(x, err);
    end_line(&x->response->body);
    object_free(x->body);
    count_answer(x, &match, started_us);
    log_control(x, &match);
}
