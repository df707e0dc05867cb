/*
 * sandbox.c - see sandbox.h. Must know what no process of imd ever does, and nothing of what it does.
 *
 * The table lists forbidden calls, not allowed ones: a libc or kernel that uses another call than today's
 * must not stop a message store.
 *
 * The master must not execute programs either. A reload reads the settings and forks, which needs no execve.
 * The service manager starts a new binary, and so the new master begins without the filters of the old one: a
 * master that executed its successor would pass them on. A later policy can then allow what this one forbids.
 */
#include "run/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"

/* A sanitizer looks into its own process at the end, from a process that it makes. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* The processes that a rule is for. */
#define WORKER   (1u << SANDBOX_WORKER)
#define RELAY    (1u << SANDBOX_RELAY)
#define CHILDREN (WORKER | RELAY)
#define ALL      (1u << SANDBOX_MASTER | CHILDREN)

/* These calls fail with EPERM, whatever their arguments. */
static const struct {
    int call;
    unsigned kinds;
} forbidden[] = {
    /* running programs */
    {SCMP_SYS(execve), ALL},
    {SCMP_SYS(execveat), ALL},
/* looking into other processes */
#ifndef SANITIZED
    {SCMP_SYS(ptrace), ALL},
#endif
    {SCMP_SYS(process_vm_readv), ALL},
    {SCMP_SYS(process_vm_writev), ALL},
    {SCMP_SYS(pidfd_getfd), ALL},
    /* io_uring makes other calls on its own, past any filter */
    {SCMP_SYS(io_uring_setup), ALL},
    {SCMP_SYS(io_uring_enter), ALL},
    {SCMP_SYS(io_uring_register), ALL},
    /* changing the machine */
    {SCMP_SYS(bpf), ALL},
    {SCMP_SYS(perf_event_open), ALL},
    {SCMP_SYS(userfaultfd), ALL},
    {SCMP_SYS(mount), ALL},
    {SCMP_SYS(umount2), ALL},
    {SCMP_SYS(pivot_root), ALL},
    {SCMP_SYS(chroot), ALL},
    {SCMP_SYS(fsopen), ALL},
    {SCMP_SYS(fsmount), ALL},
    {SCMP_SYS(move_mount), ALL},
    {SCMP_SYS(open_tree), ALL},
    {SCMP_SYS(mount_setattr), ALL},
    {SCMP_SYS(unshare), ALL},
    {SCMP_SYS(setns), ALL},
    {SCMP_SYS(open_by_handle_at), ALL},
    {SCMP_SYS(keyctl), ALL},
    {SCMP_SYS(add_key), ALL},
    {SCMP_SYS(request_key), ALL},
    {SCMP_SYS(init_module), ALL},
    {SCMP_SYS(finit_module), ALL},
    {SCMP_SYS(delete_module), ALL},
    {SCMP_SYS(kexec_load), ALL},
    {SCMP_SYS(kexec_file_load), ALL},
    {SCMP_SYS(reboot), ALL},
    {SCMP_SYS(swapon), ALL},
    /* serving anybody else: the master alone makes the socket, and the workers alone accept */
    {SCMP_SYS(bind), CHILDREN},
    {SCMP_SYS(listen), CHILDREN},
    {SCMP_SYS(accept), RELAY},
    {SCMP_SYS(accept4), RELAY},
#ifndef SANITIZED
    /* making processes, and signalling those of the same user */
    {SCMP_SYS(fork), CHILDREN},
    {SCMP_SYS(vfork), CHILDREN},
    {SCMP_SYS(tkill), CHILDREN},
    {SCMP_SYS(rt_sigqueueinfo), CHILDREN},
    {SCMP_SYS(rt_tgsigqueueinfo), CHILDREN},
    {SCMP_SYS(pidfd_send_signal), CHILDREN},
#endif
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

/* A call fails with this error if its first argument compares so. */
static int
forbid_if(scmp_filter_ctx filter, int error, int call, struct scmp_arg_cmp argument)
{
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), call, 1, argument);
}

/* Only unix sockets. The whole argument is compared, though the kernel itself reads half of it. */
static int
forbid_network(scmp_filter_ctx filter)
{
    const scmp_datum_t inside = AF_UNIX;
    int rc = forbid_if(filter, EAFNOSUPPORT, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_NE, inside, 0));

    return rc == 0 ? forbid_if(filter, EAFNOSUPPORT, SCMP_SYS(socketpair), SCMP_A0(SCMP_CMP_NE, inside, 0))
                   : rc;
}

/*
 * No new namespaces. A filter cannot look at the arguments of clone3, so it does not exist: the C library
 * then calls clone.
 */
static int
forbid_namespaces(scmp_filter_ctx filter)
{
    static const scmp_datum_t flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                         CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    for (size_t i = 0; rc == 0 && i < sizeof(flags) / sizeof(flags[0]); i++)
        rc = forbid_if(filter, EPERM, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
    return rc;
}

/* Threads, but no processes; signals to itself, which abort() needs, but to no other process. */
static int
forbid_processes(scmp_filter_ctx filter)
{
#ifdef SANITIZED
    (void)filter;
    return 0;
#else
    const scmp_datum_t self = (scmp_datum_t)getpid();
    const scmp_datum_t thread = CLONE_THREAD;
    int rc = forbid_if(filter, EPERM, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, thread, 0));

    if (rc == 0)
        rc = forbid_if(filter, EPERM, SCMP_SYS(kill), SCMP_A0(SCMP_CMP_NE, self, 0));
    if (rc == 0)
        rc = forbid_if(filter, EPERM, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_NE, self, 0));
    return rc;
#endif
}

static int
forbid(scmp_filter_ctx filter, enum sandbox_kind kind)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        if ((forbidden[i].kinds & 1u << kind) != 0)
            rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i].call, 0);
    if (rc == 0)
        rc = forbid_network(filter);
    if (rc == 0)
        rc = forbid_namespaces(filter);
    if (rc == 0 && (CHILDREN & 1u << kind) != 0)
        rc = forbid_processes(filter);
    return rc;
}

enum err
sandbox_enter(enum sandbox_kind kind)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int rc = -ENOMEM;

    leave_no_traces();
    if (filter != NULL) {
        rc = forbid(filter, kind);
        /* Otherwise a set-user-ID program could be made to do what this process must not. */
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
