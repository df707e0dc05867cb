/*
 * sandbox.c - see sandbox.h. Must not know what imd does, but what it never does.
 *
 * A list of what is forbidden, not of what is allowed: a libc or a kernel that does its work by another call
 * than today's must not end a message store.
 */
#include "run/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"

/* Sanitizers look into their own process. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* Running programs, looking into others, changing the machine; and io_uring, which goes past all of it. */
static const int forbidden[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
#ifndef SANITIZED
    SCMP_SYS(ptrace),
#endif
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
};

enum err
sandbox_become(const char *user)
{
    const struct passwd *entry;

    if (geteuid() != 0)
        return ERR_OK;
    if (user[0] == '\0') {
        log_event(
            LOG_ERROR, "start_refused",
            "reason=\"imd does not stay root: set user to whom nginx's workers run as, such as www-data\"");
        return ERR_CONFIG;
    }
    entry = getpwnam(user);
    if (entry == NULL) {
        log_event(LOG_ERROR, "start_refused", "reason=\"there is no user %s\"", user);
        return ERR_CONFIG;
    }
    if (initgroups(user, entry->pw_gid) == 0 && setgid(entry->pw_gid) == 0 && setuid(entry->pw_uid) == 0)
        return ERR_OK;
    log_event(LOG_ERROR, "start_refused", "reason=\"cannot become %s: %s\"", user, strerror(errno));
    return ERR_CONFIG;
}

/* No core dumps: they would hold messages and keys. */
static void
leave_no_traces(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
#ifndef SANITIZED
    /* A handler that dumps are piped to does not ask for the limit. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

static int
forbid(scmp_filter_ctx filter)
{
    const int inside = AF_UNIX;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
    if (rc == 0)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                              SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)inside, 0));
    return rc;
}

enum err
sandbox_enter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int rc = -ENOMEM;

    leave_no_traces();
    if (filter != NULL) {
        rc = forbid(filter);
        /* Without it a program that ran with more rights could be made to do what we must not. */
        if (rc == 0)
            rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
        if (rc == 0)
            rc = seccomp_load(filter);
        seccomp_release(filter);
    }
    if (rc == 0)
        return ERR_OK;
    log_event(LOG_ERROR, "sandbox_failed", "reason=\"%s\"", strerror(-rc));
    return ERR_IO;
}
