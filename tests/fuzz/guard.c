/*
 * guard.c - fuzzes the look at FastCGI requests: nothing outside the bytes is read, what is whole is whole in
 * no other length, and libfcgi reads what is whole to its end and lives.
 */
#include <fcgiapp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/guard.h"
#include "fuzz.h"

/* What a socket takes at once, so that one thread can be both of its ends. */
#define BYTES_MAX 65536

/* From a copy of exactly so many bytes: a step beyond them is seen. */
static enum guard
look(const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc(size + (size == 0));
    enum guard seen;

    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    seen = guard_look(copy, size);
    free(copy);
    return seen;
}

static void
read_to_its_end(FCGX_Request *request)
{
    char text[512];

    while (FCGX_GetStr(text, sizeof(text), request->in) > 0)
        ;
    FCGX_Finish_r(request);
    if (request->ipcFd >= 0)
        close(request->ipcFd);
}

/* As http/server.c does it. libfcgi may refuse; what the guard is for would end this process. */
static void
feed_libfcgi(const uint8_t *data, size_t size)
{
    static FCGX_Request request;
    static bool ready;
    int ends[2];

    must(ready || (FCGX_Init() == 0 && FCGX_InitRequest(&request, -1, 0) == 0));
    ready = true;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    must(write(ends[0], data, size) == (ssize_t)size && shutdown(ends[0], SHUT_WR) == 0);
    request.ipcFd = ends[1];
    request.keepConnection = 1;
    if (FCGX_Accept_r(&request) == 0)
        read_to_its_end(&request);
    request.ipcFd = -1;
    close(ends[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > BYTES_MAX || look(data, size) != GUARD_WHOLE)
        return 0;
    for (size_t n = 0; n < size; n += 1 + n / 64)
        must(look(data, n) != GUARD_WHOLE);
    feed_libfcgi(data, size);
    return 0;
}
