/*
 * nchan.c - fuzzes the publisher's connection: whatever nchan answers, in whatever pieces, the
 * tickets come back in order, none twice, and none that was not given. After a malformed answer it
 * can connect anew.
 *
 * The first byte of the input is the number of publishes in flight, the second the length of the
 * pieces.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "push/nchan.h"
#include "fuzz.h"

/* As much as a socket buffers, so that one thread can be both of its ends. */
#define BYTES_MAX 65536

static char path[64];

static void
remove_socket(void)
{
    unlink(path);
}

static int
listening(void)
{
    static int fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (fd >= 0)
        return fd;
    log_set_level(LOG_ERROR + 1); /* discarded: most answers are refusals, which are logged */
    must(atexit(remove_socket) == 0);
    snprintf(path, sizeof(path), "/tmp/imd-fuzz-nchan-%ld", (long)getpid());
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    must(fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0);
    return fd;
}

static void
answered(void *arg, int64_t ticket)
{
    int64_t *last = arg;

    must(ticket == *last + 1);
    *last = ticket;
}

static void
publish(struct nchan *n, int64_t count)
{
    for (int64_t i = 1; i <= count; i++) {
        must(nchan_publish(n, str_c("ann,bob"), str_c("{}")) == ERR_OK);
        nchan_set_ticket(n, i);
    }
    must(nchan_write(n) == ERR_OK && !nchan_wants_write(n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int listen_fd = listening();
    struct nchan *n;
    int64_t count;
    int64_t last = 0;
    enum err err = ERR_OK;
    int peer;

    if (size < 2 || size > BYTES_MAX)
        return 0;
    count = data[0] % 20;
    must(nchan_new(&n, path) == ERR_OK && nchan_connect(n) == ERR_OK);
    peer = accept(listen_fd, NULL, NULL);
    must(peer >= 0);
    publish(n, count);
    for (size_t at = 2, piece = 1 + data[1]; at < size && err == ERR_OK; at += piece) {
        size_t step = piece < size - at ? piece : size - at;

        must(write(peer, data + at, step) == (ssize_t)step);
        err = nchan_read(n, answered, &last);
    }
    must(err == ERR_OK || err == ERR_IO || err == ERR_REFUSED);
    must(last <= count && (err != ERR_OK || nchan_in_flight(n) == (last < count)));
    nchan_free(n);
    close(peer);
    return 0;
}
