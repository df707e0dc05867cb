/*
 * server.c - see server.h. Only this file knows libfcgi. Must not know what a request or an answer
 * means.
 *
 * libfcgi calls accept() itself, unless its request already has a connection. So we accept, give
 * libfcgi the connection that is readable, and take it back after the answer. Between requests the
 * connection waits in the epoll set, not in a thread. The listening socket that libfcgi knows is
 * -1, so that it can never accept by itself.
 *
 * libfcgi trusts its input, so guard.h validates each complete request first: on the connection, by
 * peeking, if all of it has arrived, else in a file in memory that libfcgi then reads in the
 * connection's place.
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
/*
 * The timeout of one read or write. nginx sends and receives promptly; a slower peer must free the
 * thread.
 */
#define IO_TIMEOUT_S 5
/* The time to receive a whole request, so that one sent byte by byte does not hold the thread. */
#define REQUEST_TIMEOUT_MS 10000
/*
 * What nginx is already sending arrives within this time, even if there are many large bodies at
 * once.
 */
#define PROMPT_MS 200
/*
 * The most that is peeked at. nginx sends the parameters at once, and they fit, as does a usual
 * body.
 */
#define LOOK_BYTES           65536
#define REQUEST_ID_BYTES_MAX 64
/* The largest body that nginx lets through (512 kB), with its parameters and record headers. */
#define REQUEST_BYTES_MAX (1024 * 1024)

struct server {
    int listen_fd;
    int epoll_fd;
    int stop_fd;           /* eventfd in the epoll set: readable once the server stops */
    _Atomic int open;      /* open connections, plus threads that are accepting one */
    _Atomic bool draining; /* no new connections */
    _Atomic bool full;     /* out of descriptors: the listening socket is not in the epoll set */
    struct slots slots;    /* limit the threads that compute at once */
    int slow_max;          /* threads that may wait for slow bodies */
    _Atomic int slow;      /* threads that do */
};

struct exchange {
    FCGX_Request fcgi;
    struct buf head; /* the answer's status and headers */
    int connection;
    bool slow; /* counted in server->slow */
    int spool; /* file in memory that libfcgi reads in the connection's place; -1: none */
    unsigned char look[LOOK_BYTES];
};

static enum err
listen_failed(const char *what, const char *path)
{
    log_event(LOG_ERROR, "listen_failed", "action=%s socket=%s reason=\"%s\"", what, path, strerror(errno));
    return ERR_IO;
}

/* Removes a stale socket file. Refuses if somebody listens on it, or if it is not a socket. */
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

/* Adds or changes a descriptor in the epoll set; the event's data is the descriptor. */
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
    /*
     * An inherited socket may be blocking, and another worker may accept the connection that woke
     * us.
     */
    if (fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK) != 0)
        goto fail_alloc;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll_fd < 0)
        goto fail_alloc;
    s->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->stop_fd < 0)
        goto fail_epoll;
    /* Exclusive, so that a new connection does not wake every worker. */
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

/*
 * One open connection less. Stops the server if it was the last one while draining. Resumes
 * accepting if descriptors had run out, because one is free now.
 */
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
    close(fd); /* this also removes it from the epoll set */
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
 * Handles a failed accept(). Another worker may have been faster. If descriptors have run out, the
 * listening socket leaves the epoll set, which would report it endlessly, until a connection ends.
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

/* Accepts one connection. False: there was none. */
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
 * A new connection wakes one worker only. If that is this one, no other worker accepts it. So
 * connections that have arrived are still accepted, and served like the others.
 */
void
server_drain(struct server *s)
{
    /* One extra count, so that a drain without connections also ends. */
    atomic_fetch_add(&s->open, 1);
    accept_no_more(s);
    while (accept_one(s))
        ;
    one_less(s);
}

/*
 * Returns the next readable connection; -1: the server has stopped, and nothing is readable any
 * more.
 */
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
        /*
         * epoll returns ready descriptors in turn, so two stop events in a row mean that nothing
         * else is ready.
         */
        stopping = event.data.fd == s->stop_fd;
    }
}

/*
 * Waits for more bytes of a request that began at `began_ms`. Returns NULL, or why no more will
 * come. Only slow_max threads may wait for requests that are not prompt. Further ones are dropped,
 * so that slow requests cannot starve complete ones.
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

/* Reads the request from the connection into the spool. Returns NULL, or why it is unacceptable. */
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

/*
 * Spools a request whose body is still arriving, so that libfcgi need not wait for it. Returns
 * NULL, or why that failed.
 */
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

/*
 * True if the whole request is valid. A request that has arrived completely stays on the
 * connection.
 */
static bool
judge(struct server *s, struct exchange *e)
{
    ssize_t n = recv(e->connection, e->look, LOOK_BYTES, MSG_PEEK | MSG_DONTWAIT);
    const char *fault = "not_a_request";
    enum guard_verdict seen;
    struct guard guard;

    if (n <= 0)
        return false; /* nginx closed the connection, as usual */
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

/* Starts reading a request. False: there is none, and the connection is closed. */
static bool
begin(struct server *s, struct exchange *e, int fd)
{
    e->connection = fd;
    if (!judge(s, e)) {
        drop_connection(s, fd);
        return false;
    }
    e->fcgi.ipcFd = e->spool >= 0 ? e->spool : fd;
    /* FCGX_Accept_r() first finishes the previous request, and would then close this connection. */
    e->fcgi.keepConnection = 1;
    if (FCGX_Accept_r(&e->fcgi) == 0)
        return true;
    /* libfcgi has closed the descriptor that it read from. */
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

/*
 * nginx's $request_id is 32 hexadecimal digits. Anything else could corrupt a header or a log line.
 */
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
        return ERR_TOO_LARGE;
    if ((uint64_t)length > max)
        return ERR_TOO_LARGE;
    body = arena_alloc(arena, (size_t)length + 1);
    if (body == NULL)
        return ERR_MEMORY;
    if (FCGX_GetStr(body, (int)length, e->fcgi.in) != (int)length)
        return ERR_TRUNCATED;
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

/* Unread bytes would be taken for the beginning of the next request. */
static void
drop_rest(struct exchange *e)
{
    char rest[4096];

    while (FCGX_GetStr(rest, sizeof(rest), e->fcgi.in) > 0)
        ;
}

/*
 * Finishes the request. True if the connection can serve another. libfcgi does not close the
 * connection here: it would wait for the peer to close first.
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
    /* The request is read completely. From here on libfcgi writes to the connection. */
    e->fcgi.ipcFd = e->connection;
    close_spool(e);
    FCGX_PutStr(e->head.p, (int)e->head.n, e->fcgi.out);
    if (!str_is(r->method, "HEAD"))
        FCGX_PutStr(response->body.p, (int)response->body.n, e->fcgi.out);
    if (!finish(e) || watch(s, EPOLL_CTL_MOD, e->connection, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT) != 0)
        drop_connection(s, e->connection);
}
