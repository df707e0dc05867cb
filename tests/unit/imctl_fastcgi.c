/*
 * imctl_fastcgi.c - checks: imd's guard accepts every request that imctl writes. An answer is read
 * the same in any pieces, and any answer that is not imd's is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/guard.h"
#include "imctl/fastcgi.h"

#define HEAD "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"

enum { END = 3, STDOUT = 6, STDERR = 7 };

/* Appends a record with this padding. */
static void
add(struct buf *b, int type, const char *content, size_t n, int padding)
{
    const unsigned char header[8] = {
        1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8), (unsigned char)n, (unsigned char)padding};

    buf_add(b, header, sizeof(header));
    buf_add(b, content, n);
    for (int i = 0; i < padding; i++)
        buf_add(b, "", 1);
}

static void
add_text(struct buf *b, int type, const char *content)
{
    add(b, type, content, strlen(content), 0);
}

static void
add_end(struct buf *b, char protocol_status)
{
    const char end[8] = {0, 0, 0, 0, protocol_status};

    add(b, END, end, sizeof(end), 0);
}

/* Feeds a copy of exactly these bytes, so that a sanitizer detects a read beyond them. */
static enum fastcgi_verdict
feed(struct fastcgi_answer *a, const char *bytes, size_t n)
{
    char *copy = malloc(n + (n == 0));
    enum fastcgi_verdict verdict;

    assert_non_null(copy);
    if (n > 0)
        memcpy(copy, bytes, n);
    verdict = fastcgi_feed(a, copy, n);
    free(copy);
    return verdict;
}

static enum fastcgi_verdict
verdict_of(const struct buf *b)
{
    struct fastcgi_answer a;
    enum fastcgi_verdict verdict;

    fastcgi_init(&a);
    verdict = feed(&a, b->p, b->n);
    fastcgi_clear(&a);
    return verdict;
}

/* An answer of imd in two records, with padding and something on STDERR. */
static void
write_answer(struct buf *b)
{
    buf_init(b);
    add(b, STDOUT, HEAD, strlen(HEAD), 3);
    add_text(b, STDERR, "noise");
    add_text(b, STDOUT, "{}");
    add_text(b, STDOUT, "");
    add_end(b, 0);
}

static void
assert_guard_accepts(size_t path_n, size_t query_n, size_t body_n)
{
    char *filler = malloc(path_n + query_n + body_n + 1);
    struct fastcgi_request request = {.method = str_c("POST"),
                                      .path = {filler, path_n},
                                      .query = {filler, query_n},
                                      .request_id = str_c("0123"),
                                      .body = {filler, body_n}};
    struct guard guard;
    struct buf out;

    assert_non_null(filler);
    memset(filler, 'x', path_n + query_n + body_n + 1);
    buf_init(&out);
    fastcgi_write(&request, &out);
    assert_true(buf_ok(&out));
    guard_init(&guard);
    assert_int_equal(guard_feed(&guard, (const unsigned char *)out.p, out.n), GUARD_WHOLE);
    buf_clear(&out);
    free(filler);
}

static void
imds_guard_accepts_every_request(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 65535, 65536, 200000};
    const size_t count = sizeof(lengths) / sizeof(lengths[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_guard_accepts(lengths[i], 0, 0);
        assert_guard_accepts(5, lengths[i], 7);
        assert_guard_accepts(5, 0, lengths[i]);
    }
}

static void
an_answer_is_read_in_any_pieces(void **state)
{
    struct buf b;

    (void)state;
    write_answer(&b);
    for (size_t piece = 1; piece <= b.n; piece++) {
        struct fastcgi_answer a;
        struct fastcgi_reply reply;

        fastcgi_init(&a);
        for (size_t i = 0; i < b.n; i += piece) {
            size_t n = piece < b.n - i ? piece : b.n - i;

            assert_int_equal(feed(&a, b.p + i, n), i + n == b.n ? FASTCGI_WHOLE : FASTCGI_MORE);
        }
        assert_true(fastcgi_read(&a, &reply));
        assert_int_equal(reply.status, 200);
        assert_true(str_is(reply.body, "{}"));
        assert_true(str_is(fastcgi_header(reply.head, "Content-Type"), "application/json"));
        fastcgi_clear(&a);
    }
    buf_clear(&b);
}

static void
a_cut_answer_is_not_whole(void **state)
{
    struct buf b;

    (void)state;
    write_answer(&b);
    for (size_t n = 0; n < b.n; n++) {
        struct fastcgi_answer a;
        struct fastcgi_reply reply;

        fastcgi_init(&a);
        assert_int_equal(feed(&a, b.p, n), FASTCGI_MORE);
        assert_false(fastcgi_read(&a, &reply));
        fastcgi_clear(&a);
    }
    buf_clear(&b);
}

static void
nothing_may_follow_an_answer(void **state)
{
    struct fastcgi_answer a;
    struct buf b;

    (void)state;
    write_answer(&b);
    fastcgi_init(&a);
    assert_int_equal(feed(&a, b.p, b.n), FASTCGI_WHOLE);
    assert_int_equal(feed(&a, "", 0), FASTCGI_WHOLE);
    assert_int_equal(feed(&a, "x", 1), FASTCGI_BROKEN);
    fastcgi_clear(&a);
    buf_add(&b, "x", 1);
    assert_int_equal(verdict_of(&b), FASTCGI_BROKEN);
    buf_clear(&b);
}

/* Each byte of a header that is fixed: another value makes the answer invalid. */
static void
a_wrong_header_breaks_an_answer(void **state)
{
    static const struct {
        size_t at;
        char value;
    } wrong[] = {{0, 0}, {0, 2}, {0, 'H'}, {1, 0}, {1, 1}, {1, 2},
                 {1, 4}, {1, 5}, {1, 8},   {2, 1}, {3, 0}, {3, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct buf b;

        write_answer(&b);
        b.p[wrong[i].at] = wrong[i].value;
        assert_int_equal(verdict_of(&b), FASTCGI_BROKEN);
        buf_clear(&b);
    }
}

static void
an_end_that_is_none_breaks_an_answer(void **state)
{
    struct buf b;

    (void)state;
    for (char status = 1; status < 5; status++) {
        buf_init(&b);
        add_text(&b, STDOUT, HEAD "{}");
        add_end(&b, status);
        assert_int_equal(verdict_of(&b), FASTCGI_BROKEN);
        buf_clear(&b);
    }
    for (size_t n = 0; n < 12; n++) {
        buf_init(&b);
        add_text(&b, STDOUT, HEAD "{}");
        add(&b, END, "\0\0\0\0\0\0\0\0\0\0\0\0", n, 0);
        assert_int_equal(verdict_of(&b), n == 8 ? FASTCGI_WHOLE : FASTCGI_BROKEN);
        buf_clear(&b);
    }
}

static void
an_endless_answer_is_broken(void **state)
{
    static char content[65535];

    (void)state;
    for (int type = STDOUT; type <= STDERR; type++) {
        enum fastcgi_verdict verdict = FASTCGI_MORE;
        struct fastcgi_answer a;
        struct buf b;
        size_t n = 0;

        buf_init(&b);
        add(&b, type, content, sizeof(content), 255);
        fastcgi_init(&a);
        while (verdict == FASTCGI_MORE && n <= FASTCGI_ANSWER_BYTES_MAX) {
            verdict = fastcgi_feed(&a, b.p, b.n);
            n += sizeof(content);
        }
        assert_int_equal(verdict, FASTCGI_BROKEN);
        assert_true(a.output.n <= FASTCGI_ANSWER_BYTES_MAX);
        fastcgi_clear(&a);
        buf_clear(&b);
    }
}

static bool
is_read(const char *output)
{
    struct fastcgi_answer a;
    struct fastcgi_reply reply;
    struct buf b;
    bool ok;

    buf_init(&b);
    add_text(&b, STDOUT, output);
    add_end(&b, 0);
    fastcgi_init(&a);
    assert_int_equal(feed(&a, b.p, b.n), FASTCGI_WHOLE);
    ok = fastcgi_read(&a, &reply);
    fastcgi_clear(&a);
    buf_clear(&b);
    return ok;
}

static void
a_head_that_is_not_imds_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "\r\n\r\n{}",
        "Status: 200 OK\r\n\r\n{}",
        "Content-Length: 2\r\n\r\n{}",
        "Status: 200 OK\r\nContent-Length: 2\r\n{}",
        "Status: 200 OK\r\nContent-Length: 1\r\n\r\n{}",
        "Status: 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        "Status: 200 OK\r\nContent-Length: -2\r\n\r\n{}",
        "Status: 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\n{}",
        "Status: 200 OK\r\nContent-Length:2\r\n\r\n{}",
        "Status: 099 OK\r\nContent-Length: 2\r\n\r\n{}",
        "Status: 600 OK\r\nContent-Length: 2\r\n\r\n{}",
        "Status: 20\r\nContent-Length: 2\r\n\r\n{}",
        "Status: OK\r\nContent-Length: 2\r\n\r\n{}",
        "Status: \r\nContent-Length: 2\r\n\r\n{}",
        "XStatus: 200\r\nContent-Length: 2\r\n\r\n{}",
    };

    (void)state;
    assert_true(is_read(HEAD "{}"));
    assert_true(is_read("Content-Length: 0\r\nStatus: 202\r\n\r\n"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (is_read(wrong[i]))
            fail_msg("read: '%s'", wrong[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imds_guard_accepts_every_request),
        cmocka_unit_test(an_answer_is_read_in_any_pieces),
        cmocka_unit_test(a_cut_answer_is_not_whole),
        cmocka_unit_test(nothing_may_follow_an_answer),
        cmocka_unit_test(a_wrong_header_breaks_an_answer),
        cmocka_unit_test(an_end_that_is_none_breaks_an_answer),
        cmocka_unit_test(an_endless_answer_is_broken),
        cmocka_unit_test(a_head_that_is_not_imds_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
