/*
 * tried_calls.c - for LD_PRELOAD: each process of imd, once it waits for work, tries calls that it
 * must not make. It appends a line to the file that TRIED_CALLS names: "imd-worker execve=EPERM
 * socket=EAFNOSUPPORT ...".
 *
 * Master, worker and relay each wait by a different function, which they call after entering their
 * sandbox.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char line[512];

static void
note(const char *call, int rc)
{
    size_t n = strlen(line);

    snprintf(line + n, sizeof(line) - n, " %s=%s", call, rc >= 0 ? "done" : strerrorname_np(errno));
}

static int
make_process(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return pid;
}

static void
try_calls(void)
{
    static pid_t tried_by;
    char *argv[] = {NULL};
    int fd;

    if (tried_by == getpid() || getenv("TRIED_CALLS") == NULL)
        return;
    tried_by = getpid();
    memset(line, 0, sizeof(line));
    prctl(PR_GET_NAME, line, 0, 0, 0);
    note("execve", execve("/nowhere", argv, argv));
    note("inet", socket(AF_INET, SOCK_STREAM, 0));
    note("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    note("unix", fd = socket(AF_UNIX, SOCK_STREAM, 0));
    note("listen", listen(fd, 1));
    note("accept", accept(fd, NULL, NULL));
    close(fd);
    note("fork", make_process());
    note("kill", kill(getppid(), 0));
    strcat(line, "\n");
    fd = open(getenv("TRIED_CALLS"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (write(fd, line, strlen(line)) < 0)
        abort();
    close(fd);
}

/* The master. */
int
sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    static int (*real)(const sigset_t *, siginfo_t *, const struct timespec *);

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "sigtimedwait");
    try_calls();
    return real(set, info, timeout);
}

/* A worker. */
int
sigwait(const sigset_t *set, int *found)
{
    static int (*real)(const sigset_t *, int *);

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "sigwait");
    try_calls();
    return real(set, found);
}

/* The relay. */
int
signalfd(int fd, const sigset_t *mask, int flags)
{
    static int (*real)(int, const sigset_t *, int);

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "signalfd");
    try_calls();
    return real(fd, mask, flags);
}
