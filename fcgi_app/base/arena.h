/*
 * arena.h - the memory of one request: allocated piece by piece, freed all at once.
 *
 * Each thread owns one arena and resets it after each answer, so handlers free nothing.
 */
#ifndef IMD_BASE_ARENA_H
#define IMD_BASE_ARENA_H

#include <stddef.h>
#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* bytes used in the newest chunk */
};

/* Allocates nothing; the first arena_alloc() does. */
void arena_init(struct arena *a);
/* Frees everything. */
void arena_clear(struct arena *a);
/* Frees everything handed out, but keeps at most one chunk of normal size for the next request. */
void arena_reset(struct arena *a);
/* Returns zeroed memory, aligned for any type, valid until the reset. NULL: out of memory. */
void *arena_alloc(struct arena *a, size_t bytes);
/*
 * Returns the array with room for one more element; NULL: out of memory. `count` is its number of
 * elements and `size` the bytes of each. Start with NULL and 0, and grow the array only by this
 * function: it relies on the capacities that it chose. A full array moves.
 */
void *arena_grow(struct arena *a, void *array, size_t count, size_t size);
/* Returns a copy that a NUL follows. An absent string: out of memory. */
struct str arena_copy(struct arena *a, struct str s);

#endif
