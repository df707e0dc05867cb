/*
 * server.c - see server.h. The only file that knows libfcgi. Must not know what is asked or answered.
 *
 * libfcgi accepts for itself unless the request has a connection already; we accept, give it the connection
 * that is readable, and take it back after the answer, so that between requests it waits in the epoll set
 * and not in a thread. libfcgi trusts what it reads, so each request is judged whole before (guard.h): where
 * it lies on the connection, or, if it has not arrived yet, in a file that we fill for it. The listening
 * socket that libfcgi knows is -1: it can never accept behind our back.
 */
#include "http/server.h"

#include <ctype.h>
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "run/slots.h"
#include "http/guard.h"

#define BACKLOG 1024
/* nginx sends a request at once and takes an answer at once; whoever does not gives the thread back. */
#define IO_TIMEOUT_S 5
/* … and whoever sends it in driblets does too. */
#define REQUEST_TIMEOUT_MS 10000
/* What nginx has in hand and is writing is here by then, also where there are many large ones at once. */
#define PROMPT_MS 200
/* nginx writes the parameters at once: they fit, however large its header buffers, as does a usual body. */
#define LOOK_BYTES           65536
#define REQUEST_ID_BYTES_MAX 64
/* The largest body that nginx lets through (512 kB) with its parameters and all records around it. */
#define REQUEST_BYTES_MAX (1024 * 1024)

struct server {
    int listen_fd;
    int epoll_fd;
    int stop_fd;           /* eventfd in the epoll set: readable once the server has stopped */
    _Atomic int open;      /* connections, and threads that are about to accept one */
    _Atomic bool draining; /* no new connections */
    _Atomic bool full;     /* out of descriptors: the listening socket is out of the set for now */
    struct slots slots;    /* of the threads that work at once */
    int slow_max;          /* threads that may wait for bodies still on their way … */
    _Atomic int slow;      /* … and that do */
};

struct exchange {
    FCGX_Request fcgi;
    struct buf head; /* of the answer: status and headers */
    int connection;
    bool slow; /* has waited for a body that was not prompt */
    int spool; /* a file in memory which libfcgi reads in the connection's place; -1: none */
    unsigned char look[LOOK_BYTES];
};

static enum err
listen_failed(const char *what, const char *path)
{
    log_event(LOG_ERROR, "listen_failed", "action=%s socket=%s reason=\"%s\"", what, path, strerror(errno));
    return ERR_IO;
}

/*
 * A socket file that nobody listens at any more stands in the way; a living one must not be stolen, and
 * what is no socket is not ours to remove.
 */
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
server_listen(const char *path, int mode, int *listen_fd)
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
    /* The mode must hold from the first moment on. */
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

/* Puts a descriptor into the epoll set; its own number is the event's data. */
static int
watch(struct server *s, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(s->epoll_fd, operation, fd, &event);
}

enum err
server_open(struct server **out, int listen_fd, int threads, int busy)
{
    struct server *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_MEMORY;
    if (FCGX_Init() != 0)
        goto fail_alloc;
    s->listen_fd = listen_fd;
    s->slow_max = (threads + 1) / 2;
    /* Whoever handed it over may have left it blocking; another worker may take what woke us. */
    if (fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK) != 0)
        goto fail_alloc;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll_fd < 0)
        goto fail_alloc;
    s->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->stop_fd < 0)
        goto fail_epoll;
    /* Exclusive: a new connection wakes one worker, not all. */
    if (watch(s, EPOLL_CTL_ADD, listen_fd, EPOLLIN | EPOLLEXCLUSIVE) != 0 ||
        watch(s, EPOLL_CTL_ADD, s->stop_fd, EPOLLIN) != 0)
        goto fail_stop;
    slots_init(&s->slots, (unsigned)busy);
    *out = s;
    return ERR_OK;
fail_stop:
    close(s->stop_fd);
fail_epoll:
    close(s->epoll_fd);
fail_alloc:
    free(s);
    return ERR_IO;
}

void
server_close(struct server *s)
{
    slots_clear(&s->slots);
    close(s->stop_fd);
    close(s->epoll_fd);
    free(s);
}

static void
end_waiting(struct server *s)
{
    uint64_t one = 1;

    if (write(s->stop_fd, &one, sizeof(one)) < 0)
        log_event(LOG_ERROR, "stop_failed", "reason=\"%s\"", strerror(errno));
}

static void
accept_no_more(struct server *s)
{
    atomic_store(&s->draining, true);
    epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->listen_fd, NULL);
}

void
server_stop(struct server *s)
{
    accept_no_more(s);
    end_waiting(s);
}

/* Who takes the last connection away while draining ends it all; and a descriptor is free again. */
static void
one_less(struct server *s)
{
    if (atomic_fetch_sub(&s->open, 1) == 1 && atomic_load(&s->draining))
        end_waiting(s);
    if (atomic_exchange(&s->full, false) && !atomic_load(&s->draining))
        watch(s, EPOLL_CTL_ADD, s->listen_fd, EPOLLIN | EPOLLEXCLUSIVE);
}

static void
drop_connection(struct server *s, int fd)
{
    close(fd); /* which takes it out of the epoll set */
    one_less(s);
}

enum err
exchange_new(struct exchange **out)
{
    struct exchange *e = calloc(1, sizeof(*e));

    if (e == NULL)
        return ERR_MEMORY;
    if (FCGX_InitRequest(&e->fcgi, -1, 0) != 0) {
        free(e);
        return ERR_IO;
    }
    e->spool = -1;
    *out = e;
    return ERR_OK;
}

void
exchange_free(struct exchange *e)
{
    buf_clear(&e->head);
    free(e);
}

/*
 * Why there is no connection: another worker was faster, or descriptors have run out. Then the listening
 * socket would wake us for ever; it comes back when a connection ends.
 */
static void
accept_failed(struct server *s, int error)
{
    bool out_of_descriptors = error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;

    if (error == EAGAIN || error == EINTR || error == ECONNABORTED) {
        one_less(s);
        return;
    }
    log_event(LOG_ERROR, "accept_failed", "reason=\"%s\"", strerror(error));
    if (out_of_descriptors && atomic_load(&s->open) > 1) {
        epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->listen_fd, NULL);
        atomic_fetch_sub(&s->open, 1);
        atomic_store(&s->full, true);
    } else {
        one_less(s);
    }
}

/* Takes one connection. False: there was none. */
static bool
accept_one(struct server *s)
{
    struct timeval timeout = {.tv_sec = IO_TIMEOUT_S};
    int fd;

    atomic_fetch_add(&s->open, 1);
    fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        accept_failed(s, errno);
        return false;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (watch(s, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT) != 0)
        drop_connection(s, fd);
    return true;
}

/*
 * A new connection wakes one worker alone. If that was this one, nobody else knows of it: so what has come
 * until now is taken, and served like the others.
 */
void
server_drain(struct server *s)
{
    /* Counted as one more, so that a drain without connections ends as well. */
    atomic_fetch_add(&s->open, 1);
    accept_no_more(s);
    while (accept_one(s))
        ;
    one_less(s);
}

/* The next connection with something to read; -1: stopped, and nothing is readable any more. */
static int
wait_readable(struct server *s)
{
    bool stopping = false;

    for (;;) {
        struct epoll_event event;
        int n = epoll_wait(s->epoll_fd, &event, 1, -1);

        if (n < 1)
            continue;
        if (event.data.fd == s->listen_fd) {
            accept_one(s);
        } else if (event.data.fd != s->stop_fd) {
            return event.data.fd;
        } else if (stopping) {
            return -1;
        }
        /* The set hands out what is ready in turn: only if the stop comes twice in a row it is all there is.
         */
        stopping = event.data.fd == s->stop_fd;
    }
}

/*
 * Waits for more of a request that began at `began_ms`. A request that is not prompt keeps this thread
 * waiting: only so many may, and the others lose their connection rather than starve those that are whole.
 * NULL, or why there is no more.
 */
static const char *
wait_for_more(struct server *s, struct exchange *e, int64_t began_ms)
{
    struct pollfd more = {.fd = e->connection, .events = POLLIN};
    int64_t age_ms = clock_mono_ms() - began_ms;

    if (age_ms < PROMPT_MS && poll(&more, 1, (int)(PROMPT_MS - age_ms)) > 0)
        return NULL;
    if (!e->slow && atomic_fetch_add(&s->slow, 1) >= s->slow_max) {
        atomic_fetch_sub(&s->slow, 1);
        return "too_many_slow_bodies";
    }
    e->slow = true;
    if (age_ms < REQUEST_TIMEOUT_MS && poll(&more, 1, IO_TIMEOUT_S * 1000) > 0)
        return NULL;
    return "slow_body";
}

/* Takes the request off the connection into the spool. NULL, or why it will not do. */
static const char *
fill_spool(struct server *s, struct exchange *e)
{
    int64_t began_ms = clock_mono_ms();
    enum guard_verdict seen = GUARD_CUT;
    struct guard guard;
    size_t total = 0;

    guard_init(&guard);
    while (seen != GUARD_WHOLE) {
        ssize_t n = recv(e->connection, e->look, LOOK_BYTES, MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN) {
            const char *fault = wait_for_more(s, e, began_ms);

            if (fault != NULL)
                return fault;
            continue;
        }
        if (n <= 0)
            return "cut_body";
        seen = guard_feed(&guard, e->look, (size_t)n);
        if (seen == GUARD_BROKEN)
            return "not_a_request";
        total += (size_t)n;
        if (total > REQUEST_BYTES_MAX)
            return "too_long";
        if (write(e->spool, e->look, (size_t)n) != n)
            return "no_memory";
    }
    return lseek(e->spool, 0, SEEK_SET) == 0 ? NULL : "no_memory";
}

static void
close_spool(struct exchange *e)
{
    if (e->spool >= 0)
        close(e->spool);
    e->spool = -1;
}

/* A request whose body is still on its way is taken off the connection before libfcgi reads it. */
static const char *
spool(struct server *s, struct exchange *e)
{
    const char *fault = "no_memory";

    slots_release();
    e->slow = false;
    e->spool = memfd_create("imd-request", MFD_CLOEXEC);
    if (e->spool >= 0)
        fault = fill_spool(s, e);
    if (fault != NULL)
        close_spool(e);
    if (e->slow)
        atomic_fetch_sub(&s->slow, 1);
    return fault;
}

/* Is the request fit for libfcgi, every byte of it? What has arrived whole stays on the connection. */
static bool
judge(struct server *s, struct exchange *e)
{
    ssize_t n = recv(e->connection, e->look, LOOK_BYTES, MSG_PEEK | MSG_DONTWAIT);
    const char *fault = "not_a_request";
    enum guard_verdict seen;
    struct guard guard;

    if (n <= 0)
        return false; /* nginx closed it: the usual end */
    guard_init(&guard);
    seen = guard_feed(&guard, e->look, (size_t)n);
    if (seen == GUARD_WHOLE)
        return true;
    if (seen == GUARD_BEGUN)
        fault = spool(s, e);
    if (fault != NULL)
        log_event(LOG_WARNING, "connection_dropped", "reason=%s", fault);
    return fault == NULL;
}

/* Reads a request's beginning. False: there is none, and the connection is closed. */
static bool
begin(struct server *s, struct exchange *e, int fd)
{
    e->connection = fd;
    if (!judge(s, e)) {
        drop_connection(s, fd);
        return false;
    }
    e->fcgi.ipcFd = e->spool >= 0 ? e->spool : fd;
    /* Else libfcgi, which ends the request before this one first, would close the connection with it. */
    e->fcgi.keepConnection = 1;
    if (FCGX_Accept_r(&e->fcgi) == 0)
        return true;
    /* libfcgi has closed what it read from. */
    e->fcgi.ipcFd = -1;
    if (e->spool < 0) {
        one_less(s);
    } else {
        e->spool = -1;
        drop_connection(s, fd);
    }
    return false;
}

static struct str
param(const struct exchange *e, const char *name)
{
    return str_c(FCGX_GetParam(name, e->fcgi.envp));
}

/* nginx's is 32 digits. What is none could not be written into an answer or a log. */
static struct str
request_id(const struct exchange *e)
{
    struct str id = param(e, "REQUEST_ID");

    for (size_t i = 0; i < id.n; i++)
        if (!isalnum((unsigned char)id.p[i]))
            return str_c("");
    return id.n > 0 && id.n <= REQUEST_ID_BYTES_MAX ? id : str_c("");
}

bool
server_next(struct server *s, struct exchange *e, struct arena *arena, struct request *r)
{
    int fd;

    do {
        slots_acquire(&s->slots);
        fd = wait_readable(s);
        if (fd < 0) {
            slots_release();
            return false;
        }
    } while (!begin(s, e, fd));
    *r = (struct request){
        .method = param(e, "REQUEST_METHOD"),
        .path = param(e, "IMD_PATH"),
        .query = param(e, "QUERY_STRING"),
        .request_id = request_id(e),
        .accept = param(e, "HTTP_ACCEPT"),
        .upgrade = param(e, "HTTP_UPGRADE"),
        .websocket_version = param(e, "HTTP_SEC_WEBSOCKET_VERSION"),
        .websocket_key = param(e, "HTTP_SEC_WEBSOCKET_KEY"),
        .idempotency_key = param(e, "HTTP_IDEMPOTENCY_KEY"),
        .authorization = param(e, "HTTP_AUTHORIZATION"),
        .token_cookie = param(e, "IMD_COOKIE"),
        .remote_user = param(e, "REMOTE_USER"),
        .remote_address = param(e, "REMOTE_ADDR"),
        .server_address = param(e, "SERVER_ADDR"),
        .origin = param(e, "IMD_ORIGIN"),
        .limited = str_is(param(e, "IMD_LIMITS"), "on"),
        .arena = arena,
    };
    return true;
}

enum err
server_read_body(struct exchange *e, struct arena *arena, size_t max, struct request *r)
{
    struct str length_text = param(e, "CONTENT_LENGTH");
    int64_t length = 0;
    char *body;

    if (length_text.n > 0 && !str_to_int(length_text, &length))
        return ERR_BODY_TOO_LARGE;
    if ((uint64_t)length > max)
        return ERR_BODY_TOO_LARGE;
    body = arena_alloc(arena, (size_t)length + 1);
    if (body == NULL)
        return ERR_MEMORY;
    if (FCGX_GetStr(body, (int)length, e->fcgi.in) != (int)length)
        return ERR_BODY_TRUNCATED;
    r->body = (struct str){body, (size_t)length};
    return ERR_OK;
}

static const char *
reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 202:
        return "Accepted";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 413:
        return "Payload Too Large";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return "Error";
    }
}

static void
write_head(struct buf *head, const struct response *response)
{
    buf_printf(head, "Status: %d %s\r\n", response->status, reason(response->status));
    if (response->accel_redirect.p != NULL)
        buf_printf(head, "X-Accel-Redirect: %s\r\n", response->accel_redirect.p);
    if (response->allow != NULL)
        buf_printf(head, "Allow: %s\r\n", response->allow);
    if (response->challenge != NULL)
        buf_printf(head, "WWW-Authenticate: %s\r\n", response->challenge);
    if (response->accel_caller != NULL)
        buf_printf(head, "X-Imd-Caller: %s\r\n", response->accel_caller);
    if (response->replayed)
        buf_c(head, "Idempotent-Replayed: true\r\n");
    if (response->retry_after_s > 0)
        buf_printf(head, "Retry-After: %d\r\n", response->retry_after_s);
    buf_printf(head, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", response->content_type,
               response->body.n);
}

/* What is left of a request would be taken for the next one's beginning. */
static void
drop_rest(struct exchange *e)
{
    char rest[4096];

    while (FCGX_GetStr(rest, sizeof(rest), e->fcgi.in) > 0)
        ;
}

/*
 * Ends the request. Whether the connection may bear another. libfcgi does not close it: it would wait for the
 * other side to close first.
 */
static bool
finish(struct exchange *e)
{
    bool failed = FCGX_FClose(e->fcgi.err) != 0;

    failed = FCGX_FClose(e->fcgi.out) != 0 || failed;
    failed = FCGX_GetError(e->fcgi.in) != 0 || failed;
    FCGX_Free(&e->fcgi, 0);
    e->fcgi.ipcFd = -1;
    return e->fcgi.keepConnection && !failed;
}

void
server_answer(struct server *s, struct exchange *e, const struct request *r, const struct response *response)
{
    buf_reset(&e->head);
    write_head(&e->head, response);
    drop_rest(e);
    /* All of the request is read: from here on libfcgi writes. */
    e->fcgi.ipcFd = e->connection;
    close_spool(e);
    FCGX_PutStr(e->head.p, (int)e->head.n, e->fcgi.out);
    if (!str_is(r->method, "HEAD"))
        FCGX_PutStr(response->body.p, (int)response->body.n, e->fcgi.out);
    if (!finish(e) || watch(s, EPOLL_CTL_MOD, e->connection, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT) != 0)
        drop_connection(s, e->connection);
}
