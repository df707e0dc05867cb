/*
 * pipe.c - see pipe.h. Only push/ opens outgoing connections. Must not know what a request asks
 * for.
 */
#include "push/pipe.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX 16384

void
pipe_init(struct pipe *p, const char *path)
{
    *p = (struct pipe){.path = path, .fd = -1};
}

void
pipe_clear(struct pipe *p)
{
    pipe_close(p);
    buf_clear(&p->out);
    buf_clear(&p->in);
}

static int
open_socket(const char *path)
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
pipe_connect(struct pipe *p)
{
    p->fd = open_socket(p->path);
    return p->fd >= 0 ? ERR_OK : ERR_IO;
}

void
pipe_close(struct pipe *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    p->written = 0;
    p->taken = 0;
    buf_reset(&p->out);
    buf_reset(&p->in);
}

size_t
pipe_queued_bytes(const struct pipe *p)
{
    return p->out.n - p->written;
}

enum err
pipe_write(struct pipe *p)
{
    while (pipe_queued_bytes(p) > 0) {
        ssize_t sent = send(p->fd, p->out.p + p->written, pipe_queued_bytes(p), MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? ERR_OK : ERR_IO;
        p->written += (size_t)sent;
    }
    p->written = 0;
    buf_reset(&p->out);
    return ERR_OK;
}

enum err
pipe_read(struct pipe *p, bool *more)
{
    char *to;
    ssize_t got;

    buf_shift(&p->in, p->taken);
    p->taken = 0;
    *more = false;
    to = buf_reserve(&p->in, ANSWER_BYTES_MAX);
    if (to == NULL)
        return ERR_MEMORY;
    do
        got = recv(p->fd, to, ANSWER_BYTES_MAX, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return ERR_OK;
    if (got <= 0)
        return ERR_IO;
    p->in.n += (size_t)got;
    *more = got == ANSWER_BYTES_MAX;
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
pipe_field(struct str lines, const char *name)
{
    struct str line;
    struct str value = {0};

    while (value.p == NULL && next_line(&lines, &line))
        value = field_value(line, name);
    return value;
}

long
pipe_parse_answer(struct str text, struct pipe_answer *answer)
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

enum err
pipe_take(struct pipe *p, struct pipe_answer *answer, bool *found)
{
    struct str rest = {p->in.p + p->taken, p->in.n - p->taken};
    long bytes = rest.n == 0 ? 0 : pipe_parse_answer(rest, answer);

    *found = bytes > 0;
    if (bytes < 0)
        return ERR_IO;
    p->taken += (size_t)bytes;
    return ERR_OK;
}
