/* status.c - imctl status: prints the problems of a running imd, and then its state. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include "base/arena.h"
#include "imctl/control.h"
#include "wire/object.h"

const char imctl_status_help[] =
    "usage: imctl status [--json] [--socket=PATH] [--config=FILE] [--timeout=SECONDS]\n"
    "\n"
    "Prints the problems of imd, the worst first, and then its state. Exits with 1 if there is a problem.\n"
    "\n" CONTROL_HELP;

/* The form in which a value is printed. */
enum unit { NUMBER, TEXT, MOMENT, DURATION, BYTES };

/* The lines of the answer, in this order; one without a value is left out. */
static const struct {
    const char *key;
    const char *label;
    enum unit unit;
} lines[] = {
    {"version", "version", TEXT},
    {"started_at", "started", MOMENT},
    {"uptime_ms", "up for", DURATION},
    {"master_pid", "master's pid", NUMBER},
    {"workers", "workers", NUMBER},
    {"threads", "threads of each", NUMBER},
    {"child_deaths", "unexpected ends of processes", NUMBER},
    {"push", "push", TEXT},
    {"relay_lag_ms", "oldest change not pushed", DURATION},
    {"outbox_pending", "changes not pushed", NUMBER},
    {"pushed_changes", "changes pushed", NUMBER},
    {"dropped_changes", "changes dropped", NUMBER},
    {"silent_names", "users known not to listen", NUMBER},
    {"schema", "schema", NUMBER},
    {"epoch", "epoch", TEXT},
    {"tick", "newest timestamp", MOMENT},
    {"clock_behind_s", "seconds the clock is behind", NUMBER},
    {"last_message_id", "newest message", NUMBER},
    {"database_bytes", "database", BYTES},
    {"log_bytes", "write-ahead log", BYTES},
    {"commits", "commits", NUMBER},
    {"commits_failed", "commits that failed", NUMBER},
    {"commands", "commands in commits", NUMBER},
    {"limited", "requests over their rate", NUMBER},
};

static bool
read_options(struct control *control, int argc, char **argv)
{
    static const struct option known[] = {CONTROL_OPTIONS, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        if (!control_set_option(control, option, optarg))
            return false;
    return optind == argc;
}

static void
show_moment(int64_t ms)
{
    time_t s = (time_t)(ms / 1000);
    char text[40] = "?";
    struct tm tm;

    if (gmtime_r(&s, &tm) != NULL)
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
    puts(text);
}

/* The largest unit that gives a whole number, so that the eye need not count digits. */
static void
show_duration(int64_t ms)
{
    if (ms < 10000)
        printf("%" PRId64 " ms\n", ms);
    else if (ms < 600000)
        printf("%" PRId64 " s\n", ms / 1000);
    else if (ms < 36000000)
        printf("%" PRId64 " min\n", ms / 60000);
    else if (ms < 864000000)
        printf("%" PRId64 " h\n", ms / 3600000);
    else
        printf("%" PRId64 " d\n", ms / 86400000);
}

static void
show_number(enum unit unit, int64_t value)
{
    if (unit == MOMENT)
        show_moment(value);
    else if (unit == DURATION)
        show_duration(value);
    else if (unit == BYTES)
        printf("%" PRId64 " kB\n", (value + 999) / 1000);
    else
        printf("%" PRId64 "\n", value);
}

static void
show_lines(const struct object *object)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct str text;
        int64_t value;
        bool is_text = object_string(object, lines[i].key, &text) == OBJECT_OK;

        if (!is_text && object_int(object, lines[i].key, &value) != OBJECT_OK)
            continue;
        printf("%-29s ", lines[i].label);
        if (is_text)
            printf("%.*s\n", (int)text.n, text.p);
        else
            show_number(lines[i].unit, value);
    }
}

/*
 * Prints the problems, unless the output is JSON, and returns how many there are; -1: the answer is
 * not imd's.
 */
static int
show_wrong(const struct control_answer *answer, bool print)
{
    const struct object *list;
    struct arena arena;
    size_t count;

    if (answer->object == NULL || object_list(answer->object, "wrong", &list, &count) != OBJECT_OK)
        return -1;
    arena_init(&arena);
    for (size_t i = 0; i < count && print; i++) {
        struct str sentence;

        if (object_list_string(list, i, &arena, &sentence) == OBJECT_OK)
            printf("WRONG: %.*s\n", (int)sentence.n, sentence.p);
    }
    arena_clear(&arena);
    return (int)count;
}

static enum imctl_status
show(const struct control_answer *answer, bool json)
{
    int wrong = show_wrong(answer, !json);

    if (wrong < 0)
        return imctl_fail("imd's answer is not a status");
    if (!json && wrong == 0)
        puts("imd works.");
    if (!json)
        show_lines(answer->object);
    return wrong == 0 ? IMCTL_OK : IMCTL_NO;
}

enum imctl_status
imctl_status(int argc, char **argv)
{
    struct control control = {0};
    struct control_answer answer;
    enum imctl_status status;

    if (!read_options(&control, argc, argv))
        return IMCTL_USAGE;
    status =
        control_ask(&control, &(struct control_request){.method = "GET", .path = "/control/status"}, &answer);
    if (status == IMCTL_OK)
        status = show(&answer, control.json);
    control_clear(&answer);
    return status;
}
