/*
 * guard.c - fuzzes the validation of FastCGI requests: nothing outside the bytes is read, a
 * complete request is complete in no other length, and the verdict is the same however the bytes
 * are split. libfcgi reads a complete request to its end, leaves nothing over, and does not exit.
 */
#include <fcgiapp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/guard.h"
#include "fuzz.h"

/* As much as a socket buffers, so that one thread can be both of its ends. */
#define BYTES_MAX 65536

/*
 * Feeds one piece, from a copy of exactly so many bytes, so that a sanitizer detects a read beyond
 * them.
 */
static enum guard_verdict
feed(struct guard *guard, const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc(size + (size == 0));
    enum guard_verdict seen;

    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    seen = guard_feed(guard, copy, size);
    free(copy);
    return seen;
}

static enum guard_verdict
judge(const uint8_t *data, size_t size)
{
    struct guard guard;

    guard_init(&guard);
    return feed(&guard, data, size);
}

/* In pieces of 1, 2, 3 … bytes, so that every kind of field is cut somewhere. */
static enum guard_verdict
judge_in_pieces(const uint8_t *data, size_t size)
{
    struct guard guard;
    size_t piece = 1;

    guard_init(&guard);
    for (size_t n = 0; n < size; n += piece++)
        if (feed(&guard, data + n, piece < size - n ? piece : size - n) == GUARD_BROKEN)
            return GUARD_BROKEN;
    return guard_feed(&guard, data, 0);
}

static void
read_to_its_end(FCGX_Request *request)
{
    char text[512];

    while (FCGX_GetStr(text, sizeof(text), request->in) > 0)
        ;
    must(FCGX_GetError(request->in) == 0);
    must(recv(request->ipcFd, text, sizeof(text), 0) == 0);
    FCGX_FClose(request->err);
    FCGX_FClose(request->out);
    FCGX_Free(request, 0);
    close(request->ipcFd);
}

/*
 * Reads it as http/server.c does. A request that the guard should have refused would end this
 * process.
 */
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
    must(FCGX_Accept_r(&request) == 0);
    read_to_its_end(&request);
    request.ipcFd = -1;
    close(ends[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum guard_verdict seen = judge(data, size);

    must(judge_in_pieces(data, size) == seen);
    if (size > BYTES_MAX || seen != GUARD_WHOLE)
        return 0;
    for (size_t n = 0; n < size; n += 1 + n / 64)
        must(judge(data, n) != GUARD_WHOLE);
    feed_libfcgi(data, size);
    return 0;
}
