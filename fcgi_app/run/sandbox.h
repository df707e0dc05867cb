/*
 * sandbox.h - what each kind of process can no longer do, even if an attacker runs code in it.
 *
 * No process becomes root, is looked into, runs a program, makes a namespace, or opens a socket other than a
 * unix one. Workers and the relay make no process, signal no other one, and listen nowhere; the relay accepts
 * no connection. sandbox.c alone knows libseccomp.
 */
#ifndef IMD_RUN_SANDBOX_H
#define IMD_RUN_SANDBOX_H

#include "base/err.h"

enum sandbox_kind { SANDBOX_MASTER, SANDBOX_WORKER, SANDBOX_RELAY };

/*
 * If root runs this process, becomes `user`, which must be given; else does nothing. ERR_CONFIG, logged: no
 * such user, or root without a `user`.
 */
enum err sandbox_become(const char *user);
/*
 * Applies the policy of that kind, for good and for every child. The master enters before its first fork;
 * each child then enters its own, which can only forbid more. Call it while there is one thread. ERR_IO,
 * logged.
 */
enum err sandbox_enter(enum sandbox_kind kind);

#endif
