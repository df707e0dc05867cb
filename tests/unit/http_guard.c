/*
 * http_guard.c - checks: a FastCGI request is complete only when all of its bytes have arrived. A
 * request that libfcgi must not see is refused, however its bytes are split. Nothing outside the
 * given bytes is read.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "http/guard.h"

#define ROOM 70000

enum { BEGIN = 1, ABORT = 2, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, DATA = 8, GET_VALUES = 9 };

static unsigned char request[ROOM];
static size_t request_n;

/* Appends one record; `content` NULL: zeros. */
static void
add_record(int type, int id, const void *content, size_t n, size_t padding)
{
    unsigned char *p = request + request_n;
    const unsigned char header[8] = {1,
                                     (unsigned char)type,
                                     (unsigned char)(id >> 8),
                                     (unsigned char)id,
                                     (unsigned char)(n >> 8),
                                     (unsigned char)n,
                                     (unsigned char)padding,
                                     0};

    assert_true(request_n + sizeof(header) + n + padding <= ROOM);
    memcpy(p, header, sizeof(header));
    memset(p + sizeof(header), 0, n + padding);
    if (content != NULL)
        memcpy(p + sizeof(header), content, n);
    request_n += sizeof(header) + n + padding;
}

static void
add_begin(int id, int role)
{
    const unsigned char body[8] = {(unsigned char)(role >> 8), (unsigned char)role, 1};

    add_record(BEGIN, id, body, sizeof(body), 0);
}

static size_t
put_length(unsigned char *p, size_t n)
{
    if (n < 0x80) {
        p[0] = (unsigned char)n;
        return 1;
    }
    p[0] = (unsigned char)(0x80 | n >> 24);
    p[1] = (unsigned char)(n >> 16);
    p[2] = (unsigned char)(n >> 8);
    p[3] = (unsigned char)n;
    return 4;
}

/* Pairs as nginx writes them: short and long lengths, an empty value; returns how many bytes. */
static size_t
make_pairs(unsigned char *p)
{
    static const size_t lengths[][2] = {{12, 9}, {14, 0}, {9, 300}, {130, 4}, {200, 200}, {1, 127}, {1, 128}};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        n += put_length(p + n, lengths[i][0]);
        n += put_length(p + n, lengths[i][1]);
        /* High bytes, which would be long lengths if data were taken for them. */
        memset(p + n, 0xff, lengths[i][0] + lengths[i][1]);
        n += lengths[i][0] + lengths[i][1];
    }
    return n;
}

/*
 * A request of nginx: id 1, all parameters in one record, padded, and a body in two. Returns where
 * the parameters end.
 */
static size_t
make_request(void)
{
    unsigned char pairs[2048];
    size_t n = make_pairs(pairs);
    size_t params_end;

    request_n = 0;
    add_begin(1, 1);
    add_record(PARAMS, 1, pairs, n, (8 - n % 8) % 8);
    add_record(PARAMS, 1, NULL, 0, 0);
    params_end = request_n;
    add_record(STDIN, 1, "{\"content\":", 11, 5);
    add_record(STDIN, 1, "\"hi\"}", 5, 3);
    add_record(STDIN, 1, NULL, 0, 0);
    return params_end;
}

/* From an allocation of exactly so many bytes, so that a sanitizer detects a read beyond it. */
static enum guard_verdict
look(size_t n)
{
    unsigned char *copy = malloc(n + (n == 0));
    struct guard guard;
    enum guard_verdict seen;

    assert_non_null(copy);
    memcpy(copy, request, n);
    guard_init(&guard);
    seen = guard_feed(&guard, copy, n);
    free(copy);
    return seen;
}

static void
a_real_request_is_whole(void **state)
{
    (void)state;
    make_request();
    assert_int_equal(look(request_n), GUARD_WHOLE);
}

static void
every_prefix_is_cut_or_begun(void **state)
{
    size_t params_end = make_request();

    (void)state;
    for (size_t n = 0; n < request_n; n++)
        if (look(n) != (n < params_end ? GUARD_CUT : GUARD_BEGUN))
            fail_msg("%zu of %zu bytes: %d", n, request_n, look(n));
}

static void
a_request_without_parameters_is_whole(void **state)
{
    (void)state;
    request_n = 0;
    add_begin(0xffff, 1);
    add_record(PARAMS, 0xffff, NULL, 0, 0);
    add_record(STDIN, 0xffff, NULL, 0, 0);
    assert_int_equal(look(request_n), GUARD_WHOLE);
}

/*
 * libfcgi forgets the padding of the record that begins a request and of those that end its two
 * streams, and takes it for the next record. A management record hidden there would end the
 * process.
 */
static void
padding_that_libfcgi_takes_for_a_record_is_broken(void **state)
{
    static const unsigned char begin[8] = {0, 1, 1};

    (void)state;
    for (size_t padding = 1; padding < 256; padding++) {
        request_n = 0;
        add_record(BEGIN, 1, begin, sizeof(begin), padding);
        add_record(PARAMS, 1, NULL, 0, 0);
        add_record(STDIN, 1, NULL, 0, 0);
        assert_int_equal(look(request_n), GUARD_BROKEN);
        request_n = 0;
        add_begin(1, 1);
        add_record(PARAMS, 1, "\1\1ab", 4, 4);
        add_record(PARAMS, 1, NULL, 0, padding);
        add_record(STDIN, 1, NULL, 0, 0);
        assert_int_equal(look(request_n), GUARD_BROKEN);
        request_n = 0;
        add_begin(1, 1);
        add_record(PARAMS, 1, NULL, 0, 0);
        add_record(STDIN, 1, NULL, 0, padding);
        assert_int_equal(look(request_n), GUARD_BROKEN);
    }
}

/* The pairs as three records, the second of `middle` bytes. */
static void
make_split_request(size_t at, size_t middle)
{
    unsigned char pairs[2048];
    size_t n = make_pairs(pairs);

    request_n = 0;
    add_begin(1, 1);
    if (at > 0)
        add_record(PARAMS, 1, pairs, at, at % 3);
    add_record(PARAMS, 1, pairs + at, middle, 0);
    if (at + middle < n)
        add_record(PARAMS, 1, pairs + at + middle, n - at - middle, 7);
    add_record(PARAMS, 1, NULL, 0, 0);
    add_record(STDIN, 1, NULL, 0, 0);
}

static void
pairs_may_be_split_anywhere(void **state)
{
    unsigned char pairs[2048];
    size_t n = make_pairs(pairs);

    (void)state;
    for (size_t middle = 1; middle <= 9; middle++)
        for (size_t at = 0; at + middle <= n; at++) {
            make_split_request(at, middle);
            if (look(request_n) != GUARD_WHOLE)
                fail_msg("split at %zu and %zu", at, at + middle);
        }
}

static void
every_prefix_of_split_pairs_is_cut_or_begun(void **state)
{
    static const size_t places[] = {1, 2, 22, 23, 300, 343, 344, 345, 346, 600};

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        make_split_request(places[i], 3);
        for (size_t n = 0; n < request_n; n++) {
            enum guard_verdict seen = look(n);

            if (seen != (n < request_n - 8 ? GUARD_CUT : GUARD_BEGUN))
                fail_msg("split at %zu: %zu of %zu bytes: %d", places[i], n, request_n, seen);
        }
    }
}

static void
every_pair_in_a_record_of_one_byte(void **state)
{
    unsigned char pairs[2048];
    size_t n = make_pairs(pairs);

    (void)state;
    request_n = 0;
    add_begin(1, 1);
    for (size_t i = 0; i < n; i++)
        add_record(PARAMS, 1, pairs + i, 1, 0);
    add_record(PARAMS, 1, NULL, 0, 0);
    add_record(STDIN, 1, NULL, 0, 0);
    assert_int_equal(look(request_n), GUARD_WHOLE);
}

/* A whole request whose parameters are these bytes. */
static enum guard_verdict
look_at_pairs(const char *pairs, size_t n)
{
    request_n = 0;
    add_begin(1, 1);
    add_record(PARAMS, 1, pairs, n, 0);
    add_record(PARAMS, 1, NULL, 0, 0);
    add_record(STDIN, 1, NULL, 0, 0);
    return look(request_n);
}

static void
lengths_beyond_the_end_are_broken(void **state)
{
    (void)state;
    assert_int_equal(look_at_pairs("\1\1ab", 4), GUARD_WHOLE);
    assert_int_equal(look_at_pairs("\0\0\0\0", 4), GUARD_WHOLE);
    assert_int_equal(look_at_pairs("\x80\0\0\1\x80\0\0\1ab", 10), GUARD_WHOLE);
    assert_int_equal(look_at_pairs("\1\2ab", 4), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\1\0ab", 4), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\1", 1), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\1\1ab\1", 5), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\x80\0\0", 3), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\x80\0\0\1\x80\0\0", 7), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\xff\xff\xff\xff\xff\xff\xff\xff", 8), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\xff\xff\xff\xff\0ab", 7), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\0\xff\xff\xff\xff"
                                   "ab",
                                   7),
                     GUARD_BROKEN);
    /*
     * Beyond the parameters, but within the bytes received: the name would end in the next record.
     */
    assert_int_equal(look_at_pairs("\x10\0ab", 4), GUARD_BROKEN);
    assert_int_equal(look_at_pairs("\2\0a", 3), GUARD_BROKEN);
}

/*
 * The real request, with another byte at `at`: in the first record, version 0, type 1, id 2-3,
 * length 4-5.
 */
static enum guard_verdict
look_with(size_t at, unsigned char byte)
{
    make_request();
    request[at] = byte;
    return look(request_n);
}

static void
another_version_type_role_or_id_is_broken(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        enum guard_verdict begin_type = look_with(1, (unsigned char)byte);
        enum guard_verdict params_type = look_with(17, (unsigned char)byte);

        assert_int_equal(look_with(0, (unsigned char)byte), byte == 1 ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(look_with(16, (unsigned char)byte), byte == 1 ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(begin_type, byte == BEGIN ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(params_type, byte == PARAMS ? GUARD_WHOLE : GUARD_BROKEN);
        /* The ids of BEGIN and of the parameters. */
        assert_int_equal(look_with(3, (unsigned char)byte), byte == 1 ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(look_with(2, (unsigned char)byte), byte == 0 ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(look_with(19, (unsigned char)byte), byte == 1 ? GUARD_WHOLE : GUARD_BROKEN);
        /* The role. */
        assert_int_equal(look_with(8, (unsigned char)byte), byte == 0 ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(look_with(9, (unsigned char)byte), byte == 1 ? GUARD_WHOLE : GUARD_BROKEN);
    }
}

static void
request_id_0_is_broken(void **state)
{
    (void)state;
    request_n = 0;
    add_begin(0, 1);
    add_record(PARAMS, 0, NULL, 0, 0);
    add_record(STDIN, 0, NULL, 0, 0);
    assert_int_equal(look(request_n), GUARD_BROKEN);
}

static void
records_out_of_turn_are_broken(void **state)
{
    static const int types[] = {0, BEGIN, ABORT, END, STDIN, STDOUT, DATA, GET_VALUES, 255};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        request_n = 0;
        add_begin(1, 1);
        add_record(types[i], 1, NULL, 8, 0);
        assert_int_equal(look(request_n), GUARD_BROKEN);
        if (types[i] == STDIN)
            continue;
        request_n = 0;
        add_begin(1, 1);
        add_record(PARAMS, 1, NULL, 0, 0);
        add_record(types[i], 1, NULL, 8, 0);
        assert_int_equal(look(request_n), GUARD_BROKEN);
    }
    request_n = 0;
    add_begin(1, 1);
    add_record(PARAMS, 1, NULL, 0, 0);
    add_record(STDIN, 2, NULL, 0, 0);
    assert_int_equal(look(request_n), GUARD_BROKEN);
    /* A management record, which has no id, as the first. */
    request_n = 0;
    add_record(GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS", 16, 0);
    assert_int_equal(look(request_n), GUARD_BROKEN);
}

static void
a_begin_of_another_length_is_broken(void **state)
{
    (void)state;
    for (size_t n = 0; n < 20; n++) {
        request_n = 0;
        add_record(BEGIN, 1, "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", n, 0);
        add_record(PARAMS, 1, NULL, 0, 0);
        add_record(STDIN, 1, NULL, 0, 0);
        assert_int_equal(look(request_n), n == 8 ? GUARD_WHOLE : GUARD_BROKEN);
    }
}

static void
bytes_after_a_request_are_broken(void **state)
{
    (void)state;
    make_request();
    request[request_n++] = 1;
    assert_int_equal(look(request_n), GUARD_BROKEN);
}

/* The whole request in pieces of `step` bytes; 0: of random lengths. */
static void
check_pieces(size_t step, const enum guard_verdict *at)
{
    struct guard guard;
    size_t n = 0;

    guard_init(&guard);
    while (n < request_n) {
        size_t piece = step > 0 ? step : (size_t)rand() % 40;
        enum guard_verdict seen;

        piece = piece < request_n - n ? piece : request_n - n;
        seen = guard_feed(&guard, request + n, piece);
        n += piece;
        if (seen != at[n])
            fail_msg("in steps of %zu, after %zu of %zu bytes: %d, not %d", step, n, request_n, seen, at[n]);
    }
}

/* The verdict on each prefix is the same, whatever the bytes are. */
static void
pieces_are_judged_like_the_whole(void **state)
{
    static enum guard_verdict at[ROOM + 1];

    (void)state;
    support_srand();
    for (int round = 0; round < 200; round++) {
        if (round % 2 == 0)
            make_request();
        else
            make_split_request((size_t)rand() % 600, 1 + (size_t)rand() % 9);
        for (int changes = round / 2 % 4; changes > 0; changes--)
            request[(size_t)rand() % (rand() % 2 ? 32 : request_n)] = (unsigned char)rand();
        for (size_t n = 0; n <= request_n; n++)
            at[n] = look(n);
        for (size_t step = 0; step < 20; step++)
            check_pieces(step, at);
    }
}

/*
 * A body far longer than any piece of it, in records of all lengths. Then one byte of a late header
 * differs.
 */
static enum guard_verdict
judge_long_body(size_t turned_at, unsigned char byte)
{
    struct guard guard;
    enum guard_verdict seen = GUARD_CUT;

    request_n = 0;
    add_begin(1, 1);
    add_record(PARAMS, 1, NULL, 0, 0);
    guard_init(&guard);
    assert_int_equal(guard_feed(&guard, request, request_n), GUARD_BEGUN);
    for (size_t length = 1; length < 60000 && seen != GUARD_BROKEN; length = length * 3 + 1) {
        request_n = 0;
        add_record(STDIN, 1, NULL, length, length % 8);
        if (length > 9000)
            request[turned_at] = byte;
        seen = guard_feed(&guard, request, request_n);
    }
    request_n = 0;
    add_record(STDIN, 1, NULL, 0, 0);
    return seen == GUARD_BROKEN ? seen : guard_feed(&guard, request, request_n);
}

static void
every_record_of_a_long_body_is_judged(void **state)
{
    (void)state;
    assert_int_equal(judge_long_body(0, 1), GUARD_WHOLE);
    for (int byte = 0; byte < 256; byte++) {
        assert_int_equal(judge_long_body(0, (unsigned char)byte), byte == 1 ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(judge_long_body(1, (unsigned char)byte), byte == STDIN ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(judge_long_body(2, (unsigned char)byte), byte == 0 ? GUARD_WHOLE : GUARD_BROKEN);
        assert_int_equal(judge_long_body(3, (unsigned char)byte), byte == 1 ? GUARD_WHOLE : GUARD_BROKEN);
    }
}

static void
a_broken_request_stays_broken(void **state)
{
    struct guard guard;

    (void)state;
    make_request();
    guard_init(&guard);
    assert_int_equal(guard_feed(&guard, (const unsigned char *)"\2", 1), GUARD_BROKEN);
    assert_int_equal(guard_feed(&guard, request, request_n), GUARD_BROKEN);
}

/*
 * No mutation makes it read outside (a sanitizer would report it) or return anything but its four
 * verdicts.
 */
static void
mutations_stay_inside(void **state)
{
    (void)state;
    support_srand();
    for (int i = 0; i < 100000; i++) {
        int changes = 1 + rand() % 8;
        size_t n;
        enum guard_verdict seen;

        make_request();
        /* Mostly in the headers and lengths, where errors are most likely. */
        for (int k = 0; k < changes; k++)
            request[(size_t)rand() % (rand() % 2 ? 32 : request_n)] = (unsigned char)rand();
        n = rand() % 2 ? request_n : (size_t)rand() % (request_n + 1);
        seen = look(n);
        assert_in_range(seen, GUARD_WHOLE, GUARD_BROKEN);
    }
}

static void
noise_is_never_whole(void **state)
{
    (void)state;
    support_srand();
    for (int i = 0; i < 100000; i++) {
        request_n = (size_t)rand() % 64;
        for (size_t k = 0; k < request_n; k++)
            request[k] = (unsigned char)(rand() % 3 ? rand() % 6 : rand());
        assert_int_not_equal(look(request_n), GUARD_WHOLE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_request_is_whole),
        cmocka_unit_test(every_prefix_is_cut_or_begun),
        cmocka_unit_test(a_request_without_parameters_is_whole),
        cmocka_unit_test(padding_that_libfcgi_takes_for_a_record_is_broken),
        cmocka_unit_test(pairs_may_be_split_anywhere),
        cmocka_unit_test(every_prefix_of_split_pairs_is_cut_or_begun),
        cmocka_unit_test(every_pair_in_a_record_of_one_byte),
        cmocka_unit_test(lengths_beyond_the_end_are_broken),
        cmocka_unit_test(another_version_type_role_or_id_is_broken),
        cmocka_unit_test(request_id_0_is_broken),
        cmocka_unit_test(records_out_of_turn_are_broken),
        cmocka_unit_test(a_begin_of_another_length_is_broken),
        cmocka_unit_test(bytes_after_a_request_are_broken),
        cmocka_unit_test(pieces_are_judged_like_the_whole),
        cmocka_unit_test(every_record_of_a_long_body_is_judged),
        cmocka_unit_test(a_broken_request_stays_broken),
        cmocka_unit_test(mutations_stay_inside),
        cmocka_unit_test(noise_is_never_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
