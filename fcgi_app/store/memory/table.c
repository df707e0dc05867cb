/* table.c - see table.h. Must not know what the rows are. */
#include "store/memory/table.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16

enum err
table_copy(struct table *to, const struct table *from)
{
    *to = *from;
    to->rows = NULL;
    to->count = 0;
    to->room = 0;
    if (from->count == 0)
        return ERR_OK;
    to->rows = malloc(from->count * from->row_bytes);
    if (to->rows == NULL)
        return ERR_MEMORY;
    memcpy(to->rows, from->rows, from->count * from->row_bytes);
    to->count = from->count;
    to->room = from->count;
    return ERR_OK;
}

void
table_clear(struct table *t)
{
    free(t->rows);
    t->rows = NULL;
    t->count = 0;
    t->room = 0;
}

void *
table_row(const struct table *t, size_t i)
{
    return t->rows + i * t->row_bytes;
}

size_t
table_find(const struct table *t, const void *row)
{
    size_t low = 0;
    size_t high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->order(table_row(t, middle), row) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void *
table_get(const struct table *t, const void *row)
{
    size_t i = table_find(t, row);

    return i < t->count && t->order(table_row(t, i), row) == 0 ? table_row(t, i) : NULL;
}

enum err
table_insert(struct table *t, const void *row)
{
    size_t i = table_find(t, row);

    if (t->count == t->room) {
        size_t room = t->room < ROOM_MIN ? ROOM_MIN : t->room * 2;
        unsigned char *rows = realloc(t->rows, room * t->row_bytes);

        if (rows == NULL)
            return ERR_MEMORY;
        t->rows = rows;
        t->room = room;
    }
    memmove(t->rows + (i + 1) * t->row_bytes, t->rows + i * t->row_bytes, (t->count - i) * t->row_bytes);
    memcpy(table_row(t, i), row, t->row_bytes);
    t->count++;
    return ERR_OK;
}

void
table_delete(struct table *t, size_t i)
{
    t->count--;
    memmove(t->rows + i * t->row_bytes, t->rows + (i + 1) * t->row_bytes, (t->count - i) * t->row_bytes);
}
