/*
 * control.c - see control.h. One connection carries one request. Must not know what a command asks.
 *
 * imd executes only requests that it has received completely. So a request that was not sent to its
 * end was not executed, and is sent again. If the connection ends later, the request may have been
 * executed. Then it is sent again only if it may be repeated.
 */
#include "imctl/control.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/clock.h"
#include "imctl/fastcgi.h"
#include "wire/object.h"

/* A worker may end between any two of our steps, but hardly twice. */
#define TRIES_MAX 4

/* How one try has ended. */
enum outcome {
    ANSWERED,
    UNSENT,   /* the connection ended before the request was sent to its end */
    LOST,     /* it ended before the answer was complete */
    GIVEN_UP, /* trying again is useless, and stderr says why */
};

/* One try. */
struct attempt {
    const char *path; /* of the socket */
    int fd;
    int64_t timeout_s;
    int64_t deadline_ms; /* clock_mono_ms, of all tries together */
};

bool
control_set_option(struct control *control, int option, const char *value)
{
    switch (option) {
    case CONTROL_SOCKET:
        control->socket = value;
        return true;
    case CONTROL_CONFIG:
        control->config = value;
        return true;
    case CONTROL_TIMEOUT:
        return str_to_int(str_c(value), &control->timeout_s) && control->timeout_s >= 1 &&
               control->timeout_s <= CONTROL_TIMEOUT_S_MAX;
    case CONTROL_JSON:
        control->json = true;
        return true;
    default:
        return false;
    }
}

/* Prints why the request was not executed, and returns GIVEN_UP. */
static enum outcome __attribute__((format(printf, 1, 2))) give_up(const char *format, ...)
{
    char line[CONFIG_PATH_BYTES + 256];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    imctl_fail(line);
    return GIVEN_UP;
}

static enum outcome
give_up_in_time(const struct attempt *a)
{
    return give_up("%s: imd did not answer within %" PRId64 " s", a->path, a->timeout_s);
}

static enum outcome
explain_connect(const struct attempt *a, int error)
{
    if (error == ENOENT)
        return give_up(
            "%s: there is no such socket: imd does not run, or --socket or --config must name another",
            a->path);
    if (error == ECONNREFUSED)
        return give_up("%s: no process listens there, so imd does not run", a->path);
    if (error == EACCES || error == EPERM)
        return give_up("%s: permission denied: only root and imd's user may use the control socket", a->path);
    if (error == EAGAIN || error == EINPROGRESS)
        return give_up_in_time(a);
    return give_up("%s: %s", a->path, strerror(error));
}

/*
 * True if imd will admit this process. The kernel says which user listens. imd checks it too, but
 * can only close the connection.
 */
static bool
is_admitted(int fd)
{
    struct ucred peer = {.uid = 0};
    socklen_t n = sizeof(peer);

    return geteuid() == 0 ||
           (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == geteuid());
}

/* Connects a->fd, which waits while imd's backlog is full. */
static enum outcome
connect_to_imd(struct attempt *a)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int64_t left_ms = a->deadline_ms - clock_mono_ms();
    struct timeval timeout;

    if (strlen(a->path) >= sizeof(address.sun_path))
        return give_up("%s: the path of a socket has at most %zu bytes", a->path,
                       sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, a->path, strlen(a->path) + 1);
    left_ms = left_ms < 1 ? 1 : left_ms;
    timeout = (struct timeval){left_ms / 1000, left_ms % 1000 * 1000};
    setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (connect(a->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return explain_connect(a, errno);
    if (!is_admitted(a->fd))
        return give_up("%s: only root and imd's user may use the control socket", a->path);
    return ANSWERED;
}

/* Waits until the socket can be read or written. False: the deadline has passed. */
static bool
wait_for(const struct attempt *a, short events)
{
    struct pollfd fd = {.fd = a->fd, .events = events};
    int64_t left_ms = a->deadline_ms - clock_mono_ms();

    return left_ms > 0 && poll(&fd, 1, (int)left_ms) > 0;
}

static enum outcome
send_all(const struct attempt *a, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(a->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            bytes = (struct str){bytes.p + n, bytes.n - (size_t)n};
        } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!wait_for(a, POLLOUT))
                return give_up_in_time(a);
        } else {
            return UNSENT;
        }
    }
    return ANSWERED;
}

static enum outcome
receive(const struct attempt *a, struct fastcgi_answer *answer)
{
    enum fastcgi_verdict verdict = FASTCGI_MORE;
    char bytes[65536];

    while (verdict == FASTCGI_MORE) {
        ssize_t n = recv(a->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (n > 0) {
            verdict = fastcgi_feed(answer, bytes, (size_t)n);
        } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!wait_for(a, POLLIN))
                return give_up_in_time(a);
        } else {
            return LOST;
        }
    }
    return verdict == FASTCGI_WHOLE ? ANSWERED : give_up("%s: what answers there is not imd", a->path);
}

static enum outcome
try_once(struct attempt *a, struct str bytes, struct fastcgi_answer *answer)
{
    enum outcome outcome;

    a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (a->fd < 0)
        return give_up("%s", strerror(errno));
    outcome = connect_to_imd(a);
    if (outcome == ANSWERED)
        outcome = send_all(a, bytes);
    if (outcome == ANSWERED)
        outcome = receive(a, answer);
    close(a->fd);
    return outcome;
}

/* Tries until imd has answered, or another try could do harm or would be useless. */
static enum outcome
try_all(struct attempt *a, struct str bytes, bool may_repeat, struct fastcgi_answer *answer)
{
    enum outcome outcome = UNSENT;

    for (int i = 0; i < TRIES_MAX && (outcome == UNSENT || (outcome == LOST && may_repeat)); i++) {
        fastcgi_clear(answer);
        fastcgi_init(answer);
        outcome = try_once(a, bytes, answer);
    }
    if (outcome == UNSENT)
        return give_up("%s: imd ended the connection; nothing was done", a->path);
    if (outcome == LOST)
        return give_up("%s: imd ended the connection before it answered%s", a->path,
                       may_repeat ? "" : "; it may have done the work all the same");
    return outcome;
}

/* A random id, by which imd's log tells the request. */
static struct str
make_request_id(char id[33])
{
    unsigned char random[16] = {0};

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        memset(random, 0, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(id + 2 * i, 3, "%02x", random[i]);
    return str_c(id);
}

/* Copies imd's reply out of the bytes that were received. */
static bool
take_reply(const struct fastcgi_answer *received, struct control_answer *answer)
{
    struct fastcgi_reply reply;

    if (!fastcgi_read(received, &reply))
        return false;
    answer->status = reply.status;
    answer->replayed = str_is(fastcgi_header(reply.head, "Idempotent-Replayed"), "true");
    buf_str(&answer->bytes, reply.body);
    answer->text = (struct str){answer->bytes.p, answer->bytes.n};
    if (!buf_ok(&answer->bytes))
        return false;
    object_setup();
    if (object_parse(answer->text, &answer->object) != ERR_OK)
        answer->object = NULL;
    return true;
}

/* Maps imd's status to an exit code, and prints the reason if imd has not executed the request. */
static enum imctl_status
judge(const struct control *control, const struct control_answer *answer)
{
    struct str sentence = {0};

    if (control->json)
        fwrite(answer->text.p, 1, answer->text.n, stdout);
    if (answer->status < 400)
        return IMCTL_OK;
    if (answer->object == NULL || object_string(answer->object, "error", &sentence) != OBJECT_OK)
        sentence = str_c("no reason was given");
    fprintf(stderr, "imctl: imd %s: %.*s\n", answer->status >= 500 ? "cannot do it now" : "refuses",
            (int)sentence.n, sentence.p);
    return answer->status >= 500 ? IMCTL_FAILED : IMCTL_NO;
}

/* Writes the request, asks, and takes the reply. */
static enum outcome
exchange(struct attempt *a, const struct control_request *request, struct control_answer *answer)
{
    char id[33];
    struct fastcgi_request wanted = {.method = str_c(request->method),
                                     .path = str_c(request->path),
                                     .query = request->query,
                                     .request_id = make_request_id(id),
                                     .body = request->body};
    bool may_repeat = request->may_repeat || str_is(wanted.method, "GET");
    struct fastcgi_answer received;
    struct buf bytes;
    enum outcome outcome = GIVEN_UP;

    buf_init(&bytes);
    fastcgi_init(&received);
    fastcgi_write(&wanted, &bytes);
    if (buf_ok(&bytes))
        outcome = try_all(a, (struct str){bytes.p, bytes.n}, may_repeat, &received);
    else
        give_up("out of memory");
    if (outcome == ANSWERED && !take_reply(&received, answer))
        outcome = give_up("%s: what answers there is not imd", a->path);
    fastcgi_clear(&received);
    buf_clear(&bytes);
    return outcome;
}

enum imctl_status
control_ask(const struct control *control, const struct control_request *request,
            struct control_answer *answer)
{
    static struct config config;
    struct attempt a = {.path = control->socket,
                        .timeout_s = control->timeout_s == 0 ? CONTROL_TIMEOUT_S : control->timeout_s};

    *answer = (struct control_answer){0};
    if (!imctl_read_config(control->config, &config))
        return IMCTL_FAILED;
    if (a.path == NULL)
        a.path = config.control;
    a.deadline_ms = clock_mono_ms() + a.timeout_s * 1000;
    return exchange(&a, request, answer) == ANSWERED ? judge(control, answer) : IMCTL_FAILED;
}

void
control_clear(struct control_answer *answer)
{
    object_free(answer->object);
    buf_clear(&answer->bytes);
    *answer = (struct control_answer){0};
}

void
control_add_param(struct buf *query, const char *name, struct str value)
{
    buf_printf(query, "%s%s=", query->n > 0 ? "&" : "", name);
    for (size_t i = 0; i < value.n; i++)
        buf_printf(query, "%%%02X", (unsigned char)value.p[i]);
}
