/* listener.c - see listener.h. Must not know the protocol of a connection. */
#include "http/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/log.h"

#define BACKLOG 1024

static enum err
listen_failed(const char *what, const char *path)
{
    log_event(LOG_ERROR, "listen_failed", "action=%s socket=%s reason=\"%s\"", what, path, strerror(errno));
    return ERR_IO;
}

/* Removes a stale socket file. Refuses if a process listens on it, or if it is not a socket. */
static enum err
remove_stale(int fd, const struct sockaddr_un *address)
{
    struct stat status;

    if (lstat(address->sun_path, &status) != 0)
        return ERR_OK;
    if (!S_ISSOCK(status.st_mode)) {
        errno = ENOTSOCK;
        return listen_failed("replace", address->sun_path);
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
        errno = EADDRINUSE;
        return listen_failed("another_imd_listens_here", address->sun_path);
    }
    if (errno == ECONNREFUSED && unlink(address->sun_path) != 0)
        return listen_failed("unlink", address->sun_path);
    return ERR_OK;
}

enum err
listener_open(const char *path, int mode, int *listen_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    enum err err;
    mode_t mask;
    int fd;
    int rc;

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return listen_failed("socket", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_failed("socket", path);
    err = remove_stale(fd, &address);
    if (err != ERR_OK)
        goto fail;
    /* umask, not chmod: the mode must hold from the first moment. */
    mask = umask((mode_t)(~mode & 0777));
    rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (rc != 0 || listen(fd, BACKLOG) != 0) {
        err = listen_failed("bind", path);
        goto fail;
    }
    *listen_fd = fd;
    return ERR_OK;
fail:
    close(fd);
    return err;
}

/*
 * True if the peer was root or imd's own user when it connected. Both could read the database file,
 * or stop imd and change it, so the control socket gives them no new right.
 */
static bool
may_control(int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t n = sizeof(peer);
    bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0;

    if (known && (peer.uid == 0 || peer.uid == geteuid()))
        return true;
    log_event(LOG_WARNING, "control_refused", "uid=%lld peer=%d", (long long)(known ? peer.uid : (uid_t)-1),
              (int)peer.pid);
    return false;
}

int
listener_accept(int listen_fd, enum listener_kind kind)
{
    struct timeval timeout = {.tv_sec = LISTENER_IO_TIMEOUT_S};
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return -1;
    if (kind == LISTENER_CONTROL && !may_control(fd)) {
        close(fd);
        errno = EAGAIN;
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    return fd;
}
