/* imctl.h - the commands of imctl: one file each, COMMAND.c. */
#ifndef IMD_IMCTL_IMCTL_H
#define IMD_IMCTL_IMCTL_H

#include "run/config.h"

/* What a command returns beside an exit status: its command line was wrong, and its usage is to be shown. */
#define IMCTL_USAGE (-1)

/* Says on stderr why it cannot be done; returns 2, the exit status for that. */
int imctl_fail(const char *what);

/* imd's settings, from that file; NULL: the defaults. False: they are wrong, and it is said. */
bool imctl_read_config(const char *path, struct config *config);

/* argv[0] is the command's name. They return an exit status, or IMCTL_USAGE. */
int imctl_token(int argc, char **argv);
extern const char imctl_token_usage[];
int imctl_repair_clock(int argc, char **argv);
extern const char imctl_repair_clock_usage[];

#endif
