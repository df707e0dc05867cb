/*
 * buf.h - a byte buffer that grows as it is appended to.
 *
 * A failed allocation is remembered, not returned: write everything, then ask buf_ok() once. A
 * failed buffer ignores further writes.
 */
#ifndef IMD_BASE_BUF_H
#define IMD_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/str.h"

struct buf {
    char *p;
    size_t n;    /* bytes written */
    size_t size; /* bytes allocated */
    bool failed; /* memory ran out */
};

/* Allocates nothing; the first write does. */
void buf_init(struct buf *b);
void buf_clear(struct buf *b);
/* Empties the buffer. Keeps its memory for the next use, unless it is large. */
void buf_reset(struct buf *b);
/*
 * Returns where `bytes` more can be written; the caller adds to b->n what it wrote. NULL: out of
 * memory, and the buffer has failed.
 */
char *buf_reserve(struct buf *b, size_t bytes);
/* Drops everything after the first n bytes; n is at most b->n. */
void buf_cut(struct buf *b, size_t n);
/* Drops the first n bytes, moving the rest to the front; n is at most b->n. */
void buf_shift(struct buf *b, size_t n);
void buf_int(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* False once an allocation has failed. */
static inline bool
buf_ok(const struct buf *b)
{
    return !b->failed;
}

/* Appends n bytes. Inline: answers are written in many short pieces. */
static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
    char *to = b->size - b->n >= n && b->p != NULL ? b->p + b->n : buf_reserve(b, n);

    if (to == NULL || n == 0)
        return;
    memcpy(to, p, n);
    b->n += n;
}

/* Appends a string; an absent one appends nothing. */
static inline void
buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

/* Appends a C string without its NUL. */
static inline void
buf_c(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

#endif
