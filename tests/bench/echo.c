/*
 * echo.c - the limit: a FastCGI server that does nothing, as fast as libfcgi allows.
 *
 * Usage: echo SOCKET [PROCESSES [THREADS]]      (default: 2 processes of 32 threads)
 *
 * Its pool has the shape of imd's: PROCESSES children, each with THREADS threads that block in
 * FCGX_Accept_r on one unix socket. A request's body is read to its end and discarded. The answer
 * is a Content-Type, a Content-Length and as many bytes as the query says (`n=6000`; none without
 * it). The cost of a request to imd above this is imd's own.
 *
 * SIGTERM or SIGINT ends it with 0 and removes the socket. A child that dies is not replaced: the
 * measurement is spoilt, so everything ends with 1.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PROCESSES_MAX = 64,
    THREADS_MAX = 1024,
    BACKLOG = 1024,
    ANSWER_BYTES_MAX = 1 << 20,
    CHUNK_BYTES = 16384,
};

static char filler[CHUNK_BYTES]; /* the bytes of every answer; set before the first thread starts */

/*
 * Returns the number after `n=` at the start of the query, at most ANSWER_BYTES_MAX; 0 if there is
 * none.
 */
static int
answer_bytes(const char *query)
{
    long n = query != NULL && strncmp(query, "n=", 2) == 0 ? strtol(query + 2, NULL, 10) : 0;

    if (n < 0)
        return 0;
    return n > ANSWER_BYTES_MAX ? ANSWER_BYTES_MAX : (int)n;
}

static void
answer(FCGX_Request *request)
{
    char body[CHUNK_BYTES];
    int left = answer_bytes(FCGX_GetParam("QUERY_STRING", request->envp));

    while (FCGX_GetStr(body, sizeof(body), request->in) > 0)
        continue;
    FCGX_FPrintF(request->out, "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", left);
    while (left > 0) {
        int part = left < CHUNK_BYTES ? left : CHUNK_BYTES;

        if (FCGX_PutStr(filler, part, request->out) != part)
            break; /* nginx hung up; FCGX_Finish_r closes our side */
        left -= part;
    }
}

/*
 * One thread of the pool. `arg` points to the listening descriptor, which outlives it. Returns only
 * on failure.
 */
static void *
serve(void *arg)
{
    FCGX_Request request;

    if (FCGX_InitRequest(&request, *(const int *)arg, 0) != 0)
        return NULL;
    while (FCGX_Accept_r(&request) == 0) {
        answer(&request);
        FCGX_Finish_r(&request);
    }
    return NULL;
}

/* A child: `threads` threads, this one among them. Never returns; dies with `parent`. */
static _Noreturn void
child_run(pid_t parent, int listen_fd, int threads)
{
    sigset_t none;
    pthread_t thread;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1); /* the parent died before PR_SET_PDEATHSIG was set */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 1; i < threads; i++)
        if (pthread_create(&thread, NULL, serve, &listen_fd) != 0)
            _exit(1);
    serve(&listen_fd);
    _exit(1);
}

/* Forks `processes` children. Returns how many it got. */
static int
children_start(pid_t *children, int processes, int listen_fd, int threads)
{
    pid_t parent = getpid();

    for (int i = 0; i < processes; i++) {
        children[i] = fork();
        if (children[i] < 0)
            return i;
        if (children[i] == 0)
            child_run(parent, listen_fd, threads);
    }
    return processes;
}

/* Returns a whole number between 1 and `max`; exits with a message if it is none. */
static int
number(const char *text, int max)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*end != '\0' || n < 1 || n > max) {
        fprintf(stderr, "echo: %s: not a number between 1 and %d\n", text, max);
        exit(2);
    }
    return (int)n;
}

int
main(int argc, char **argv)
{
    pid_t children[PROCESSES_MAX];
    sigset_t watched;
    int processes, threads, listen_fd, started, got = 0;

    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: echo SOCKET [PROCESSES [THREADS]]\n");
        return 2;
    }
    processes = argc > 2 ? number(argv[2], PROCESSES_MAX) : 2;
    threads = argc > 3 ? number(argv[3], THREADS_MAX) : 32;
    memset(filler, 'x', sizeof(filler));
    sigemptyset(&watched);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, NULL); /* before the fork, so that none is lost to a default action */
    if (FCGX_Init() != 0 || (listen_fd = FCGX_OpenSocket(argv[1], BACKLOG)) < 0) {
        fprintf(stderr, "echo: cannot listen on %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    started = children_start(children, processes, listen_fd, threads);
    if (started == processes)
        sigwait(&watched, &got);
    for (int i = 0; i < started; i++)
        kill(children[i], SIGTERM);
    while (wait(NULL) > 0)
        continue;
    unlink(argv[1]);
    return got == SIGTERM || got == SIGINT ? 0 : 1;
}
