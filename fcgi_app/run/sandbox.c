/*
 * sandbox.c - see sandbox.h. Must not know what a process of imd does, only what it never does.
 *
 * The table lists forbidden calls, not allowed ones. A new libc or kernel may use other calls than
 * today's, and that must not stop a message store.
 *
 * The master must not execute programs either. A reload reads the settings and forks, which needs
 * no execve. The service manager starts a new binary, so the new master starts without the old
 * one's filters, and its policy may allow what the old one forbade.
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

/* At exit, a sanitizer inspects its process from a process that it creates. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* The processes that a rule applies to. */
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
    /* io_uring performs other calls, unseen by a filter */
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
    /* accepting elsewhere: only the master creates the socket, and only workers accept */
    {SCMP_SYS(bind), CHILDREN},
    {SCMP_SYS(listen), CHILDREN},
    {SCMP_SYS(accept), RELAY},
    {SCMP_SYS(accept4), RELAY},
#ifndef SANITIZED
    /* creating processes, and signalling others of the same user */
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
            "reason=\"imd does not run as root: set user to the user of nginx's workers, such as www-data\"");
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

/* Turns core dumps off: they would contain messages and keys. */
static void
leave_no_traces(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
#ifndef SANITIZED
    /* The limit does not stop a core_pattern that pipes the dump to a program. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* Makes a call fail with this error if the comparison is true for its first argument. */
static int
forbid_if(scmp_filter_ctx filter, int error, int call, struct scmp_arg_cmp argument)
{
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), call, 1, argument);
}

/*
 * Allows only unix sockets and, if `network`, IP sockets. Each family between the allowed ones has
 * a rule, because a rule can compare an argument only once. The filter compares 64 bits of the
 * argument, of which the kernel reads 32.
 */
static int
forbid_families(scmp_filter_ctx filter, int call, bool network)
{
    const scmp_datum_t last = network ? AF_INET6 : AF_UNIX;
    int rc = forbid_if(filter, EAFNOSUPPORT, call, SCMP_A0(SCMP_CMP_GT, last, 0));

    for (scmp_datum_t family = 0; rc == 0 && family < last; family++)
        if (family != AF_UNIX && family != AF_INET)
            rc = forbid_if(filter, EAFNOSUPPORT, call, SCMP_A0(SCMP_CMP_EQ, family, 0));
    return rc;
}

static int
forbid_network(scmp_filter_ctx filter, bool network)
{
    int rc = forbid_families(filter, SCMP_SYS(socket), network);

    return rc == 0 ? forbid_families(filter, SCMP_SYS(socketpair), false) : rc;
}

/*
 * Allows no new namespaces. A filter cannot read the arguments of clone3, which are in memory. So
 * clone3 fails with ENOSYS, and the C library falls back to clone.
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

/*
 * Allows threads but no processes, and signals to itself (abort() needs them) but to no other
 * process.
 */
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
forbid(scmp_filter_ctx filter, enum sandbox_kind kind, bool network)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        if ((forbidden[i].kinds & 1u << kind) != 0)
            rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i].call, 0);
    if (rc == 0)
        rc = forbid_network(filter, network);
    if (rc == 0)
        rc = forbid_namespaces(filter);
    if (rc == 0 && (CHILDREN & 1u << kind) != 0)
        rc = forbid_processes(filter);
    return rc;
}

enum err
sandbox_enter(enum sandbox_kind kind, bool network)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int rc = -ENOMEM;

    leave_no_traces();
    if (filter != NULL) {
        rc = forbid(filter, kind, network);
        /* NO_NEW_PRIVS: the kernel demands it of a process that is not root and loads a filter. */
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
