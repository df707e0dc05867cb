/*
 * repair_clock.c - imctl repair-clock: moves timestamps back that a wrong clock has set in the
 * future.
 *
 * imd must be stopped: the command takes the lock that imd holds on the database while it runs. If
 * root runs it, it becomes the owner of the database, so that imd may use every file it creates.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "imctl/imctl.h"
#include "store/repair.h"
#include "store/store.h"

const char imctl_repair_clock_help[] =
    "usage: imctl repair-clock [--store=URI] [--database=FILE] [--config=FILE] [--yes]\n"
    "\n"
    "If imd ran while the clock was ahead, everything it stored since is dated in the future. Set the clock, "
    "stop imd, and\n"
    "run this: it moves every timestamp that lies in the future back, so that the latest one is now. Order, "
    "ids and\n"
    "contents stay the same. The database gets another epoch, so clients start over.\n"
    "\n"
    "  --store=URI      the database, as in imd's settings [sqlite:/var/lib/imd/imd.db]\n"
    "  --database=FILE  the same as --store=sqlite:FILE\n"
    "  --config=FILE    take the database from imd's settings\n"
    "  --yes            do not ask; without it, standard input must be a terminal\n";

struct options {
    const char *store;
    const char *database;
    const char *config;
    bool yes;
};

static bool
read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"store", required_argument, NULL, 's'},
        {"database", required_argument, NULL, 'd'},
        {"config", required_argument, NULL, 'c'},
        {"yes", no_argument, NULL, 'y'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (option) {
        case 's':
            o->store = optarg;
            break;
        case 'd':
            o->database = optarg;
            break;
        case 'c':
            o->config = optarg;
            break;
        case 'y':
            o->yes = true;
            break;
        default:
            return false;
        }
    return optind == argc && (o->store == NULL || o->database == NULL);
}

/*
 * Takes the database from the settings, unless an option names one. Returns false if neither is
 * valid, and prints why.
 */
static bool
find_store(struct options *o, struct config *config)
{
    char message[512];

    if (!imctl_read_config(o->config, config))
        return false;
    if (o->database != NULL &&
        snprintf(config->store, sizeof(config->store), "sqlite:%s", o->database) >= CONFIG_URI_BYTES) {
        imctl_fail("--database: the path is too long");
        return false;
    }
    if (o->store == NULL)
        o->store = config->store;
    if (store_check(o->store, message, sizeof(message)) == ERR_OK)
        return true;
    imctl_fail(message);
    return false;
}

/*
 * Root becomes the owner of the database's file; other users stay who they are. False: errno says
 * why not.
 */
static bool
become_owner(const char *uri)
{
    const char *path = store_file(uri);
    struct stat st;

    if (geteuid() != 0 || path == NULL)
        return true;
    return stat(path, &st) == 0 && setgroups(0, NULL) == 0 && setgid(st.st_gid) == 0 &&
           setuid(st.st_uid) == 0;
}

static const char *
in_words(int64_t ms, char text[40])
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    strftime(text, 40, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&s, &tm));
    return text;
}

/* Asks on the terminal whether to go on, unless --yes is given. */
static bool
is_wanted(const struct options *o)
{
    char line[16] = "";

    if (o->yes)
        return true;
    printf("Move them back? [y/N] ");
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

static void
show_progress(void *arg, int64_t message_id)
{
    const struct repair_view *view = arg;

    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRId64 " of %" PRId64 " messages%s", message_id, view->message_id,
                message_id == view->message_id ? "\n" : "");
}

static enum imctl_status
repair(const struct options *o, struct repair *database)
{
    struct repair_view view;
    int64_t now_ms = clock_wall_ms();
    char now[40];
    char last[40];

    if (repair_look(database, now_ms, &view) != ERR_OK)
        return imctl_fail("the database cannot be read; the line above says why");
    if (view.moments == 0) {
        printf("It is %s, and nothing in the database is later. There is nothing to repair.\n",
               in_words(now_ms, now));
        return IMCTL_OK;
    }
    printf("It is %s. The database goes as far as %s: %" PRId64 " messages lie ahead.\n",
           in_words(now_ms, now), in_words(view.last_ms, last), view.messages);
    if (!is_wanted(o)) {
        puts("Nothing was changed.");
        return IMCTL_NO;
    }
    if (repair_clock(database, now_ms, show_progress, &view) != ERR_OK)
        return imctl_fail("it failed, and nothing was changed; the line above says why");
    puts("Done. The database has another epoch: clients start over. Now start imd.");
    return IMCTL_OK;
}

enum imctl_status
imctl_repair_clock(int argc, char **argv)
{
    static struct config config;
    struct options o = {0};
    char message[CONFIG_URI_BYTES + 128];
    struct repair *database = NULL;
    const char *why;
    enum imctl_status status;

    if (!read_options(&o, argc, argv))
        return IMCTL_USAGE;
    if (!find_store(&o, &config))
        return IMCTL_FAILED;
    if (!o.yes && !isatty(STDIN_FILENO))
        return imctl_fail("this asks before it changes anything: run it in a terminal, or with --yes");
    /* Like imd: other users may not read the files that the engine creates beside the database. */
    umask(0027);
    why = become_owner(o.store) ? repair_open(&database, o.store) : strerror(errno);
    if (why != NULL) {
        const char *file = store_file(o.store);

        snprintf(message, sizeof(message), "%s: %s", file != NULL ? file : "the database", why);
        return imctl_fail(message);
    }
    status = repair(&o, database);
    repair_close(database);
    return status;
}
