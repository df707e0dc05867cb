/*
 * str.h - a borrowed string: pointer and length, without a terminating NUL.
 *
 * Its owner must keep the bytes unchanged while the `struct str` is in use.
 */
#ifndef IMD_BASE_STR_H
#define IMD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /* NULL: absent; an empty string has a pointer */
    size_t n;      /* bytes */
};

/* Borrows a C string; NULL gives the absent string. */
static inline struct str
str_c(const char *s)
{
    return (struct str){s, s == NULL ? 0 : strlen(s)};
}

/* True if both have the same bytes; an absent string equals an empty one. */
static inline bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* True if the bytes are those of the C string. */
static inline bool
str_is(struct str a, const char *literal)
{
    return str_eq(a, str_c(literal));
}

/* Compares by bytes, as every database of imd orders names: <0, 0 or >0. */
static inline int
str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* Sorts by bytes. */
void str_sort(struct str *list, size_t count);

/*
 * FNV-1a. Not collision-resistant: an attacker can choose strings that collide. Never change it:
 * databases store its values.
 */
static inline uint32_t
str_hash(struct str s)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619U;
    return h;
}

/*
 * Reads 0 … 2^63-1 from decimal digits, with no sign and no blank. False: the text is not such a
 * number, and *out is unchanged.
 */
bool str_to_int(struct str s, int64_t *out);

#endif
