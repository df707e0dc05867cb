/*
 * context.h - what a handler works with, and the handlers there are.
 *
 * A handler reads its inputs, calls one thing of the domain, and writes the answer: 10 to 30 lines. It
 * frees nothing: all memory is the request's. On an error it returns; api/problem.c makes the answer.
 */
#ifndef IMD_API_CONTEXT_H
#define IMD_API_CONTEXT_H

#include "base/config.h"
#include "base/shared.h"
#include "http/request.h"
#include "http/response.h"
#include "store/store.h"
#include "wire/body.h"

struct context {
    struct request *request;
    struct response *response;
    struct arena *arena;
    struct body *body; /* the JSON object, where the route takes one */
    int64_t id;        /* of "{id}" in the path */
    struct store *store;
    struct shared *shared;
    const struct config *config;
    const char *field; /* out, on an error: the input at fault; NULL: the error's usual one */
    struct str wrong;  /* out, on an error: what stood there, where the sentence shows it */
};

enum err api_send_message(struct context *x);
enum err api_list_messages(struct context *x);
enum err api_create_conversation(struct context *x);
enum err api_list_conversations(struct context *x);
enum err api_join_conversation(struct context *x);
enum err api_leave_conversation(struct context *x);
enum err api_subscribe(struct context *x);
enum err api_health(struct context *x);

#endif
