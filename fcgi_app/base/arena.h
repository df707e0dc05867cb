/*
 * arena.h - the memory of one request: taken piece by piece, given back at once.
 *
 * A thread owns one arena and resets it after each answer; handlers free nothing.
 */
#ifndef IMD_BASE_ARENA_H
#define IMD_BASE_ARENA_H

#include <stddef.h>
#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* bytes used of the newest */
};

/* Nothing is allocated until the first arena_alloc(). */
void arena_init(struct arena *a);
/* Frees everything. */
void arena_clear(struct arena *a);
/* Forgets everything handed out; keeps one chunk for the next request. */
void arena_reset(struct arena *a);
/* Zeroed, aligned for any type; lives until reset. NULL: out of memory. */
void *arena_alloc(struct arena *a, size_t bytes);
/*
 * Room for one more of `size` bytes at the end of an array of `count` that only this function has grown; NULL
 * and 0 to begin. The array moves when it is full. NULL: out of memory.
 */
void *arena_grow(struct arena *a, void *array, size_t count, size_t size);
/* A copy ended by NUL. An absent string where memory ran out. */
struct str arena_copy(struct arena *a, struct str s);

#endif
