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
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "run/slots.h"
#include "http/guard.h"

/* The longest wait for more bytes of a request. */
#define IO_TIMEOUT_S LISTENER_IO_TIMEOUT_S
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

/*
 * An answer of this size may not fit into the buffer of a connection (208 kB by default), so
 * writing it may wait for its reader.
 */
#define LARGE_ANSWER_BYTES (128 * 1024)

/* An open connection. In the epoll set, both members are in the data of its events. */
struct connection {
    int fd;
    enum listener_kind kind; /* of the listener that accepted it */
};

/* The listening socket of one kind, and its connections. */
struct entrance {
    int fd;
    int open_max;     /* further connections wait in the backlog; 0: no limit */
    int open;         /* connections, plus threads that are accepting one */
    bool paused;      /* the listening socket is not in the epoll set */
    int slow_max;     /* threads that may wait for slow bodies */
    _Atomic int slow; /* threads that do */
};

struct server {
    struct entrance entrances[LISTENER_KINDS];
    int epoll_fd;
    int stop_fd;          /* eventfd in the epoll set: readable once the server stops */
    pthread_mutex_t lock; /* guards the next two, and `open` and `paused` of the entrances */
    bool draining;        /* no new connections */
    int control[LISTENER_CONTROL_OPEN_MAX]; /* open connections of the control socket; -1: none */
    struct slots slots;                     /* limit the threads that compute at once */
};

struct exchange {
    FCGX_Request fcgi;
    struct buf head; /* the answer's status and headers */
    struct connection connection;
    bool slow; /* counted in the entrance's `slow` */
    int spool; /* what libfcgi reads in the connection's place: a file in memory or a duplicate; -1: none */
    unsigned char look[LOOK_BYTES];
};

/* Adds or changes a descriptor in the epoll set. */
static int
watch(struct server *s, int operation, struct connection c, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)c.kind << 32 | (uint32_t)c.fd};

    return epoll_ctl(s->epoll_fd, operation, c.fd, &event);
}

/*
 * Listens again, or for the first time. Exclusive, so that a new connection does not wake every
 * worker.
 */
static int
watch_listener(struct server *s, enum listener_kind kind)
{
    return watch(s, EPOLL_CTL_ADD, (struct connection){s->entrances[kind].fd, kind},
                 EPOLLIN | EPOLLEXCLUSIVE);
}

/*
 * The control socket gets at most half of the threads, so that it cannot take all of them from
 * nginx.
 */
static void
init_entrances(struct server *s, const struct listeners *listeners, int threads)
{
    struct entrance *web = &s->entrances[LISTENER_WEB];
    struct entrance *control = &s->entrances[LISTENER_CONTROL];

    *web = (struct entrance){.fd = listeners->web_fd, .slow_max = (threads + 1) / 2};
    *control = (struct entrance){.fd = listeners->control_fd, .open_max = (threads + 1) / 2};
    if (control->open_max > LISTENER_CONTROL_OPEN_MAX)
        control->open_max = LISTENER_CONTROL_OPEN_MAX;
    control->slow_max = (control->open_max + 1) / 2;
    for (int i = 0; i < LISTENER_CONTROL_OPEN_MAX; i++)
        s->control[i] = -1;
}

/* Begins to listen. False: the kernel refuses. */
static bool
watch_all(struct server *s)
{
    for (int kind = 0; kind < LISTENER_KINDS; kind++) {
        int fd = s->entrances[kind].fd;

        /*
         * An inherited socket may be blocking, and another worker may accept the connection that
         * woke us.
         */
        if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 ||
            watch_listener(s, (enum listener_kind)kind) != 0)
            return false;
    }
    return watch(s, EPOLL_CTL_ADD, (struct connection){.fd = s->stop_fd}, EPOLLIN) == 0;
}

enum err
server_open(struct server **out, const struct listeners *listeners, int threads, int busy)
{
    struct server *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_MEMORY;
    if (FCGX_Init() != 0)
        goto fail_alloc;
    init_entrances(s, listeners, threads);
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll_fd < 0)
        goto fail_alloc;
    s->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->stop_fd < 0)
        goto fail_epoll;
    if (!watch_all(s))
        goto fail_stop;
    pthread_mutex_init(&s->lock, NULL);
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
    pthread_mutex_destroy(&s->lock);
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

/* Takes the listening socket out of the epoll set until resume(). The caller holds the lock. */
static void
pause_listener(struct server *s, struct entrance *entrance)
{
    if (!entrance->paused && !s->draining)
        epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, entrance->fd, NULL);
    entrance->paused = true;
}

/* Accepts again where that was paused and is possible now. The caller holds the lock. */
static void
resume(struct server *s)
{
    for (int kind = 0; kind < LISTENER_KINDS && !s->draining; kind++) {
        struct entrance *entrance = &s->entrances[kind];

        if (!entrance->paused || (entrance->open_max > 0 && entrance->open >= entrance->open_max))
            continue;
        entrance->paused = watch_listener(s, (enum listener_kind)kind) != 0;
    }
}

static void
accept_no_more(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    for (int kind = 0; kind < LISTENER_KINDS; kind++)
        pause_listener(s, &s->entrances[kind]);
    s->draining = true;
    pthread_mutex_unlock(&s->lock);
}

void
server_stop(struct server *s)
{
    accept_no_more(s);
    end_waiting(s);
}

/*
 * Counts a connection that is about to be accepted, so that a drain does not end meanwhile. False:
 * there are as many as are allowed.
 */
static bool
reserve(struct server *s, enum listener_kind kind)
{
    struct entrance *entrance = &s->entrances[kind];
    bool allowed;

    pthread_mutex_lock(&s->lock);
    allowed = entrance->open_max == 0 || entrance->open < entrance->open_max;
    if (allowed)
        entrance->open++;
    if (entrance->open == entrance->open_max)
        pause_listener(s, entrance);
    pthread_mutex_unlock(&s->lock);
    return allowed;
}

/* Connections of both kinds. The caller holds the lock. */
static int
count_open(const struct server *s)
{
    return s->entrances[LISTENER_WEB].open + s->entrances[LISTENER_CONTROL].open;
}

/*
 * One open connection less. Stops the server if it was the last one while draining. Resumes
 * accepting if it was paused, because a descriptor is free now.
 */
static void
one_less(struct server *s, enum listener_kind kind)
{
    bool last;

    pthread_mutex_lock(&s->lock);
    s->entrances[kind].open--;
    last = count_open(s) == 0 && s->draining;
    resume(s);
    pthread_mutex_unlock(&s->lock);
    if (last)
        end_waiting(s);
}

/*
 * Puts `to` in the place of `from` in the list of control connections. The caller holds the lock.
 */
static void
replace_control(struct server *s, int from, int to)
{
    bool replaced = false;

    for (int i = 0; i < LISTENER_CONTROL_OPEN_MAX && !replaced; i++) {
        replaced = s->control[i] == from;
        if (replaced)
            s->control[i] = to;
    }
}

/*
 * Adds an accepted connection to the list. If a drain has begun, end_silent_control() may have come
 * before: so a connection without a request ends at once, and cannot hold up the drain.
 */
static void
add_control(struct server *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    replace_control(s, -1, fd);
    if (s->draining)
        shutdown(fd, SHUT_RD);
    pthread_mutex_unlock(&s->lock);
}

static void
remove_control(struct server *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    replace_control(s, fd, -1);
    pthread_mutex_unlock(&s->lock);
}

/* Closes a connection, which also removes it from the epoll set. */
static void
drop_connection(struct server *s, struct connection c)
{
    /* Off the list first: the next descriptor may get this number. */
    if (c.kind == LISTENER_CONTROL)
        remove_control(s, c.fd);
    close(c.fd);
    one_less(s, c.kind);
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
accept_failed(struct server *s, enum listener_kind kind, int error)
{
    bool out_of_descriptors = error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;

    if (error != EAGAIN && error != EINTR && error != ECONNABORTED)
        log_event(LOG_ERROR, "accept_failed", "reason=\"%s\"", strerror(error));
    if (!out_of_descriptors) {
        one_less(s, kind);
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->entrances[kind].open--;
    if (count_open(s) > 0)
        pause_listener(s, &s->entrances[kind]);
    pthread_mutex_unlock(&s->lock);
}

/* Accepts one connection. False: there was none. */
static bool
accept_one(struct server *s, enum listener_kind kind)
{
    struct connection c = {.kind = kind};

    if (!reserve(s, kind))
        return false;
    c.fd = listener_accept(s->entrances[kind].fd, kind);
    if (c.fd < 0) {
        accept_failed(s, kind, errno);
        return false;
    }
    if (kind == LISTENER_CONTROL)
        add_control(s, c.fd);
    if (watch(s, EPOLL_CTL_ADD, c, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT) != 0)
        drop_connection(s, c);
    return true;
}

/*
 * Ends the control connections that have not sent a request yet. One that has is answered. A client
 * whose request is cut knows that it was not executed, and asks again.
 */
static void
end_silent_control(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < LISTENER_CONTROL_OPEN_MAX; i++)
        if (s->control[i] >= 0)
            shutdown(s->control[i], SHUT_RD);
    pthread_mutex_unlock(&s->lock);
}

/*
 * A new connection wakes one worker only. If that is this one, no other worker accepts it. So
 * connections that have arrived are still accepted, and served like the others.
 */
void
server_drain(struct server *s)
{
    /* One extra count, so that a drain without connections also ends. */
    pthread_mutex_lock(&s->lock);
    s->entrances[LISTENER_WEB].open++;
    pthread_mutex_unlock(&s->lock);
    accept_no_more(s);
    for (int kind = 0; kind < LISTENER_KINDS; kind++)
        while (accept_one(s, (enum listener_kind)kind))
            ;
    end_silent_control(s);
    one_less(s, LISTENER_WEB);
}

/*
 * Waits for the next readable connection. False: the server has stopped, and nothing is readable.
 */
static bool
wait_readable(struct server *s, struct connection *c)
{
    bool stopping = false;

    for (;;) {
        struct epoll_event event;
        int n = epoll_wait(s->epoll_fd, &event, 1, -1);

        if (n < 1)
            continue;
        *c = (struct connection){(int)(uint32_t)event.data.u64, (enum listener_kind)(event.data.u64 >> 32)};
        if (c->fd == s->entrances[c->kind].fd) {
            accept_one(s, c->kind);
        } else if (c->fd != s->stop_fd) {
            return true;
        } else if (stopping) {
            return false;
        }
        /*
         * epoll returns ready descriptors in turn, so two stop events in a row mean that nothing
         * else is ready.
         */
        stopping = c->fd == s->stop_fd;
    }
}

/*
 * Waits for more bytes of a request that began at `began_ms`. Returns NULL, or why no more will
 * come. Only slow_max threads may wait for requests of one socket that are not prompt. Further ones
 * are dropped, so that slow requests cannot starve complete ones.
 */
static const char *
wait_for_more(struct server *s, struct exchange *e, int64_t began_ms)
{
    struct pollfd more = {.fd = e->connection.fd, .events = POLLIN};
    struct entrance *entrance = &s->entrances[e->connection.kind];
    int64_t age_ms = clock_mono_ms() - began_ms;

    if (age_ms < PROMPT_MS && poll(&more, 1, (int)(PROMPT_MS - age_ms)) > 0)
        return NULL;
    if (!e->slow && atomic_fetch_add(&entrance->slow, 1) >= entrance->slow_max) {
        atomic_fetch_sub(&entrance->slow, 1);
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
        ssize_t n = recv(e->connection.fd, e->look, LOOK_BYTES, MSG_DONTWAIT);

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
        atomic_fetch_sub(&s->entrances[e->connection.kind].slow, 1);
    return fault;
}

/*
 * True if the whole request is valid. A request that has arrived completely stays on the
 * connection.
 */
static bool
judge(struct server *s, struct exchange *e)
{
    ssize_t n = recv(e->connection.fd, e->look, LOOK_BYTES, MSG_PEEK | MSG_DONTWAIT);
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

/*
 * Returns the descriptor that libfcgi reads; -1: there are none left. libfcgi closes it if it
 * fails. That must not be a control connection itself, which end_silent_control() may still use.
 */
static int
choose_source(struct exchange *e)
{
    if (e->spool < 0 && e->connection.kind == LISTENER_WEB)
        return e->connection.fd;
    if (e->spool < 0)
        e->spool = fcntl(e->connection.fd, F_DUPFD_CLOEXEC, 0);
    return e->spool;
}

/* Starts reading a request. False: there is none, and the connection is closed. */
static bool
begin(struct server *s, struct exchange *e, struct connection c)
{
    e->connection = c;
    if (!judge(s, e) || (e->fcgi.ipcFd = choose_source(e)) < 0) {
        drop_connection(s, c);
        return false;
    }
    /* FCGX_Accept_r() first finishes the previous request, and would then close this connection. */
    e->fcgi.keepConnection = 1;
    if (FCGX_Accept_r(&e->fcgi) == 0)
        return true;
    /* libfcgi has closed the descriptor that it read from. */
    e->fcgi.ipcFd = -1;
    if (e->spool < 0) {
        one_less(s, c.kind);
    } else {
        e->spool = -1;
        drop_connection(s, c);
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
    struct connection c;

    do {
        slots_acquire(&s->slots);
        if (!wait_readable(s, &c)) {
            slots_release();
            return false;
        }
    } while (!begin(s, e, c));
    *r = (struct request){
        /*
         * This flag comes from the listening socket, not from a parameter, so no request can forge
         * it.
         */
        .control = c.kind == LISTENER_CONTROL,
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
    e->fcgi.ipcFd = e->connection.fd;
    close_spool(e);
    if (e->connection.kind == LISTENER_CONTROL || response->body.n > LARGE_ANSWER_BYTES)
        slots_release();
    FCGX_PutStr(e->head.p, (int)e->head.n, e->fcgi.out);
    if (!str_is(r->method, "HEAD"))
        FCGX_PutStr(response->body.p, (int)response->body.n, e->fcgi.out);
    /* A control connection has one request, so that none can hold up a drain. */
    if (!finish(e) || e->connection.kind == LISTENER_CONTROL ||
        watch(s, EPOLL_CTL_MOD, e->connection, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT) != 0)
        drop_connection(s, e->connection);
}
