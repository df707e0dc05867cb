/*
 * Checks: a verified token is cached for CACHE_MS, but not beyond its expiry. A token in the same
 * slot evicts it. Threads that read the cache see whole claims.
 */
#include "support.h"

#include <stdio.h>
#include "auth/cache.h"

#define NOW_MS INT64_C(1700000000000)

static struct cache *cache;

static int
open_cache(void **state)
{
    (void)state;
    return cache_new(&cache) == ERR_OK ? 0 : -1;
}

static int
close_cache(void **state)
{
    (void)state;
    cache_free(cache);
    return 0;
}

/* Digests that differ only in their last byte share a slot. */
static const unsigned char *
digest_of(int place, int last)
{
    static unsigned char digest[TOKEN_DIGEST_BYTES];

    digest[0] = (unsigned char)place;
    digest[1] = (unsigned char)(place >> 8);
    digest[TOKEN_DIGEST_BYTES - 1] = (unsigned char)last;
    return digest;
}

static struct token_claims
claims_of(const char *subject, bool admin, int64_t expires_s)
{
    struct token_claims claims = {.admin = admin, .expires_s = expires_s};

    snprintf(claims.subject, sizeof(claims.subject), "%s", subject);
    return claims;
}

static void
put(int place, int last, const char *subject, int64_t now_ms, int64_t expires_s)
{
    struct token_claims claims = claims_of(subject, last % 2 != 0, expires_s);

    cache_put(cache, digest_of(place, last), now_ms, &claims);
}

/* Returns the user of the cached token; NULL: not cached. */
static const char *
get(int place, int last, int64_t now_ms)
{
    static struct token_claims claims;

    claims = claims_of("untouched", false, -1);
    if (cache_get(cache, digest_of(place, last), now_ms, &claims)) {
        assert_int_equal(claims.admin, last % 2 != 0);
        return claims.subject;
    }
    assert_string_equal(claims.subject, "untouched");
    assert_int_equal(claims.expires_s, -1);
    return NULL;
}

static void
a_stored_token_is_found(void **state)
{
    (void)state;
    for (int place = 0; place < 2048; place += 511)
        assert_null(get(place, 0, NOW_MS));
    /* An empty slot holds no token, not even one whose digest is all zero. */
    assert_null(get(0, 0, 0));
    assert_null(get(0, 0, -1));
    put(1, 1, "ann", NOW_MS, INT64_MAX);
    put(2, 2, "bob", NOW_MS, INT64_MAX);
    assert_string_equal(get(1, 1, NOW_MS), "ann");
    assert_string_equal(get(2, 2, NOW_MS), "bob");
    assert_string_equal(get(1, 1, NOW_MS + 1), "ann");
    assert_null(get(3, 1, NOW_MS));
}

static void
each_bit_of_a_digest_counts(void **state)
{
    unsigned char digest[TOKEN_DIGEST_BYTES];
    struct token_claims claims;

    (void)state;
    put(1, 1, "ann", NOW_MS, INT64_MAX);
    for (int bit = 0; bit < TOKEN_DIGEST_BYTES * 8; bit++) {
        memcpy(digest, digest_of(1, 1), sizeof(digest));
        digest[bit / 8] = (unsigned char)(digest[bit / 8] ^ 1 << bit % 8);
        assert_false(cache_get(cache, digest, NOW_MS, &claims));
    }
    assert_string_equal(get(1, 1, NOW_MS), "ann");
}

static void
another_token_takes_the_place(void **state)
{
    (void)state;
    put(7, 1, "ann", NOW_MS, INT64_MAX);
    put(7, 2, "bob", NOW_MS, INT64_MAX);
    assert_null(get(7, 1, NOW_MS));
    assert_string_equal(get(7, 2, NOW_MS), "bob");
    put(7, 1, "ann", NOW_MS, INT64_MAX);
    assert_null(get(7, 2, NOW_MS));
    assert_string_equal(get(7, 1, NOW_MS), "ann");
    /* The number of slots is limited: this digest has the slot of the first. */
    put(7 + 0x8000, 3, "cid", NOW_MS, INT64_MAX);
    assert_null(get(7, 1, NOW_MS));
    assert_string_equal(get(7 + 0x8000, 3, NOW_MS), "cid");
}

static void
a_token_is_cached_for_a_limited_time(void **state)
{
    (void)state;
    put(1, 1, "ann", NOW_MS, INT64_MAX);
    assert_string_equal(get(1, 1, NOW_MS + CACHE_MS - 1), "ann");
    assert_null(get(1, 1, NOW_MS + CACHE_MS));
    assert_null(get(1, 1, INT64_MAX));
    /* Reading does not extend the lifetime; putting again does. */
    assert_string_equal(get(1, 1, NOW_MS + CACHE_MS - 1), "ann");
    put(1, 1, "ann", NOW_MS + 500, INT64_MAX);
    assert_string_equal(get(1, 1, NOW_MS + CACHE_MS), "ann");
    assert_null(get(1, 1, NOW_MS + CACHE_MS + 500));
}

/*
 * In any fraction of a second: at `expires_s` the token is refused, so it must not be cached any
 * more.
 */
static void
a_token_is_not_cached_beyond_its_expiry(void **state)
{
    static const int64_t parts_ms[] = {0, 1, 499, 500, 501, 999};

    (void)state;
    for (size_t i = 0; i < sizeof(parts_ms) / sizeof(parts_ms[0]); i++)
        for (int64_t left_s = 0; left_s <= CACHE_MS / 1000 + 2; left_s++) {
            int64_t now_ms = NOW_MS + parts_ms[i];
            int64_t end_ms = NOW_MS + left_s * 1000;

            put(1, 1, "ann", now_ms, end_ms / 1000);
            if (end_ms > now_ms + CACHE_MS)
                end_ms = now_ms + CACHE_MS;
            if (end_ms > now_ms)
                assert_string_equal(get(1, 1, end_ms - 1), "ann");
            assert_null(get(1, 1, end_ms));
        }
    put(1, 1, "ann", NOW_MS, 0);
    assert_null(get(1, 1, NOW_MS));
}

static void
a_clock_that_was_set_back_ends_it(void **state)
{
    (void)state;
    put(1, 1, "ann", NOW_MS, INT64_MAX);
    assert_null(get(1, 1, NOW_MS - 1));
    assert_null(get(1, 1, NOW_MS - CACHE_MS));
    assert_null(get(1, 1, 0));
    assert_string_equal(get(1, 1, NOW_MS), "ann");
}

#define THREADS 8
#define ROUNDS  20000

struct crowd {
    struct cache *cache;
    int torn[THREADS];
    int found[THREADS];
};

/*
 * All threads put and get tokens of one slot. A name tells by whose digest it must have been found.
 */
static void
put_and_get(void *arg, int n)
{
    struct crowd *crowd = arg;

    for (int i = 0; i < ROUNDS; i++) {
        unsigned char digest[TOKEN_DIGEST_BYTES] = {0};
        struct token_claims claims = {.admin = n % 2 != 0, .expires_s = 2000000000 + n};

        memset(claims.subject, 'a' + n, USERNAME_BYTES_MAX);
        memset(digest + 2, n, sizeof(digest) - 2);
        cache_put(crowd->cache, digest, NOW_MS, &claims);
        memset(digest + 2, i % THREADS, sizeof(digest) - 2);
        if (!cache_get(crowd->cache, digest, NOW_MS, &claims))
            continue;
        crowd->found[n]++;
        crowd->torn[n] += claims.expires_s != 2000000000 + i % THREADS || claims.admin != (i % 2 != 0);
        for (int c = 0; c < USERNAME_BYTES_MAX; c++)
            crowd->torn[n] += claims.subject[c] != 'a' + i % THREADS;
    }
}

static void
threads_see_whole_claims(void **state)
{
    struct crowd crowd = {.cache = cache};
    int found = 0;

    (void)state;
    support_threads(THREADS, put_and_get, &crowd);
    for (int n = 0; n < THREADS; n++) {
        assert_int_equal(crowd.torn[n], 0);
        found += crowd.found[n];
    }
    assert_true(found > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)
        TEST(a_stored_token_is_found),
        TEST(each_bit_of_a_digest_counts),
        TEST(another_token_takes_the_place),
        TEST(a_token_is_cached_for_a_limited_time),
        TEST(a_token_is_not_cached_beyond_its_expiry),
        TEST(a_clock_that_was_set_back_ends_it),
        TEST(threads_see_whole_claims),
#undef TEST
    };

    return cmocka_run_group_tests(tests, support_group, NULL);
}
