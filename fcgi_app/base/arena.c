/* arena.c - see arena.h. Must not know what it holds. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#define CHUNK_BYTES 8192

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* bytes in data */
    alignas(max_align_t) unsigned char data[];
};

void
arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

static void
free_from(struct arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
}

void
arena_clear(struct arena *a)
{
    free_from(a->chunks);
    arena_init(a);
}

void
arena_reset(struct arena *a)
{
    a->used = 0;
    if (a->chunks == NULL)
        return;
    /*
     * Keep only the oldest chunk, and only if it has the normal size: one huge request must not pin
     * its memory.
     */
    while (a->chunks->next != NULL || a->chunks->size > CHUNK_BYTES) {
        struct arena_chunk *chunk = a->chunks;

        a->chunks = chunk->next;
        free(chunk);
        if (a->chunks == NULL)
            return;
    }
}

void *
arena_alloc(struct arena *a, size_t bytes)
{
    size_t align = alignof(max_align_t);
    size_t need;
    unsigned char *p;

    if (bytes > SIZE_MAX / 2)
        return NULL;
    need = (bytes + align - 1) / align * align;
    if (a->chunks == NULL || a->chunks->size - a->used < need) {
        size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;
        struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);

        if (chunk == NULL)
            return NULL;
        chunk->size = size;
        chunk->next = a->chunks;
        a->chunks = chunk;
        a->used = 0;
    }
    p = a->chunks->data + a->used;
    a->used += need;
    memset(p, 0, need);
    return p;
}

void *
arena_grow(struct arena *a, void *array, size_t count, size_t size)
{
    void *larger;

    if (count > 0 && (count < 8 || (count & (count - 1)) != 0))
        return array;
    larger = arena_alloc(a, (count < 8 ? 8 : count * 2) * size);
    if (larger != NULL && count > 0)
        memcpy(larger, array, count * size);
    return larger;
}

struct str
arena_copy(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (p == NULL)
        return (struct str){0};
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}
