/*
 * listener.h - the listening sockets: one for nginx, and the control socket for administration.
 *
 * Both speak FastCGI. The kernel tells which user connected to the control socket. Only root and
 * imd's own user are admitted, whatever the mode of the file.
 */
#ifndef IMD_HTTP_LISTENER_H
#define IMD_HTTP_LISTENER_H

#include "base/err.h"

enum listener_kind { LISTENER_WEB, LISTENER_CONTROL };
#define LISTENER_KINDS 2

/* The sockets that the master opens. Each worker accepts on both. */
struct listeners {
    int web_fd;
    int control_fd;
};

/*
 * The most connections of the control socket that one worker has open. Further ones wait in the
 * backlog.
 */
#define LISTENER_CONTROL_OPEN_MAX 16
/*
 * The timeout of one read or write of an accepted connection. nginx sends and receives promptly; a
 * slower peer must free the thread.
 */
#define LISTENER_IO_TIMEOUT_S 5

/*
 * Listens on `path` with these permission bits, replacing a stale socket. ERR_IO, logged: also if
 * another process listens there.
 */
enum err listener_open(const char *path, int mode, int *fd);
/*
 * Accepts a connection; the caller closes it. Returns -1 if there is none, or with errno if
 * accepting failed. A peer that may not use the control socket is logged and counts as none
 * (EAGAIN).
 */
int listener_accept(int fd, enum listener_kind kind);

#endif
