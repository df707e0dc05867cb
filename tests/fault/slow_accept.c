/*
 * slow_accept.c - for LD_PRELOAD: widens the moment between accepting a control connection and
 * recording it from microseconds to DELAY_MS, so that a drain can begin in between. Only in threads
 * that serve requests, because the main thread is the one that drains.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef DELAY_MS
#define DELAY_MS 100
#endif

static int
is_control(int listen_fd)
{
    struct sockaddr_un address = {0};
    socklen_t n = sizeof(address);

    return getsockname(listen_fd, (struct sockaddr *)&address, &n) == 0 &&
           strstr(address.sun_path, "control.sock") != NULL;
}

int
accept4(int listen_fd, struct sockaddr *restrict address, socklen_t *restrict n, int flags)
{
    static int (*real)(int, struct sockaddr *, socklen_t *, int);
    int fd;

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "accept4");
    fd = real(listen_fd, address, n, flags);
    if (fd >= 0 && gettid() != getpid() && is_control(listen_fd))
        poll(NULL, 0, DELAY_MS);
    return fd;
}
