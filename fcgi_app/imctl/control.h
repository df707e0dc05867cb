/*
 * control.h - the common part of commands that act through imd's control socket: their options, one
 * request with its answer, and the messages if imd does not answer.
 */
#ifndef IMD_IMCTL_CONTROL_H
#define IMD_IMCTL_CONTROL_H

#include <getopt.h>
#include "base/buf.h"
#include "base/str.h"
#include "imctl/imctl.h"

struct object; /* wire/object.h */

/* The options that each of these commands has; zeroed: none is given. */
struct control {
    const char *socket; /* NULL: the one of the settings */
    const char *config; /* NULL: imd's defaults */
    int64_t timeout_s;  /* 0: CONTROL_TIMEOUT_S */
    bool json;
};

#define CONTROL_TIMEOUT_S     10
#define CONTROL_TIMEOUT_S_MAX 3600

/* For the table of getopt_long(), and the help text. Their values are above all characters. */
enum { CONTROL_SOCKET = 256, CONTROL_CONFIG, CONTROL_TIMEOUT, CONTROL_JSON };
#define CONTROL_OPTIONS                                                                                      \
    {"socket", required_argument, NULL, CONTROL_SOCKET},                                                     \
        {"config", required_argument, NULL, CONTROL_CONFIG},                                                 \
        {"timeout", required_argument, NULL, CONTROL_TIMEOUT},                                               \
    {                                                                                                        \
        "json", no_argument, NULL, CONTROL_JSON                                                              \
    }
#define CONTROL_HELP                                                                                         \
    "  --json           print imd's answer as JSON\n"                                                        \
    "  --socket=PATH    imd's control socket [/run/imd/control.sock]\n"                                      \
    "  --config=FILE    take the control socket from imd's settings\n"                                       \
    "  --timeout=SECONDS  how long to wait for imd [10]\n"

/* Sets one of these options; false: it is none of them, or its value is not allowed. */
bool control_set_option(struct control *control, int option, const char *value);

struct control_request {
    const char *method;
    const char *path; /* with a leading slash */
    struct str query; /* encoded; absent: none */
    struct str body;  /* absent: none */
    bool may_repeat;  /* repeating it does no harm; always true for GET */
};

/* imd's answer. The caller must call control_clear(). */
struct control_answer {
    int status;            /* of HTTP */
    bool replayed;         /* imd did this before, and repeats its first answer */
    struct str text;       /* the body; valid until control_clear() */
    struct object *object; /* the body; NULL: it is not a JSON object */
    struct buf bytes;      /* memory of the text */
};

/*
 * Asks imd. With --json, also prints the body. IMCTL_OK: imd did it. IMCTL_NO: imd refuses.
 * IMCTL_FAILED: imd does not run, does not answer in time, or cannot do it now. Unless it is
 * IMCTL_OK, a line on stderr says why.
 */
enum imctl_status control_ask(const struct control *control, const struct control_request *request,
                              struct control_answer *answer);
/* A zeroed answer is allowed. */
void control_clear(struct control_answer *answer);
/* Appends "name=value" to a query, percent-encoded, after '&' if the query is not empty. */
void control_add_param(struct buf *query, const char *name, struct str value);

#endif
