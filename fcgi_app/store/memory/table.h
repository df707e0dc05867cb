/*
 * table.h - rows of one size in an array that is sorted by their key.
 *
 * A table owns its rows, not the bytes of the strings in them. Pointers to rows live until the next
 * change.
 */
#ifndef IMD_STORE_MEMORY_TABLE_H
#define IMD_STORE_MEMORY_TABLE_H

#include <stddef.h>
#include "base/err.h"

struct table {
    size_t row_bytes;
    int (*order)(const void *a, const void *b); /* of two rows by their keys: <0, 0, >0 */
    unsigned char *rows;
    size_t count;
    size_t room;
};

/* Makes *to a copy of the table. ERR_MEMORY: *to is empty. */
enum err table_copy(struct table *to, const struct table *from);
void table_clear(struct table *t);

/* Row i of 0 … count-1. */
void *table_row(const struct table *t, size_t i);
/* The index of the first row whose key is not below the key of *row; count: there is none. */
size_t table_find(const struct table *t, const void *row);
/* The row with the key of *row; NULL: there is none. */
void *table_get(const struct table *t, const void *row);

/* Puts a copy of *row where its key belongs, before a row of the same key. ERR_MEMORY. */
enum err table_insert(struct table *t, const void *row);
void table_delete(struct table *t, size_t i);

#endif
