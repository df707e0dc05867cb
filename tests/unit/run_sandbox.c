/*
 * run_sandbox.c - checks, in a child for each kind of process: it executes no program, opens no
 * socket but a unix one, inspects no other process, creates no namespace, changes nothing of the
 * machine and dumps no core. Files, threads, memory and unix sockets work. Workers and the relay
 * create no process, signal no other one and listen nowhere. The relay accepts nothing. A policy
 * cannot be left, not even by children. Root stays root only if the settings name it.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "run/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

/* The child's exit status says which claim failed. It must not use cmocka's assertions. */
#define CLAIM(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) {                                                                                      \
            fprintf(stderr, "line %d: not so: %s (errno %d)\n", __LINE__, #claim, errno);                    \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

static int
status_of(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* Runs the body in a child without a sandbox. */
static void
in_a_child(void (*body)(void))
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(status_of(pid), 0);
}

/* The kind of the child in which a body runs. */
static enum sandbox_kind kind;
static void (*sandboxed_body)(void);

static void
enter_and_run(void)
{
    CLAIM(sandbox_enter(kind, false) == ERR_OK);
    sandboxed_body();
}

static void
in_kind(enum sandbox_kind of, void (*body)(void))
{
    kind = of;
    sandboxed_body = body;
    in_a_child(enter_and_run);
}

static void
in_each_kind(void (*body)(void))
{
    in_kind(SANDBOX_MASTER, body);
    in_kind(SANDBOX_WORKER, body);
    in_kind(SANDBOX_RELAY, body);
}

/* --- what is forbidden */

static bool
denied(long number, long a, long b, long c, long d, long e)
{
    errno = 0;
    return syscall(number, a, b, c, d, e, 0) == -1 && errno == EPERM;
}

static void
try_programs(void)
{
    char *argv[] = {NULL, NULL};

    CLAIM(execve("/bin/true", argv, argv) == -1 && errno == EPERM);
    CLAIM(denied(SYS_execveat, AT_FDCWD, (long)"/bin/true", (long)argv, (long)argv, 0));
    /*
     * Not even a program that does not exist, or invalid arguments: the call is refused before they
     * are read.
     */
    CLAIM(execve("/nowhere", argv, argv) == -1 && errno == EPERM);
    CLAIM(denied(SYS_execve, 0, 0, 0, 0, 0));
}

static void
no_program_is_run(void **state)
{
    (void)state;
    in_each_kind(try_programs);
}

static void
try_sockets(void)
{
    static const int families[] = {AF_INET,      AF_INET6, AF_NETLINK, AF_PACKET, AF_UNSPEC, AF_VSOCK, AF_ALG,
                                   AF_BLUETOOTH, AF_TIPC,  AF_XDP,     AF_KEY,    99,        -1};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET,
                                SOCK_STREAM | SOCK_CLOEXEC};

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
            errno = 0;
            CLAIM(socket(families[i], types[t], 0) == -1 && errno == EAFNOSUPPORT);
        }
    /* The filter checks all 64 bits, though the kernel reads only half of them. */
    errno = 0;
    CLAIM(syscall(SYS_socket, AF_UNIX | 1L << 32, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
}

static void
try_sockets_of_ip(void)
{
    static const int others[] = {AF_NETLINK, AF_PACKET, AF_UNSPEC, AF_VSOCK, AF_ALG, AF_BLUETOOTH, 99, -1};
    int pair[2];

    CLAIM(sandbox_enter(SANDBOX_MASTER, true) == ERR_OK && sandbox_enter(SANDBOX_WORKER, true) == ERR_OK);
    CLAIM(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    CLAIM(socket(AF_INET, SOCK_STREAM, 0) >= 0);
    /* A machine may be without IPv6. */
    errno = 0;
    CLAIM(socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno != EPERM);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        errno = 0;
        CLAIM(socket(others[i], SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
    }
    CLAIM(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    errno = 0;
    CLAIM(syscall(SYS_socket, AF_INET | 1L << 32, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
}

static void
a_process_with_a_database_elsewhere_opens_sockets_of_ip_too(void **state)
{
    (void)state;
    in_a_child(try_sockets_of_ip);
}

static void
no_socket_but_a_unix_one_is_opened(void **state)
{
    (void)state;
    in_each_kind(try_sockets);
}

static void
try_the_rest(void)
{
    static const long calls[] = {
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_pidfd_getfd,
        SYS_io_uring_setup,
        SYS_io_uring_enter,
        SYS_io_uring_register,
        SYS_bpf,
        SYS_perf_event_open,
        SYS_userfaultfd,
        SYS_mount,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_unshare,
        SYS_setns,
        SYS_open_by_handle_at,
        SYS_keyctl,
        SYS_add_key,
        SYS_request_key,
        SYS_init_module,
        SYS_finit_module,
        SYS_kexec_load,
        SYS_reboot,
        SYS_swapon,
    };

    /*
     * Arguments that every kernel would refuse, so that nothing happens if the sandbox lets the
     * call through.
     */
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (!denied(calls[i], -1, -1, -1, -1, -1)) {
            fprintf(stderr, "call %ld is not denied: errno %d\n", calls[i], errno);
            _exit(1);
        }
#ifndef SANITIZED
    CLAIM(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == EPERM);
#endif
}

static void
no_process_is_inspected_and_no_setting_changed(void **state)
{
    (void)state;
    in_each_kind(try_the_rest);
}

/* --- inside a sandbox */

static long
status_line(const char *key)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long value = -1;

    CLAIM(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtol(line + strlen(key), NULL, 10);
    fclose(f);
    return value;
}

static void
look_at_status(void)
{
    struct rlimit limit = {1, 1};

    CLAIM(status_line("NoNewPrivs:") == 1);
    CLAIM(status_line("Seccomp:") == 2);
    CLAIM(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CLAIM(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0);
#ifndef SANITIZED
    CLAIM(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
#endif
}

static void
it_gains_no_rights_and_leaves_no_core(void **state)
{
    (void)state;
    in_each_kind(look_at_status);
}

static void
try_to_leave(void)
{
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow};

    CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1);
    CLAIM(prctl(PR_SET_SECCOMP, 0, 0, 0, 0) == -1);
    /* A further filter may be loaded, but the stricter answer counts. */
    prctl(PR_SET_SECCOMP, 2, &program, 0, 0);
    try_programs();
    try_sockets();
}

static void
there_is_no_way_out(void **state)
{
    (void)state;
    in_each_kind(try_to_leave);
}

static void *
try_in_a_thread(void *arg)
{
    try_programs();
    try_sockets();
    return arg;
}

static void
try_threads(void)
{
    pthread_t thread;
    void *result = NULL;

    CLAIM(pthread_create(&thread, NULL, try_in_a_thread, result) == 0);
    CLAIM(pthread_join(thread, &result) == 0 && result == NULL);
}

static void
threads_work_and_are_inside_too(void **state)
{
    (void)state;
    in_each_kind(try_threads);
}

/* In a child of the master, before it enters its own policy. */
static void
try_children(void)
{
    pid_t pid = fork();

    CLAIM(pid >= 0);
    if (pid == 0) {
        try_programs();
        try_sockets();
        look_at_status();
        _exit(7);
    }
    CLAIM(kill(pid, 0) == 0);
    CLAIM(status_of(pid) == 7 << 8);
}

static void
the_master_makes_children_that_are_inside_too(void **state)
{
    (void)state;
    in_kind(SANDBOX_MASTER, try_children);
}

static void
try_namespaces(void)
{
    static const long flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                 CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        CLAIM(denied(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0, 0));
    errno = 0;
    CLAIM(syscall(SYS_clone3, NULL, 0L) == -1 && errno == ENOSYS);
}

static void
no_namespace_is_made(void **state)
{
    (void)state;
    in_each_kind(try_namespaces);
}

#ifndef SANITIZED
static void
try_processes(void)
{
    CLAIM(denied(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    CLAIM(denied(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0));
#ifdef SYS_fork
    CLAIM(denied(SYS_fork, 0, 0, 0, 0, 0) && denied(SYS_vfork, 0, 0, 0, 0, 0));
#endif
    CLAIM(fork() == -1 && errno == EPERM);
}

static void
try_signals(void)
{
    pid_t others[] = {getppid(), 0, -1, 1, -getpgrp()};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        errno = 0;
        CLAIM(kill(others[i], 0) == -1 && errno == EPERM);
    }
    CLAIM(denied(SYS_tgkill, getppid(), getppid(), 0, 0, 0));
    CLAIM(denied(SYS_tkill, getppid(), 0, 0, 0, 0));
    CLAIM(denied(SYS_rt_sigqueueinfo, getppid(), 0, 0, 0, 0));
    CLAIM(denied(SYS_rt_tgsigqueueinfo, getppid(), getppid(), 0, 0, 0));
    CLAIM(denied(SYS_pidfd_send_signal, -1, 0, 0, 0, 0));
    CLAIM(raise(0) == 0 && kill(getpid(), 0) == 0);
}

static void
workers_and_relay_make_no_process_and_signal_none(void **state)
{
    (void)state;
    in_kind(SANDBOX_WORKER, try_processes);
    in_kind(SANDBOX_RELAY, try_processes);
    in_kind(SANDBOX_WORKER, try_signals);
    in_kind(SANDBOX_RELAY, try_signals);
}

static void
try_abort(void)
{
    /* The C library kills its own process by a signal. */
    abort();
}

static void
abort_still_ends_a_worker(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        if (sandbox_enter(SANDBOX_WORKER, false) == ERR_OK)
            try_abort();
        _exit(1);
    }
    status = status_of(pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
#endif

/* Sends a word through a socket, and receives it. */
static void
talk(int a, int b)
{
    char word[8] = "";

    CLAIM(write(a, "there", 6) == 6 && read(b, word, sizeof(word)) == 6 && strcmp(word, "there") == 0);
    CLAIM(write(b, "back", 5) == 5 && read(a, word, sizeof(word)) == 5 && strcmp(word, "back") == 0);
}

static socklen_t
name_address(struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    /* In the abstract, so that no file is left. */
    snprintf(address->sun_path + 1, 23, "imd-unit-%d", (int)getpid());
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 24);
}

static int listening;

static void
listen_here(void)
{
    struct sockaddr_un address;
    socklen_t n = name_address(&address);

    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CLAIM(listening >= 0);
    CLAIM(bind(listening, (struct sockaddr *)&address, n) == 0 && listen(listening, 1) == 0);
}

/* What every kind may do with a socket that the master made. */
static int
ask_here(void)
{
    struct sockaddr_un address;
    socklen_t n = name_address(&address);
    int asking = socket(AF_UNIX, SOCK_STREAM, 0);
    int pair[2];

    CLAIM(asking >= 0 && connect(asking, (struct sockaddr *)&address, n) == 0);
    CLAIM(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    talk(pair[0], pair[1]);
    return asking;
}

static void
serve_as_master(void)
{
    int asking;
    int taken;

    CLAIM(sandbox_enter(SANDBOX_MASTER, false) == ERR_OK);
    listen_here();
    asking = ask_here();
    taken = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    CLAIM(taken >= 0);
    talk(asking, taken);
}

static void
refuse_to_listen(void)
{
    struct sockaddr_un address;
    socklen_t n = name_address(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    CLAIM(fd >= 0);
    CLAIM(bind(fd, (struct sockaddr *)&address, n) == -1 && errno == EPERM);
    CLAIM(listen(fd, 1) == -1 && errno == EPERM);
}

static void
serve_as_worker(void)
{
    int asking;
    int taken;

    listen_here();
    CLAIM(sandbox_enter(SANDBOX_MASTER, false) == ERR_OK && sandbox_enter(SANDBOX_WORKER, false) == ERR_OK);
    asking = ask_here();
    taken = accept(listening, NULL, NULL);
    CLAIM(taken >= 0);
    talk(asking, taken);
    refuse_to_listen();
}

static void
ask_as_relay(void)
{
    listen_here();
    CLAIM(sandbox_enter(SANDBOX_MASTER, false) == ERR_OK && sandbox_enter(SANDBOX_RELAY, false) == ERR_OK);
    ask_here();
    CLAIM(accept(listening, NULL, NULL) == -1 && errno == EPERM);
    CLAIM(accept4(listening, NULL, NULL, SOCK_CLOEXEC) == -1 && errno == EPERM);
    refuse_to_listen();
}

static void
the_master_listens_workers_accept_and_the_relay_only_connects(void **state)
{
    (void)state;
    in_a_child(serve_as_master);
    in_a_child(serve_as_worker);
    in_a_child(ask_as_relay);
}

static void
try_files(void)
{
    char path[] = "/tmp/imd-unit-sandbox-XXXXXX";
    char other[sizeof(path) + 4];
    char text[4] = "";
    int fd = mkstemp(path);
    void *memory;

    snprintf(other, sizeof(other), "%s.b", path);
    CLAIM(fd >= 0 && write(fd, "abc", 3) == 3 && fsync(fd) == 0 && pread(fd, text, 3, 0) == 3);
    CLAIM(rename(path, other) == 0 && unlink(other) == 0 && close(fd) == 0);
    memory = malloc(64 * 1024 * 1024);
    CLAIM(memory != NULL);
    free(memory);
    CLAIM(kill(getpid(), 0) == 0);
}

static void
files_and_memory_work(void **state)
{
    (void)state;
    in_each_kind(try_files);
}

/* imd's own work: a database, its writers and readers. */
static void
use_a_store(void)
{
    void *state = NULL;
    struct place *place;
    int64_t group;

    CLAIM(support_open(&state) == 0);
    place = state;
    group = support_create(place, TYPE_GROUP, "ann bob");
    support_send(place, group, "ann", "hello");
    support_check(place);
    CLAIM(support_close(&state) == 0);
}

static void
a_store_works(void **state)
{
    (void)state;
    in_each_kind(use_a_store);
}

/* --- root */

static void
become_nobody(void)
{
    struct passwd *nobody = getpwnam("nobody");
    uid_t uid = nobody == NULL ? 0 : nobody->pw_uid;
    gid_t gid = nobody == NULL ? 0 : nobody->pw_gid;
    gid_t groups[64];
    int count;

    CLAIM(uid != 0 && sandbox_become("nobody") == ERR_OK);
    CLAIM(getuid() == uid && geteuid() == uid && getgid() == gid && getegid() == gid);
    count = getgroups(64, groups);
    CLAIM(count >= 0);
    for (int i = 0; i < count; i++)
        CLAIM(groups[i] != 0);
    CLAIM(setuid(0) == -1 && seteuid(0) == -1 && setgid(0) == -1);
    /* A process that is not root becomes no other user, and needs none in the settings. */
    CLAIM(sandbox_become("") == ERR_OK && sandbox_become("root") == ERR_OK);
    CLAIM(getuid() == uid);
}

static void
refuse_to_stay_root(void)
{
    /* Errors are logged, as expected. */
    CLAIM(freopen("/dev/null", "w", stderr) != NULL);
    CLAIM(sandbox_become("") == ERR_CONFIG && sandbox_become("no such user") == ERR_CONFIG);
    CLAIM(getuid() == 0 && getgid() == 0);
}

static void
root_becomes_the_named_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_a_child(become_nobody);
    in_a_child(refuse_to_stay_root);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_program_is_run),
        cmocka_unit_test(no_socket_but_a_unix_one_is_opened),
        cmocka_unit_test(a_process_with_a_database_elsewhere_opens_sockets_of_ip_too),
        cmocka_unit_test(no_process_is_inspected_and_no_setting_changed),
        cmocka_unit_test(it_gains_no_rights_and_leaves_no_core),
        cmocka_unit_test(there_is_no_way_out),
        cmocka_unit_test(threads_work_and_are_inside_too),
        cmocka_unit_test(the_master_makes_children_that_are_inside_too),
        cmocka_unit_test(no_namespace_is_made),
#ifndef SANITIZED
        cmocka_unit_test(workers_and_relay_make_no_process_and_signal_none),
        cmocka_unit_test(abort_still_ends_a_worker),
#endif
        cmocka_unit_test(the_master_listens_workers_accept_and_the_relay_only_connects),
        cmocka_unit_test(files_and_memory_work),
        cmocka_unit_test(a_store_works),
        cmocka_unit_test(root_becomes_the_named_user),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
