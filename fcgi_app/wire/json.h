/*
 * json.h - writes JSON directly into a buffer, without building a tree.
 *
 * The caller writes commas and brackets; the writer escapes strings. Strings must be valid UTF-8,
 * which every input was checked for before it was stored.
 */
#ifndef IMD_WIRE_JSON_H
#define IMD_WIRE_JSON_H

#include "base/buf.h"

/*
 * Appends a quoted string: '"', '\' and control characters are escaped, everything else is copied.
 */
void json_quote(struct buf *b, struct str s);

/* Appends the comma before an element of a list, unless it is the first. */
static inline void
json_comma(struct buf *b)
{
    if (b->n > 0 && b->p[b->n - 1] != '[')
        buf_add(b, ",", 1);
}

#endif
