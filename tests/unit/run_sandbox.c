/*
 * Checks, in children of their own: whoever is in the sandbox runs no program, opens no socket but a unix
 * one, looks into nobody, changes nothing of the machine and leaves no core; files, threads, children and
 * sockets that were open stay as they were; there is no way out of it, for its children neither. And nobody
 * stays root without having been named.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <pwd.h>
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

/* The child says by its status which claim did not hold; no assertion of cmocka's in it. */
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

static void
in_a_child(void (*body)(void), bool sandboxed)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (sandboxed)
            CLAIM(sandbox_enter() == ERR_OK);
        body();
        _exit(0);
    }
    assert_int_equal(status_of(pid), 0);
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
    /* Nor one that is not there, nor nonsense: it is not looked at. */
    CLAIM(execve("/nowhere", argv, argv) == -1 && errno == EPERM);
    CLAIM(denied(SYS_execve, 0, 0, 0, 0, 0));
}

static void
no_program_is_run(void **state)
{
    (void)state;
    in_a_child(try_programs, true);
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
    /* Looked at whole: the kernel itself takes half of it. */
    errno = 0;
    CLAIM(syscall(SYS_socket, AF_UNIX | 1L << 32, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
}

static void
no_socket_but_a_unix_one_is_opened(void **state)
{
    (void)state;
    in_a_child(try_sockets, true);
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

    /* Arguments that no kernel would take, so that the refusal is the sandbox's and nothing happens else. */
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
nobody_is_looked_into_and_nothing_changed(void **state)
{
    (void)state;
    in_a_child(try_the_rest, true);
}

/* --- what it is like inside */

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
    in_a_child(look_at_status, true);
}

static void
try_to_leave(void)
{
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow};

    CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1);
    CLAIM(prctl(PR_SET_SECCOMP, 0, 0, 0, 0) == -1);
    /* Another filter may be put beside it, but the stricter answer holds. */
    prctl(PR_SET_SECCOMP, 2, &program, 0, 0);
    try_programs();
    try_sockets();
}

static void
there_is_no_way_out(void **state)
{
    (void)state;
    in_a_child(try_to_leave, true);
}

static void *
try_in_a_thread(void *arg)
{
    try_programs();
    try_sockets();
    return arg;
}

static void
try_with_others(void)
{
    pthread_t thread;
    void *result = NULL;
    pid_t pid;

    CLAIM(pthread_create(&thread, NULL, try_in_a_thread, result) == 0);
    CLAIM(pthread_join(thread, &result) == 0 && result == NULL);
    pid = fork();
    CLAIM(pid >= 0);
    if (pid == 0) {
        try_programs();
        try_sockets();
        look_at_status();
        _exit(7);
    }
    CLAIM(status_of(pid) == 7 << 8);
}

static void
threads_and_children_live_and_are_inside_too(void **state)
{
    (void)state;
    in_a_child(try_with_others, true);
}

/* A word through a socket: there, and back. */
static void
talk(int a, int b)
{
    char word[8] = "";

    CLAIM(write(a, "there", 6) == 6 && read(b, word, sizeof(word)) == 6 && strcmp(word, "there") == 0);
    CLAIM(write(b, "back", 5) == 5 && read(a, word, sizeof(word)) == 5 && strcmp(word, "back") == 0);
}

static void
try_unix_sockets(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 24);
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int asking = socket(AF_UNIX, SOCK_STREAM, 0);
    int taken;
    int pair[2];

    /* In the abstract, so that no file is left. */
    snprintf(address.sun_path + 1, 23, "imd-unit-%d", (int)getpid());
    CLAIM(listening >= 0 && asking >= 0);
    CLAIM(bind(listening, (struct sockaddr *)&address, n) == 0 && listen(listening, 1) == 0);
    CLAIM(connect(asking, (struct sockaddr *)&address, n) == 0);
    taken = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    CLAIM(taken >= 0);
    talk(asking, taken);
    CLAIM(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    talk(pair[0], pair[1]);
}

static void
unix_sockets_work(void **state)
{
    (void)state;
    in_a_child(try_unix_sockets, true);
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
    in_a_child(try_files, true);
}

/* What imd itself does there: a database, its writers and readers. */
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
    in_a_child(use_a_store, true);
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
    /* Whoever is not root becomes nobody else, and needs nobody named. */
    CLAIM(sandbox_become("") == ERR_OK && sandbox_become("root") == ERR_OK);
    CLAIM(getuid() == uid);
}

static void
refuse_to_stay_root(void)
{
    /* What is logged is expected. */
    CLAIM(freopen("/dev/null", "w", stderr) != NULL);
    CLAIM(sandbox_become("") == ERR_CONFIG && sandbox_become("no such user") == ERR_CONFIG);
    CLAIM(getuid() == 0 && getgid() == 0);
}

static void
root_becomes_who_is_named(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_a_child(become_nobody, false);
    in_a_child(refuse_to_stay_root, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_program_is_run),
        cmocka_unit_test(no_socket_but_a_unix_one_is_opened),
        cmocka_unit_test(nobody_is_looked_into_and_nothing_changed),
        cmocka_unit_test(it_gains_no_rights_and_leaves_no_core),
        cmocka_unit_test(there_is_no_way_out),
        cmocka_unit_test(threads_and_children_live_and_are_inside_too),
        cmocka_unit_test(unix_sockets_work),
        cmocka_unit_test(files_and_memory_work),
        cmocka_unit_test(a_store_works),
        cmocka_unit_test(root_becomes_who_is_named),
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
