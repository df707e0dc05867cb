/* str.c - see str.h. Must not know what the bytes mean. */
#include "base/str.h"

#include <stdlib.h>

static int
by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void
str_sort(struct str *list, size_t count)
{
    /* An empty list may have no array. */
    if (count > 1)
        qsort(list, count, sizeof(*list), by_bytes);
}

bool
str_to_int(struct str s, int64_t *out)
{
    int64_t value = 0;

    if (s.n == 0 || s.n > 19)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        int digit = s.p[i] - '0';

        if (digit < 0 || digit > 9 || value > (INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
