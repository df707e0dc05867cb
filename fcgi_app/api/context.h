/*
 * context.h - the context that a handler works in, and the list of handlers.
 *
 * A handler reads its inputs, calls one function of the domain, and writes the answer, in 10 to 30
 * lines. It frees nothing, because all memory is the request's. On an error it only returns:
 * api/problem.c makes the answer.
 */
#ifndef IMD_API_CONTEXT_H
#define IMD_API_CONTEXT_H

#include "auth/auth.h"
#include "run/config.h"
#include "model/model.h"
#include "run/shared.h"
#include "domain/access.h"
#include "http/request.h"
#include "http/response.h"
#include "http/router.h"
#include "store/store.h"

struct object;   /* wire/object.h */
struct presence; /* push/presence.h */

struct context {
    struct request *request;
    struct response *response;
    struct arena *arena;
    struct object *body; /* the JSON object, if the route takes one; else NULL */
    /*
     * "{id}" of the path, as a conversation and as a message. CONVERSATION_NONE: no conversation
     * can have that number.
     */
    int32_t conversation_id;
    int64_t message_id;
    struct str text;      /* the text segment "{…}" of the path */
    struct caller caller; /* set by the gate, like `actor` and `named` */
    struct actor actor;   /* the acting user; the name may be malformed, or absent */
    struct str named;     /* the user name in the request; absent: none */
    /*
     * Exactly one of the two is set. A route that READS has a snapshot, so its handler cannot
     * commit. Any other route has the store, whose commands take their own snapshots. A handler
     * calls gate_leave() before it waits.
     */
    struct snapshot *snapshot;
    struct store *store;
    uint64_t payer;  /* the limiter_key() charged for the request; 0: not limited */
    int64_t charged; /* units charged by gate_charge() */
    /*
     * What the gate found in the snapshot for the route's needs, so that handlers need not look it
     * up again.
     */
    const struct conversation *conversation; /* NULL: the query asks for one that does not exist */
    const struct message_key *message;
    struct access_list requested; /* those of the requested conversations that the caller may read */
    struct auth *auth;
    struct shared *shared;
    struct presence *presence;
    const struct config *config;
    const struct route *routes; /* all routes, for /metrics */
    size_t route_count;         /* the number of routes */
    const char *field;          /* out, on an error: the input at fault; NULL: the usual one of that error */
    struct str wrong;           /* out, on an error: its value, if the sentence quotes it */
};

/*
 * The handlers, each named in one row of routes.c, which says what is checked before it runs. Each
 * fills x->response, or returns an error that api/problem.c turns into an answer. Memory comes from
 * x->arena: a handler frees nothing.
 */
enum err api_send_message(struct context *x);
enum err api_list_messages(struct context *x);
enum err api_get_message(struct context *x);
enum err api_edit_message(struct context *x);
enum err api_delete_message(struct context *x);
enum err api_react(struct context *x);
enum err api_unreact(struct context *x);
enum err api_list_reactors(struct context *x);
enum err api_create_conversation(struct context *x);
enum err api_list_conversations(struct context *x);
enum err api_change_conversation(struct context *x);
enum err api_join_conversation(struct context *x);
enum err api_leave_conversation(struct context *x);
enum err api_list_members(struct context *x);
enum err api_set_member(struct context *x);
enum err api_remove_member(struct context *x);
enum err api_mark_read(struct context *x);
enum err api_list_changes(struct context *x);
enum err api_announce_typing(struct context *x);
enum err api_presence(struct context *x);
enum err api_subscribe(struct context *x);
enum err api_health(struct context *x);
enum err api_metrics(struct context *x);
enum err api_openapi(struct context *x);
enum err api_status(struct context *x);
enum err api_listeners(struct context *x);

#endif
