/* listeners.c - imctl listeners: prints which users have an open subscription. */
#include <getopt.h>
#include <stdio.h>
#include "base/arena.h"
#include "imctl/control.h"
#include "wire/object.h"

const char imctl_listeners_help[] =
    "usage: imctl listeners NAME ... [--json] [--socket=PATH] [--config=FILE] [--timeout=SECONDS]\n"
    "\n"
    "Asks nchan, through imd, which of these users have at least one open subscription (a WebSocket or an\n"
    "EventSource) now. An answer may be a second old.\n"
    "\n" CONTROL_HELP;

static bool
read_options(struct control *control, int argc, char **argv)
{
    static const struct option known[] = {CONTROL_OPTIONS, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        if (!control_set_option(control, option, optarg))
            return false;
    return optind < argc;
}

/* True if the list of names contains the name. */
static bool
is_listed(const struct object *list, size_t count, struct arena *arena, const char *name)
{
    struct str listed;

    for (size_t i = 0; i < count; i++)
        if (object_list_string(list, i, arena, &listed) == OBJECT_OK && str_is(listed, name))
            return true;
    return false;
}

static enum imctl_status
show(const struct control_answer *answer, char **names, int name_count)
{
    const struct object *list;
    struct arena arena;
    size_t count;

    if (answer->object == NULL || object_list(answer->object, "listening", &list, &count) != OBJECT_OK)
        return imctl_fail("imd's answer has no list of listeners");
    arena_init(&arena);
    for (int i = 0; i < name_count; i++)
        printf("%-20s %s\n", names[i],
               is_listed(list, count, &arena, names[i]) ? "listens" : "does not listen");
    arena_clear(&arena);
    return IMCTL_OK;
}

enum imctl_status
imctl_listeners(int argc, char **argv)
{
    struct control control = {0};
    struct control_answer answer;
    struct buf query;
    enum imctl_status status;

    if (!read_options(&control, argc, argv))
        return IMCTL_USAGE;
    buf_init(&query);
    for (int i = optind; i < argc; i++)
        control_add_param(&query, "username", str_c(argv[i]));
    status = control_ask(
        &control,
        &(struct control_request){.method = "GET", .path = "/control/listeners", .query = {query.p, query.n}},
        &answer);
    if (status == IMCTL_OK && !control.json)
        status = show(&answer, argv + optind, argc - optind);
    control_clear(&answer);
    buf_clear(&query);
    return status;
}
