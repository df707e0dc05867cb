/*
 * wrong_clock.c - for LD_PRELOAD: the wall clock is WRONG_CLOCK_AHEAD_S seconds ahead (an
 * environment variable). Other clocks are right.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int
clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *ahead = getenv("WRONG_CLOCK_AHEAD_S");
    int rc;

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    rc = real(id, t);
    if (id == CLOCK_REALTIME && ahead != NULL)
        t->tv_sec += atol(ahead);
    return rc;
}
