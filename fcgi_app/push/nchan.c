/* nchan.c - see nchan.h. Must not know what is published. */
#include "push/nchan.h"

#include <stdlib.h>
#include "base/log.h"
#include "push/pipe.h"

/* Requests in flight: enough to keep nginx busy while the next batch is made. */
#define IN_FLIGHT_ROOM 16
#define OUT_BYTES_ROOM (512 * 1024)

struct nchan {
    struct pipe pipe;
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
    pipe_init(&n->pipe, path);
    *out = n;
    return ERR_OK;
}

void
nchan_free(struct nchan *n)
{
    pipe_clear(&n->pipe);
    free(n->tickets);
    free(n);
}

enum err
nchan_connect(struct nchan *n)
{
    return pipe_connect(&n->pipe);
}

bool
nchan_connected(const struct nchan *n)
{
    return n->pipe.fd >= 0;
}

void
nchan_disconnect(struct nchan *n)
{
    pipe_close(&n->pipe);
    n->first = 0;
    n->count = 0;
}

int
nchan_fd(const struct nchan *n)
{
    return n->pipe.fd;
}

bool
nchan_wants_write(const struct nchan *n)
{
    return pipe_queued_bytes(&n->pipe) > 0;
}

bool
nchan_has_room(const struct nchan *n)
{
    return n->count < IN_FLIGHT_ROOM && n->pipe.out.n < OUT_BYTES_ROOM;
}

size_t
nchan_queued_bytes(const struct nchan *n)
{
    return pipe_queued_bytes(&n->pipe);
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
    struct buf *out = &n->pipe.out;

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
    return pipe_write(&n->pipe);
}

/* Decides by the answer whether the publish is done, dropped or to be retried. */
static enum err
judge(const struct pipe_answer *answer)
{
    int status = answer->status;
    bool through_redis = pipe_field(answer->head, "X-Redis").n > 0;

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
        /* With Redis, nchan keeps no push in its own memory, so the failure is that of Redis. */
        return status == 503 || through_redis ? ERR_IO : ERR_REFUSED;
    }
}

static enum err
take_answers(struct nchan *n, void (*answered)(void *arg, int64_t ticket), void *arg)
{
    struct pipe_answer answer;
    int64_t ticket;
    bool found;
    enum err err;

    while ((err = pipe_take(&n->pipe, &answer, &found)) == ERR_OK && found) {
        if (n->count == 0)
            return ERR_IO;
        err = judge(&answer);
        if (err != ERR_OK)
            return err;
        ticket = n->tickets[n->first];
        n->first = (n->first + 1) % n->size;
        n->count--;
        answered(arg, ticket);
    }
    return err;
}

enum err
nchan_read(struct nchan *n, void (*answered)(void *arg, int64_t ticket), void *arg)
{
    bool more = true;
    enum err err = ERR_OK;

    while (err == ERR_OK && more) {
        err = pipe_read(&n->pipe, &more);
        if (err == ERR_OK)
            err = take_answers(n, answered, arg);
    }
    return err;
}
