/* nchan.c - see nchan.h. Only push/ opens outgoing connections. Must not know what is published. */
#include "push/nchan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/log.h"

/* Requests in flight: enough to keep nginx busy while the next batch is made. */
#define IN_FLIGHT_ROOM   16
#define OUT_BYTES_ROOM   (512 * 1024)
#define ANSWER_BYTES_MAX 16384

struct nchan {
    const char *path;
    int fd;           /* -1: not connected */
    struct buf out;   /* requests not yet written completely */
    size_t written;   /* bytes of `out` that are written */
    struct buf in;    /* answers not yet complete */
    int64_t *tickets; /* ring of the tickets in flight */
    size_t size;      /* capacity of the ring */
    size_t first;
    size_t count;
};

enum err
nchan_new(struct nchan **out, const char *path)
{
    struct nchan *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return ERR_MEMORY;
    n->path = path;
    n->fd = -1;
    *out = n;
    return ERR_OK;
}

void
nchan_free(struct nchan *n)
{
    nchan_disconnect(n);
    buf_clear(&n->out);
    buf_clear(&n->in);
    free(n->tickets);
    free(n);
}

int
nchan_open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

enum err
nchan_connect(struct nchan *n)
{
    n->fd = nchan_open_socket(n->path);
    return n->fd >= 0 ? ERR_OK : ERR_IO;
}

bool
nchan_connected(const struct nchan *n)
{
    return n->fd >= 0;
}

void
nchan_disconnect(struct nchan *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
    n->written = 0;
    n->first = 0;
    n->count = 0;
    buf_reset(&n->out);
    buf_reset(&n->in);
}

int
nchan_fd(const struct nchan *n)
{
    return n->fd;
}

bool
nchan_wants_write(const struct nchan *n)
{
    return n->out.n > n->written;
}

bool
nchan_has_room(const struct nchan *n)
{
    return n->count < IN_FLIGHT_ROOM && n->out.n < OUT_BYTES_ROOM;
}

size_t
nchan_queued_bytes(const struct nchan *n)
{
    return n->out.n - n->written;
}

/* Adds an empty ticket. The ring grows, because a batch takes as many requests as it needs. */
static bool
add_ticket(struct nchan *n)
{
    if (n->count == n->size) {
        size_t size = n->size == 0 ? 64 : n->size * 2;
        int64_t *tickets = malloc(size * sizeof(*tickets));

        if (tickets == NULL)
            return false;
        for (size_t i = 0; i < n->count; i++)
            tickets[i] = n->tickets[(n->first + i) % n->size];
        free(n->tickets);
        n->tickets = tickets;
        n->size = size;
        n->first = 0;
    }
    n->tickets[(n->first + n->count) % n->size] = 0;
    n->count++;
    return true;
}

bool
nchan_in_flight(const struct nchan *n)
{
    return n->count > 0;
}

enum err
nchan_publish(struct nchan *n, struct str channels, struct str body)
{
    struct buf *out = &n->out;

    buf_c(out, "POST /pub HTTP/1.1\r\nHost: imd\r\nContent-Type: application/json\r\nX-Channels: ");
    buf_str(out, channels);
    buf_c(out, "\r\nContent-Length: ");
    buf_int(out, (int64_t)body.n);
    buf_c(out, "\r\n\r\n");
    buf_str(out, body);
    return buf_ok(out) && add_ticket(n) ? ERR_OK : ERR_MEMORY;
}

void
nchan_set_ticket(struct nchan *n, int64_t ticket)
{
    n->tickets[(n->first + n->count - 1) % n->size] = ticket;
}

enum err
nchan_write(struct nchan *n)
{
    while (nchan_wants_write(n)) {
        ssize_t sent = send(n->fd, n->out.p + n->written, n->out.n - n->written, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? ERR_OK : ERR_IO;
        n->written += (size_t)sent;
    }
    n->written = 0;
    buf_reset(&n->out);
    return ERR_OK;
}

/* Returns the value of the header line "name: value"; absent: the line has another name. */
static struct str
field_value(struct str line, const char *name)
{
    size_t n = strlen(name);

    if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
        return (struct str){0};
    for (n++; n < line.n && line.p[n] == ' ';)
        n++;
    return (struct str){line.p + n, line.n - n};
}

/* Takes the first line off the text, without its CRLF. False: no complete line is left. */
static bool
next_line(struct str *text, struct str *line)
{
    const char *end = text->n == 0 ? NULL : memchr(text->p, '\n', text->n);
    size_t n;

    if (end == NULL)
        return false;
    n = (size_t)(end - text->p);
    *line = (struct str){text->p, n > 0 && text->p[n - 1] == '\r' ? n - 1 : n};
    *text = (struct str){text->p + n + 1, text->n - n - 1};
    return true;
}

/* Reads the status of "HTTP/1.1 201 Created". */
static bool
parse_status(struct str line, int *status)
{
    int64_t n;

    if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 || line.p[8] != ' ' ||
        !str_to_int((struct str){line.p + 9, 3}, &n))
        return false;
    *status = (int)n;
    return true;
}

struct str
nchan_field(struct str lines, const char *name)
{
    struct str line;
    struct str value = {0};

    while (value.p == NULL && next_line(&lines, &line))
        value = field_value(line, name);
    return value;
}

long
nchan_parse_answer(struct str text, struct nchan_answer *answer)
{
    struct str rest = text;
    struct str line;
    int64_t length = 0;

    if (!next_line(&rest, &line))
        return text.n > ANSWER_BYTES_MAX ? -1 : 0;
    if (!parse_status(line, &answer->status))
        return -1;
    answer->head = rest;
    for (;;) {
        struct str value;

        if (!next_line(&rest, &line))
            return text.n > ANSWER_BYTES_MAX ? -1 : 0;
        if (line.n == 0)
            break;
        if (field_value(line, "Transfer-Encoding").p != NULL)
            return -1;
        value = field_value(line, "Content-Length");
        if (value.p != NULL && (!str_to_int(value, &length) || length > ANSWER_BYTES_MAX))
            return -1;
    }
    if (rest.n < (size_t)length)
        return 0;
    answer->head.n = (size_t)(rest.p - answer->head.p);
    answer->body = (struct str){rest.p, (size_t)length};
    return (long)(rest.p - text.p) + (long)length;
}

/* Decides by the status whether the publish is done, dropped or to be retried. */
static enum err
judge(int status)
{
    switch (status) {
    case 200:
    case 201:
    case 202:
        return ERR_OK;
    case 400:
    case 403:
    case 413:
    case 414:
        log_event(LOG_ERROR, "push_refused", "status=%d action=dropped", status);
        return ERR_OK;
    default:
        log_event(LOG_WARNING, "push_refused", "status=%d action=retry", status);
        return ERR_REFUSED;
    }
}

static enum err
take_answers(struct nchan *n, void (*answered)(void *arg, int64_t ticket), void *arg)
{
    size_t taken = 0;
    enum err err = ERR_OK;

    while (err == ERR_OK && taken < n->in.n) {
        struct nchan_answer answer;
        int64_t ticket;
        long bytes = nchan_parse_answer((struct str){n->in.p + taken, n->in.n - taken}, &answer);

        if (bytes == 0)
            break;
        if (bytes < 0 || n->count == 0)
            return ERR_IO;
        err = judge(answer.status);
        if (err != ERR_OK)
            return err;
        taken += (size_t)bytes;
        ticket = n->tickets[n->first];
        n->first = (n->first + 1) % n->size;
        n->count--;
        answered(arg, ticket);
    }
    buf_shift(&n->in, taken);
    return err;
}

enum err
nchan_read(struct nchan *n, void (*answered)(void *arg, int64_t ticket), void *arg)
{
    enum err err = ERR_OK;

    while (err == ERR_OK) {
        char *to = buf_reserve(&n->in, ANSWER_BYTES_MAX);
        ssize_t got;

        if (to == NULL)
            return ERR_MEMORY;
        got = recv(n->fd, to, ANSWER_BYTES_MAX, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return ERR_OK;
        if (got <= 0)
            return ERR_IO;
        n->in.n += (size_t)got;
        err = take_answers(n, answered, arg);
        if (got < ANSWER_BYTES_MAX)
            return err;
    }
    return err;
}
