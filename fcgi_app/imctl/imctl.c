/*
 * imctl.c - the operator's tool: the table of commands and the table of exit codes.
 *
 * The help texts are printed from these two tables, and the test of the man page compares it with
 * them. Must not know what a command does.
 */
#include "imctl/imctl.h"

#include <stdio.h>
#include <string.h>

#ifndef IMD_VERSION
#define IMD_VERSION "0"
#endif

struct command {
    const char *name;
    const char *summary; /* one line */
    const char *help;    /* usage and options; the exit codes are added to it */
    enum imctl_status (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"status", "show the problems and the state of a running imd", imctl_status_help, imctl_status},
    {"listeners", "say which users have an open subscription", imctl_listeners_help, imctl_listeners},
    {"post", "send a message as a user", imctl_post_help, imctl_post},
    {"token", "mint a token, or show one and whether imd would accept it", imctl_token_help, imctl_token},
    {"repair-clock", "move timestamps that lie in the future back to now", imctl_repair_clock_help,
     imctl_repair_clock},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct {
    enum imctl_status status;
    const char *meaning;
} exit_codes[] = {
    {IMCTL_OK, "the command did its work, or there was nothing to do"},
    {IMCTL_NO, "the answer is no: refused, declined, or something is wrong"},
    {IMCTL_FAILED, "the command line is wrong, or the command failed; stderr says why"},
};

enum imctl_status
imctl_fail(const char *why)
{
    fprintf(stderr, "imctl: %s\n", why);
    return IMCTL_FAILED;
}

bool
imctl_read_config(const char *path, struct config *config)
{
    char flag[CONFIG_PATH_BYTES + 16];
    char *argv[] = {flag, flag, NULL};
    char message[1024];

    snprintf(flag, sizeof(flag), "--config=%s", path == NULL ? "" : path);
    if (config_read(config, path == NULL ? 1 : 2, argv, message, sizeof(message)) == ERR_OK)
        return true;
    imctl_fail(message);
    return false;
}

/* Returns the command of that name; NULL: there is none. */
static const struct command *
find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void
show_exit_codes(FILE *to)
{
    fputs("\nExit codes:\n", to);
    for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++)
        fprintf(to, "  %d  %s\n", exit_codes[i].status, exit_codes[i].meaning);
}

static void
show_command(FILE *to, const struct command *command)
{
    fputs(command->help, to);
    show_exit_codes(to);
}

static void
show_all(FILE *to)
{
    fputs("usage: imctl COMMAND [OPTION ...]\n"
          "       imctl help [COMMAND]\n"
          "       imctl --version\n"
          "\n"
          "Commands:\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-14s %s\n", commands[i].name, commands[i].summary);
    show_exit_codes(to);
}

static enum imctl_status
refuse_command(const char *name)
{
    fprintf(stderr, "imctl: there is no command '%.100s'; imctl help lists them\n", name);
    return IMCTL_FAILED;
}

/* Runs "imctl help"; argv begins after these two words. */
static enum imctl_status
help(int argc, char **argv)
{
    const struct command *command = argc == 1 ? find(argv[0]) : NULL;

    if (argc > 1)
        return IMCTL_USAGE;
    if (argc == 1 && command == NULL)
        return refuse_command(argv[0]);
    if (command != NULL)
        show_command(stdout, command);
    else
        show_all(stdout);
    return IMCTL_OK;
}

static enum imctl_status
run_command(const struct command *command, int argc, char **argv)
{
    char name[64];
    enum imctl_status status;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        show_command(stdout, command);
        return IMCTL_OK;
    }
    /* So that getopt's messages name the whole command. */
    snprintf(name, sizeof(name), "imctl %s", command->name);
    argv[0] = name;
    status = command->run(argc, argv);
    if (status != IMCTL_USAGE)
        return status;
    show_command(stderr, command);
    return IMCTL_FAILED;
}

static enum imctl_status
dispatch(int argc, char **argv)
{
    const struct command *command = argc > 1 ? find(argv[1]) : NULL;
    enum imctl_status status = IMCTL_USAGE;

    if (command != NULL)
        return run_command(command, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "help") == 0)
        status = help(argc - 2, argv + 2);
    else if (argc == 2 && strcmp(argv[1], "--help") == 0)
        status = help(0, NULL);
    else if (argc == 2 && strcmp(argv[1], "--version") == 0)
        status = printf("imctl %s\n", IMD_VERSION) > 0 ? IMCTL_OK : IMCTL_FAILED;
    else if (argc > 1 && argv[1][0] != '-')
        status = refuse_command(argv[1]);
    if (status != IMCTL_USAGE)
        return status;
    show_all(stderr);
    return IMCTL_FAILED;
}

int
main(int argc, char **argv)
{
    enum imctl_status status = dispatch(argc, argv);

    return fflush(stdout) == 0 ? status : imctl_fail("standard output cannot be written");
}
