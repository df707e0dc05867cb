/*
 * guard.c - fuzzes the look at FastCGI requests: a whole request is whole in no other length, and each of its
 * beginnings is one that more bytes could complete.
 */
#include <stdlib.h>
#include <string.h>
#include <stdint.h>

#include "http/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From a copy of exactly so many bytes: a step beyond them is seen. */
static enum guard
look(const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc(size + (size == 0));
    enum guard seen;

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    seen = guard_look(copy, size);
    free(copy);
    return seen;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum guard seen = look(data, size);
    enum guard before = GUARD_CUT;

    if (seen != GUARD_WHOLE)
        return 0;
    for (size_t n = 0; n < size; n += 1 + n / 64) {
        enum guard now = look(data, n);

        if (now != GUARD_CUT && now != GUARD_BEGUN)
            abort();
        if (before == GUARD_BEGUN && now == GUARD_CUT)
            abort();
        before = now;
    }
    return 0;
}
