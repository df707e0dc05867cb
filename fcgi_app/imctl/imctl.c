/* imctl.c - the operator's tool: finds the command and runs it. To add one: its file, imctl.h, and a row
 * here. */
#include "imctl/imctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
} commands[] = {
    {"token", imctl_token, imctl_token_usage},
    {"repair-clock", imctl_repair_clock, imctl_repair_clock_usage},
};

int
imctl_fail(const char *what)
{
    fprintf(stderr, "imctl: %s\n", what);
    return 2;
}

bool
imctl_read_config(const char *path, struct config *config)
{
    char flag[CONFIG_PATH_BYTES + 16];
    char *argv[] = {flag, flag, NULL};
    char message[1024];
    enum config_action action;

    snprintf(flag, sizeof(flag), "--config=%s", path == NULL ? "" : path);
    if (config_read(config, path == NULL ? 1 : 2, argv, &action, message, sizeof(message)) == ERR_OK)
        return true;
    imctl_fail(message);
    return false;
}

/* NULL: there is none of that name. */
static const struct command *
find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void
show_all(FILE *to)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(to, "%s%s", i > 0 ? "\n" : "", commands[i].usage);
}

int
main(int argc, char **argv)
{
    const struct command *command = argc > 1 ? find(argv[1]) : NULL;
    int status;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        show_all(stdout);
        return EXIT_SUCCESS;
    }
    if (command == NULL) {
        show_all(stderr);
        return 2;
    }
    status = command->run(argc - 1, argv + 1);
    if (status == IMCTL_USAGE) {
        fputs(command->usage, stderr);
        return 2;
    }
    return fflush(stdout) == 0 ? status : imctl_fail("standard output cannot be written");
}
