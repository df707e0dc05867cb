/*
 * fastcgi.c - fuzzes imctl's side of FastCGI. The input is the answer of a hostile imd: nothing
 * outside it is read, the verdict is the same however the bytes are split, and a complete answer is
 * complete in no other length. The same bytes, sent as the parts of a request, make a request that
 * imd's guard accepts.
 */
#include <string.h>

#include "http/guard.h"
#include "imctl/fastcgi.h"
#include "fuzz.h"

/*
 * Feeds one piece, from a copy of exactly so many bytes, so that a sanitizer detects a read beyond
 * them.
 */
static enum fastcgi_verdict
feed(struct fastcgi_answer *a, const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc(size + (size == 0));
    enum fastcgi_verdict verdict;

    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    verdict = fastcgi_feed(a, copy, size);
    free(copy);
    return verdict;
}

static bool
is_inside(struct str part, const struct buf *whole)
{
    return part.n == 0 || (part.p >= whole->p && part.p + part.n <= whole->p + whole->n);
}

static enum fastcgi_verdict
read_whole(const uint8_t *data, size_t size)
{
    struct fastcgi_answer a;
    struct fastcgi_reply reply;
    enum fastcgi_verdict verdict;

    fastcgi_init(&a);
    verdict = feed(&a, data, size);
    must(a.output.n <= size);
    if (fastcgi_read(&a, &reply)) {
        must(verdict == FASTCGI_WHOLE && reply.status >= 100 && reply.status <= 599);
        must(is_inside(reply.head, &a.output) && is_inside(reply.body, &a.output));
        must(is_inside(fastcgi_header(reply.head, "Idempotent-Replayed"), &a.output));
    }
    fastcgi_clear(&a);
    return verdict;
}

/* In pieces of 1, 2, 3 … bytes, so that every kind of field is cut somewhere. */
static enum fastcgi_verdict
read_in_pieces(const uint8_t *data, size_t size)
{
    struct fastcgi_answer a;
    enum fastcgi_verdict verdict = FASTCGI_MORE;
    size_t piece = 1;

    fastcgi_init(&a);
    for (size_t n = 0; n < size; n += piece++)
        verdict = feed(&a, data + n, piece < size - n ? piece : size - n);
    fastcgi_clear(&a);
    return verdict;
}

/* Splits the bytes into the parts of a request at every third of them. */
static void
check_request(const char *data, size_t size)
{
    size_t third = size / 3;
    struct fastcgi_request request = {.method = str_c("POST"),
                                      .path = {data, third},
                                      .query = {data + third, third},
                                      .request_id = str_c("0"),
                                      .body = {data + 2 * third, size - 2 * third}};
    struct guard guard;
    struct buf out;

    buf_init(&out);
    fastcgi_write(&request, &out);
    must(buf_ok(&out));
    guard_init(&guard);
    must(guard_feed(&guard, (const unsigned char *)out.p, out.n) == GUARD_WHOLE);
    buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum fastcgi_verdict verdict = read_whole(data, size);

    must(read_in_pieces(data, size) == verdict);
    for (size_t n = 0; verdict == FASTCGI_WHOLE && n < size; n += 1 + n / 64)
        must(read_whole(data, n) == FASTCGI_MORE);
    check_request((const char *)data, size);
    return 0;
}
