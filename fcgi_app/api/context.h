/*
 * context.h - what a handler works with, and the handlers there are.
 *
 * A handler reads its inputs, calls one thing of the domain, and writes the answer: 10 to 30 lines. It
 * frees nothing: all memory is the request's. On an error it returns; api/problem.c makes the answer.
 */
#ifndef IMD_API_CONTEXT_H
#define IMD_API_CONTEXT_H

#include "auth/auth.h"
#include "run/config.h"
#include "model/ids.h"
#include "model/model.h"
#include "run/shared.h"
#include "domain/access.h"
#include "http/request.h"
#include "http/response.h"
#include "http/router.h"
#include "push/presence.h"
#include "store/store.h"
#include "wire/body.h"

struct context {
    struct request *request;
    struct response *response;
    struct arena *arena;
    struct body *body; /* the JSON object, where the route takes one */
    /* "{id}" in the path, as what it names: CONVERSATION_NONE where no conversation can have that number */
    int32_t conversation_id;
    int64_t message_id;
    struct str text;      /* of the other "{…}" in the path */
    struct caller caller; /* set by the gate, as what follows */
    struct actor actor; /* who acts; the name may be malformed, and is absent where none is needed or given */
    struct str named;   /* the name that stands in the request; absent: none does */
    /*
     * Exactly one of the two is there: a route that READS has a snapshot, so its handler cannot commit;
     * another has the store, and its commands take snapshots of their own. A handler that is about to wait
     * calls gate_leave().
     */
    struct snapshot *snapshot;
    struct store *store;
    uint64_t payer;  /* whose rate the request counts for (limiter_key); 0: no limit applies */
    int64_t charged; /* units beyond the request's own */
    /* What the gate found in the snapshot, as the route's needs say. Nobody looks it up again. */
    const struct conversation *conversation; /* NULL: the query asks for one that does not exist */
    const struct message_key *message;
    struct access_list listed; /* the conversations that a list is asked for and the caller may read */
    struct auth *auth;
    struct shared *shared;
    struct presence *presence;
    const struct config *config;
    const struct route *routes; /* all of them, for what tells of them … */
    size_t route_count;         /* … so many */
    const char *field;          /* out, on an error: the input at fault; NULL: the error's usual one */
    struct str wrong;           /* out, on an error: what stood there, where the sentence shows it */
};

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
enum err api_type(struct context *x);
enum err api_presence(struct context *x);
enum err api_subscribe(struct context *x);
enum err api_health(struct context *x);
enum err api_metrics(struct context *x);
enum err api_openapi(struct context *x);

#endif
