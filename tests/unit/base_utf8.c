/*
 * base_utf8.c - checks utf8_valid() against RFC 3629: every string of one, two and three bytes, the
 * boundaries of four, every code point.
 *
 * The oracle decodes without checks, encodes again, and compares: only the shortest form of a valid
 * code point comes back unchanged.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/*
 * Encodes by the table of RFC 3629, section 3. Returns the number of bytes; 0: not a code point
 * that may be encoded.
 */
static size_t
encode(uint32_t c, unsigned char *out)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (unsigned char)(0x80 | (c & 0x3f));
    out[0] = (unsigned char)(first[n] | c);
    return n;
}

/* True if these n bytes, 1 to 4, are one code point. */
static bool
is_one(const unsigned char *p, size_t n)
{
    static const unsigned char payload[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned char again[4] = {0};
    uint32_t c = p[0] & payload[n];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    if (encode(c, again) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (again[i] != p[i])
            return false;
    return true;
}

static bool
oracle(const unsigned char *p, size_t n)
{
    for (size_t k = 1; k <= 4 && k <= n; k++)
        if (is_one(p, k))
            return oracle(p + k, n - k);
    return n == 0;
}

static bool
valid(const unsigned char *p, size_t n)
{
    return utf8_valid((struct str){(const char *)p, n});
}

static void
assert_as_oracle(const unsigned char *p, size_t n)
{
    if (valid(p, n) != oracle(p, n))
        fail_msg("%zu bytes %02x %02x %02x %02x: utf8_valid says %d", n, p[0], p[1], p[2], p[3], valid(p, n));
}

static void
strings_of_up_to_three_bytes_are_judged_as_rfc_3629_says(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 1u << 24; c++) {
        unsigned char p[4] = {(unsigned char)(c >> 16), (unsigned char)(c >> 8), (unsigned char)c, 0};

        assert_as_oracle(p, 3);
        if ((c & 0xff) == 0)
            assert_as_oracle(p, 2);
        if ((c & 0xffff) == 0)
            assert_as_oracle(p, 1);
    }
}

static void
four_bytes_are_judged_right_at_every_boundary(void **state)
{
    static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f,
                                          0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xf0, 0xff};
    size_t count = sizeof(edges);

    (void)state;
    for (unsigned first = 0xe0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++)
            for (size_t i = 0; i < count * count; i++) {
                unsigned char p[4] = {(unsigned char)first, (unsigned char)second, edges[i / count],
                                      edges[i % count]};

                assert_as_oracle(p, 4);
            }
}

static void
every_code_point_is_valid_and_no_part_of_it(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        unsigned char p[4];
        size_t n = encode(c, p);

        if (n == 0)
            continue;
        assert_true(valid(p, n));
        for (size_t cut = 1; cut < n; cut++)
            assert_false(valid(p, cut));
    }
}

static void
sequences_that_rfc_3629_forbids_are_refused(void **state)
{
    static const char *const cases[] = {
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xed\xa0\x80\xed\xb0\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf7\xbf\xbf\xbf",
        "\xf8\x88\x80\x80\x80",
        "\xfc\x84\x80\x80\x80\x80",
        "\xfe",
        "\xff",
        "\x80",
        "\xbf",
        "a\x80",
        "\xc3\xa4\xa4",
        "\xe2\x82",
    };
    char text[16];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = strlen(cases[i]);

        assert_false(utf8_valid(str_c(cases[i])));
        /* Between valid characters it is detected too. */
        text[0] = 'a';
        memcpy(text + 1, cases[i], n);
        text[n + 1] = 'z';
        assert_false(utf8_valid((struct str){text, n + 2}));
    }
    assert_true(utf8_valid((struct str){NULL, 0}));
}

/* Nothing beyond the last byte is read: each string is at the end of its allocation. */
static void
random_strings_are_judged_as_rfc_3629_says(void **state)
{
    (void)state;
    support_srand();
    for (int i = 0; i < 100000; i++) {
        size_t n = 1 + (size_t)rand() % 12;
        unsigned char *p = malloc(n);

        assert_non_null(p);
        for (size_t k = 0; k < n; k++)
            p[k] = (unsigned char)(rand() % 4 != 0 ? 0x80 | rand() : rand());
        if (valid(p, n) != oracle(p, n))
            fail_msg("random string %d of %zu bytes", i, n);
        free(p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_of_up_to_three_bytes_are_judged_as_rfc_3629_says),
        cmocka_unit_test(four_bytes_are_judged_right_at_every_boundary),
        cmocka_unit_test(every_code_point_is_valid_and_no_part_of_it),
        cmocka_unit_test(sequences_that_rfc_3629_forbids_are_refused),
        cmocka_unit_test(random_strings_are_judged_as_rfc_3629_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
