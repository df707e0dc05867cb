/* fastcgi.c - see fastcgi.h. Pure functions over bytes. Must not know where the bytes come from. */
#include "imctl/fastcgi.h"

#include <stdio.h>

#define VERSION           1
#define TYPE_BEGIN        1
#define TYPE_END          3
#define TYPE_PARAMS       4
#define TYPE_STDIN        5
#define TYPE_STDOUT       6
#define TYPE_STDERR       7
#define ROLE_RESPONDER    1
#define REQUEST_COMPLETE  0
#define REQUEST_ID        1
#define CONTENT_BYTES_MAX 65535

/* Appends one record; its content has at most CONTENT_BYTES_MAX bytes. */
static void
add_record(struct buf *out, int type, struct str content)
{
    const unsigned char header[8] = {VERSION,
                                     (unsigned char)type,
                                     0,
                                     REQUEST_ID,
                                     (unsigned char)(content.n >> 8),
                                     (unsigned char)content.n};

    buf_add(out, header, sizeof(header));
    buf_str(out, content);
}

/* Appends a stream: as many records as it needs, and the empty one that ends it. */
static void
add_stream(struct buf *out, int type, struct str bytes)
{
    while (bytes.n > 0) {
        size_t n = bytes.n < CONTENT_BYTES_MAX ? bytes.n : CONTENT_BYTES_MAX;

        add_record(out, type, (struct str){bytes.p, n});
        bytes = (struct str){bytes.p + n, bytes.n - n};
    }
    add_record(out, type, str_c(""));
}

/* Appends a length of a parameter, always in the form of four bytes. */
static void
add_length(struct buf *out, size_t n)
{
    const unsigned char bytes[4] = {(unsigned char)(0x80 | (n >> 24)), (unsigned char)(n >> 16),
                                    (unsigned char)(n >> 8), (unsigned char)n};

    buf_add(out, bytes, sizeof(bytes));
}

static void
add_param(struct buf *out, const char *name, struct str value)
{
    add_length(out, strlen(name));
    add_length(out, value.n);
    buf_c(out, name);
    buf_str(out, value);
}

void
fastcgi_write(const struct fastcgi_request *request, struct buf *out)
{
    static const char begin[8] = {0, ROLE_RESPONDER};
    char length[24];
    struct buf params;

    snprintf(length, sizeof(length), "%zu", request->body.n);
    buf_init(&params);
    add_param(&params, "REQUEST_METHOD", request->method);
    add_param(&params, "IMD_PATH", request->path);
    add_param(&params, "QUERY_STRING", request->query);
    add_param(&params, "REQUEST_ID", request->request_id);
    add_param(&params, "CONTENT_LENGTH", str_c(length));
    add_record(out, TYPE_BEGIN, (struct str){begin, sizeof(begin)});
    add_stream(out, TYPE_PARAMS, (struct str){params.p, params.n});
    add_stream(out, TYPE_STDIN, request->body);
    out->failed = out->failed || params.failed;
    buf_clear(&params);
}

void
fastcgi_init(struct fastcgi_answer *a)
{
    *a = (struct fastcgi_answer){.verdict = FASTCGI_MORE};
    buf_init(&a->output);
}

void
fastcgi_clear(struct fastcgi_answer *a)
{
    buf_clear(&a->output);
}

/* True if the complete header is allowed at this place. */
static bool
enter_record(struct fastcgi_answer *a)
{
    const unsigned char *h = a->header;

    a->header_n = 0;
    a->content_left = (size_t)h[4] << 8 | h[5];
    a->padding_left = h[6];
    if (h[0] != VERSION || (h[2] << 8 | h[3]) != REQUEST_ID)
        return false;
    if (h[1] == TYPE_END)
        return a->content_left == sizeof(a->end);
    a->bytes_total += a->content_left;
    return (h[1] == TYPE_STDOUT || h[1] == TYPE_STDERR) && a->bytes_total <= FASTCGI_ANSWER_BYTES_MAX;
}

/* Consumes content of the current record, at most n bytes. Returns how many. */
static size_t
take_content(struct fastcgi_answer *a, const unsigned char *p, size_t n)
{
    size_t step = a->content_left < n ? a->content_left : n;

    if (a->header[1] == TYPE_END) {
        memcpy(a->end + a->end_n, p, step);
        a->end_n += step;
    } else if (a->header[1] == TYPE_STDOUT) {
        buf_add(&a->output, p, step);
    }
    a->content_left -= step;
    return step;
}

static size_t
take_padding(struct fastcgi_answer *a, size_t n)
{
    size_t step = a->padding_left < n ? a->padding_left : n;

    a->padding_left -= step;
    return step;
}

/* Consumes one byte of a header. */
static size_t
take_header_byte(struct fastcgi_answer *a, unsigned char byte)
{
    a->header[a->header_n++] = byte;
    if (a->header_n == sizeof(a->header) && !enter_record(a))
        a->verdict = FASTCGI_BROKEN;
    return 1;
}

/*
 * Records the end of the answer. The fifth byte of END says whether imd has executed the request.
 */
static void
look_for_end(struct fastcgi_answer *a)
{
    if (a->verdict == FASTCGI_MORE && a->end_n == sizeof(a->end) && a->padding_left == 0)
        a->verdict = a->end[4] == REQUEST_COMPLETE && buf_ok(&a->output) ? FASTCGI_WHOLE : FASTCGI_BROKEN;
}

enum fastcgi_verdict
fastcgi_feed(struct fastcgi_answer *a, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    size_t i = 0;

    while (i < n && a->verdict == FASTCGI_MORE) {
        if (a->content_left > 0)
            i += take_content(a, p + i, n - i);
        else if (a->padding_left > 0)
            i += take_padding(a, n - i);
        else
            i += take_header_byte(a, p[i]);
        look_for_end(a);
    }
    if (i < n)
        a->verdict = FASTCGI_BROKEN;
    return a->verdict;
}

struct str
fastcgi_header(struct str head, const char *name)
{
    size_t name_n = strlen(name);

    while (head.n > 0) {
        const char *end = memmem(head.p, head.n, "\r\n", 2);
        size_t line_n = end == NULL ? head.n : (size_t)(end - head.p);
        size_t next = end == NULL ? line_n : line_n + 2;

        if (line_n >= name_n + 2 && memcmp(head.p, name, name_n) == 0 &&
            memcmp(head.p + name_n, ": ", 2) == 0)
            return (struct str){head.p + name_n + 2, line_n - name_n - 2};
        head = (struct str){head.p + next, head.n - next};
    }
    return (struct str){0};
}

bool
fastcgi_read(const struct fastcgi_answer *a, struct fastcgi_reply *reply)
{
    struct str all = {a->output.p, a->output.n};
    const char *end = all.n == 0 ? NULL : memmem(all.p, all.n, "\r\n\r\n", 4);
    struct str status;
    int64_t number;
    int64_t length;

    if (a->verdict != FASTCGI_WHOLE || end == NULL)
        return false;
    reply->head = (struct str){all.p, (size_t)(end - all.p)};
    reply->body = (struct str){end + 4, all.n - reply->head.n - 4};
    status = fastcgi_header(reply->head, "Status");
    status.n = status.n < 3 ? status.n : 3;
    if (!str_to_int(status, &number) || number < 100 || number > 599 ||
        !str_to_int(fastcgi_header(reply->head, "Content-Length"), &length))
        return false;
    reply->status = (int)number;
    return (uint64_t)length == reply->body.n;
}
