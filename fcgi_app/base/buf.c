/* buf.c - see buf.h. Must not know what the bytes mean. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_BYTES 1024
#define KEEP_BYTES  (64 * 1024)

void
buf_init(struct buf *b)
{
    *b = (struct buf){0};
}

void
buf_clear(struct buf *b)
{
    free(b->p);
    buf_init(b);
}

void
buf_reset(struct buf *b)
{
    if (b->size > KEEP_BYTES)
        buf_clear(b);
    b->n = 0;
    b->failed = false;
}

/* Sets the capacity to the length too, so that the fast path of buf_add() finds no room. */
static char *
fail(struct buf *b)
{
    b->failed = true;
    b->size = b->n;
    return NULL;
}

char *
buf_reserve(struct buf *b, size_t bytes)
{
    size_t size = b->size == 0 ? FIRST_BYTES : b->size;
    char *p;

    if (b->failed || bytes > SIZE_MAX / 4 || b->n > SIZE_MAX / 4)
        return fail(b);
    while (size - b->n < bytes)
        size *= 2;
    if (size != b->size) {
        p = realloc(b->p, size);
        if (p == NULL)
            return fail(b);
        b->p = p;
        b->size = size;
    }
    return b->p + b->n;
}

void
buf_cut(struct buf *b, size_t n)
{
    b->n = n;
}

void
buf_shift(struct buf *b, size_t n)
{
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

void
buf_int(struct buf *b, int64_t value)
{
    char digits[24];
    size_t i = sizeof(digits);
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do {
        digits[--i] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--i] = '-';
    buf_add(b, digits + i, sizeof(digits) - i);
}

void
buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_list again;
    int n;
    char *to;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    to = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);
    if (to != NULL) {
        vsnprintf(to, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}
