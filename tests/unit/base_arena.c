/*
 * base_arena.c - checks: memory of an arena is zeroed, aligned and keeps its bytes until the reset.
 * A reset keeps one chunk of normal size and no giant one. An array grows one element at a time and
 * keeps its bytes.
 */
#include "support.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define PIECES 400

static void
pieces_are_zeroed_aligned_and_apart(void **state)
{
    static unsigned char *pieces[PIECES];
    static size_t sizes[PIECES];
    struct arena a;

    (void)state;
    support_srand();
    arena_init(&a);
    for (int i = 0; i < PIECES; i++) {
        /* From nothing to more than a chunk holds. */
        sizes[i] = (size_t)rand() % (i % 50 == 49 ? 40000 : 300);
        pieces[i] = arena_alloc(&a, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], 1 + i % 255, sizes[i]);
    }
    for (int i = 0; i < PIECES; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            if (pieces[i][k] != 1 + i % 255)
                fail_msg("byte %zu of piece %d was overwritten", k, i);
    arena_clear(&a);
}

static void
memory_used_again_is_zeroed_again(void **state)
{
    struct arena a;
    unsigned char *first;
    unsigned char *again;

    (void)state;
    arena_init(&a);
    first = arena_alloc(&a, 1000);
    assert_non_null(first);
    memset(first, 0xff, 1000);
    arena_reset(&a);
    again = arena_alloc(&a, 1000);
    /* The chunk was kept: a thread that serves requests of normal size allocates once. */
    assert_ptr_equal(again, first);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(again[i], 0);
    arena_clear(&a);
}

static void
a_reset_keeps_the_first_chunk_only(void **state)
{
    struct arena a;
    void *first;

    (void)state;
    arena_init(&a);
    first = arena_alloc(&a, 8);
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_alloc(&a, 5000));
    assert_non_null(arena_alloc(&a, 1 << 20));
    arena_reset(&a);
    assert_ptr_equal(arena_alloc(&a, 8), first);
    arena_clear(&a);
    assert_null(a.chunks);
}

/* One large request must not pin its memory forever: alone, below and above normal allocations. */
static void
a_giant_chunk_does_not_stay(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_non_null(arena_alloc(&a, 1 << 20));
    arena_reset(&a);
    assert_null(a.chunks);
    assert_non_null(arena_alloc(&a, 1 << 20));
    assert_non_null(arena_alloc(&a, 16));
    arena_reset(&a);
    assert_null(a.chunks);
    assert_non_null(arena_alloc(&a, 16));
    arena_clear(&a);
}

static void
an_unused_arena_holds_nothing(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_null(a.chunks);
    arena_reset(&a);
    assert_null(a.chunks);
    arena_clear(&a);
    arena_clear(&a);
}

static void
too_much_is_refused(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX / 2 + 1));
    assert_non_null(arena_alloc(&a, 1));
    arena_clear(&a);
}

static void
a_copy_is_ended_by_nul(void **state)
{
    struct arena a;
    char text[] = "one\0two";
    struct str copy;

    (void)state;
    arena_init(&a);
    copy = arena_copy(&a, (struct str){text, 7});
    text[0] = 'X';
    assert_int_equal(copy.n, 7);
    assert_memory_equal(copy.p, "one\0two", 8);
    copy = arena_copy(&a, (struct str){0});
    assert_non_null(copy.p);
    assert_int_equal(copy.n, 0);
    assert_int_equal(copy.p[0], '\0');
    arena_clear(&a);
}

/* Two arrays that grow alternately, with elements of any size, do not overlap. */
static void
an_array_grows_and_keeps_its_bytes(void **state)
{
    enum { COUNT = 3000 };
    static const size_t sizes[] = {1, 3, 8, 24, 200};
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unsigned char *arrays[2] = {NULL, NULL};
        size_t n = sizes[i];

        for (size_t count = 0; count < COUNT; count++)
            for (int k = 0; k < 2; k++) {
                arrays[k] = arena_grow(&a, arrays[k], count, n);
                assert_non_null(arrays[k]);
                assert_int_equal((uintptr_t)arrays[k] % alignof(max_align_t), 0);
                memset(arrays[k] + count * n, (int)(count * 7 + (size_t)k * 3) % 251, n);
            }
        for (size_t count = 0; count < COUNT; count++)
            for (int k = 0; k < 2; k++)
                for (size_t byte = 0; byte < n; byte++)
                    if (arrays[k][count * n + byte] != (count * 7 + (size_t)k * 3) % 251)
                        fail_msg("element %zu of array %d was overwritten", count, k);
        arena_reset(&a);
    }
    arena_clear(&a);
}

/* So growing one by one takes no more than a few times the memory needed. */
static void
an_array_moves_seldom(void **state)
{
    struct arena a;
    int64_t *array = NULL;
    int moves = 0;

    (void)state;
    arena_init(&a);
    for (size_t count = 0; count < 10000; count++) {
        int64_t *grown = arena_grow(&a, array, count, sizeof(*array));

        assert_non_null(grown);
        moves += grown != array;
        array = grown;
        array[count] = (int64_t)count;
    }
    assert_in_range(moves, 1, 15);
    /* Too large to be allocated. */
    assert_null(arena_grow(&a, NULL, 0, SIZE_MAX / 16 + 1));
    arena_clear(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(memory_used_again_is_zeroed_again),
        cmocka_unit_test(a_reset_keeps_the_first_chunk_only),
        cmocka_unit_test(a_giant_chunk_does_not_stay),
        cmocka_unit_test(an_unused_arena_holds_nothing),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(a_copy_is_ended_by_nul),
        cmocka_unit_test(an_array_grows_and_keeps_its_bytes),
        cmocka_unit_test(an_array_moves_seldom),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
