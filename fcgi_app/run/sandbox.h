/*
 * sandbox.h - what a process of imd can no longer do, whatever is made of it: become root, be looked into,
 * run a program, open a socket but a unix one.
 *
 * sandbox.c alone knows libseccomp.
 */
#ifndef IMD_RUN_SANDBOX_H
#define IMD_RUN_SANDBOX_H

#include "base/err.h"

/*
 * Root becomes the user of that name; "" or anybody else: nobody else is become. ERR_CONFIG, logged: there is
 * no such user, or root was to stay root without being named.
 */
enum err sandbox_become(const char *user);
/* Before the first child; for good. ERR_IO, logged. */
enum err sandbox_enter(void);

#endif
