/* post.c - imctl post: sends a message as a user. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"
#include "imctl/control.h"
#include "wire/json.h"
#include "wire/object.h"

const char imctl_post_help[] =
    "usage: imctl post --as=NAME --conversation=ID [--client-id=KEY] [--json] [--socket=PATH] "
    "[--config=FILE]\n"
    "                  [--timeout=SECONDS] [TEXT | -]\n"
    "\n"
    "Sends a message as a member of a conversation. Without TEXT, or if TEXT is -, reads it from standard "
    "input,\n"
    "and drops one newline at its end.\n"
    "\n"
    "  --as=NAME        the user who sends it\n"
    "  --conversation=ID  the conversation\n"
    "  --client-id=KEY  send it only once, however often the command is repeated with this key: 1 to 64\n"
    "                   printable ASCII characters\n" CONTROL_HELP;

enum { AS = 1, CONVERSATION, CLIENT_ID };

struct options {
    struct control control;
    const char *as;
    int64_t conversation; /* 0: not given */
    const char *client_id;
    const char *text; /* NULL: standard input */
};

/* Sets one option; false: its value is not allowed. */
static bool
set_option(struct options *o, int option, const char *value)
{
    switch (option) {
    case AS:
        o->as = value;
        return true;
    case CONVERSATION:
        return str_to_int(str_c(value), &o->conversation) && o->conversation > 0;
    case CLIENT_ID:
        o->client_id = value;
        return true;
    default:
        return control_set_option(&o->control, option, value);
    }
}

static bool
read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"as", required_argument, NULL, AS},
        {"conversation", required_argument, NULL, CONVERSATION},
        {"client-id", required_argument, NULL, CLIENT_ID},
        CONTROL_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        if (!set_option(o, option, optarg))
            return false;
    if (optind < argc && strcmp(argv[optind], "-") != 0)
        o->text = argv[optind];
    return argc - optind <= 1 && o->as != NULL && o->conversation > 0;
}

/* Reads standard input to its end, or until it is longer than any message may be. */
static void
read_input(struct buf *text)
{
    char bytes[4096];
    size_t n;

    while (text->n <= CONFIG_CONTENT_BYTES_MAX + 1 && (n = fread(bytes, 1, sizeof(bytes), stdin)) > 0)
        buf_add(text, bytes, n);
    if (text->n > 0 && text->p[text->n - 1] == '\n')
        buf_cut(text, text->n - 1);
}

static bool
is_text(const char *option, struct str value)
{
    char line[64];

    if (utf8_valid(value) && memchr(value.p == NULL ? "" : value.p, '\0', value.n) == NULL)
        return true;
    snprintf(line, sizeof(line), "%s must be UTF-8 without NUL bytes", option);
    imctl_fail(line);
    return false;
}

/*
 * Writes the body of the request. Returns false if an input is not allowed in it, and prints why.
 */
static bool
write_body(const struct options *o, struct buf *body)
{
    struct buf input;
    struct str text = str_c(o->text);
    bool ok;

    buf_init(&input);
    if (o->text == NULL) {
        read_input(&input);
        text = (struct str){input.p, input.n};
    }
    ok =
        is_text("TEXT", text) && is_text("--as", str_c(o->as)) && is_text("--client-id", str_c(o->client_id));
    if (ok && text.n > CONFIG_CONTENT_BYTES_MAX) {
        ok = false;
        imctl_fail("TEXT is longer than any message may be");
    }
    if (ok) {
        buf_printf(body, "{\"conversation_id\":%" PRId64 ",\"username\":", o->conversation);
        json_quote(body, str_c(o->as));
        buf_c(body, ",\"content\":");
        json_quote(body, text);
        if (o->client_id != NULL) {
            buf_c(body, ",\"client_id\":");
            json_quote(body, str_c(o->client_id));
        }
        buf_c(body, "}");
    }
    buf_clear(&input);
    return ok;
}

static enum imctl_status
show(const struct control_answer *answer)
{
    int64_t id;
    int64_t seq;

    if (answer->object == NULL || object_int(answer->object, "id", &id) != OBJECT_OK ||
        object_int(answer->object, "seq", &seq) != OBJECT_OK)
        return imctl_fail("imd's answer is not a message");
    printf("message %" PRId64 ", seq %" PRId64 "%s\n", id, seq,
           answer->replayed ? ", was sent before under this key" : "");
    return IMCTL_OK;
}

enum imctl_status
imctl_post(int argc, char **argv)
{
    struct options o = {0};
    struct control_request request = {.method = "POST", .path = "/messages"};
    struct control_answer answer = {0};
    struct buf body;
    enum imctl_status status = IMCTL_FAILED;

    if (!read_options(&o, argc, argv))
        return IMCTL_USAGE;
    buf_init(&body);
    if (write_body(&o, &body)) {
        request.body = (struct str){body.p, body.n};
        request.may_repeat = o.client_id != NULL;
        status = control_ask(&o.control, &request, &answer);
    }
    if (status == IMCTL_OK && !o.control.json)
        status = show(&answer);
    control_clear(&answer);
    buf_clear(&body);
    return status;
}
