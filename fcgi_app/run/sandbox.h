/*
 * sandbox.h - what each kind of process cannot do, even if an attacker runs code in it.
 *
 * No process becomes root, can be inspected by another, executes a program, creates a namespace, or
 * opens a socket other than a unix one, unless its database is on another machine. Workers and the
 * relay also create no process, signal no other process and listen nowhere. The relay accepts no
 * connection. Only sandbox.c knows libseccomp.
 */
#ifndef IMD_RUN_SANDBOX_H
#define IMD_RUN_SANDBOX_H

#include <stdbool.h>
#include "base/err.h"

enum sandbox_kind { SANDBOX_MASTER, SANDBOX_WORKER, SANDBOX_RELAY };

/*
 * Becomes `user` if this process runs as root; otherwise does nothing. ERR_CONFIG, logged: root
 * without a `user`, no such user, or the change fails.
 */
enum err sandbox_become(const char *user);
/*
 * Applies the policy of that kind to this process and its future children, irrevocably. The master
 * enters its policy before the first fork. Each child then enters its own, which can only forbid
 * more. `network`: allows IP sockets, for its database. Call it while the process has
 * one thread. ERR_IO, logged.
 */
enum err sandbox_enter(enum sandbox_kind kind, bool network);

#endif
