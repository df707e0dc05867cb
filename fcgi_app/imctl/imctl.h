/*
 * imctl.h - the commands of imctl. To add one: write COMMAND.c, declare its help and its function
 * here, and add a row to the table in imctl.c. One that acts on a running imd asks it by control.h.
 */
#ifndef IMD_IMCTL_IMCTL_H
#define IMD_IMCTL_IMCTL_H

#include "run/config.h"

/*
 * What a command returns. imctl.c says what each means; every help text ends with those sentences.
 */
enum imctl_status {
    IMCTL_OK = 0,
    IMCTL_NO = 1,     /* the command worked, and its answer is no */
    IMCTL_FAILED = 2, /* the command could not do its work, and stderr says why */
    IMCTL_USAGE = 64, /* the command line is wrong: imctl shows the command's help and exits with 2 */
};

/* Prints one line on stderr that says why the command failed. Returns IMCTL_FAILED. */
enum imctl_status imctl_fail(const char *why);

/*
 * Reads imd's settings from that file; NULL: the defaults. False: they are wrong, and a line on
 * stderr says how.
 */
bool imctl_read_config(const char *path, struct config *config);

/*
 * The functions and help texts that the table of imctl.c names. argv[0] is the name that getopt
 * gives the command in its messages; the options follow. A help text begins with "usage: imctl
 * COMMAND".
 */
extern const char imctl_token_help[];
enum imctl_status imctl_token(int argc, char **argv);
extern const char imctl_status_help[];
enum imctl_status imctl_status(int argc, char **argv);
extern const char imctl_listeners_help[];
enum imctl_status imctl_listeners(int argc, char **argv);
extern const char imctl_post_help[];
enum imctl_status imctl_post(int argc, char **argv);
extern const char imctl_repair_clock_help[];
enum imctl_status imctl_repair_clock(int argc, char **argv);

#endif
