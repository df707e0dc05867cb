/*
 * json.h - the appending JSON writer: straight into the response's buffer, no tree in between.
 *
 * The caller keeps the commas and brackets; the writer escapes. Strings must be valid UTF-8: everything
 * that enters the database was checked when it came.
 */
#ifndef IMD_WIRE_JSON_H
#define IMD_WIRE_JSON_H

#include "base/buf.h"

/* A string with its quotes; '"', '\' and control characters escaped, everything else as it is. */
void json_quote(struct buf *b, struct str s);

/* The comma before an element of a list, unless it is the first. */
static inline void
json_comma(struct buf *b)
{
    if (b->n > 0 && b->p[b->n - 1] != '[')
        buf_add(b, ",", 1);
}

#endif
