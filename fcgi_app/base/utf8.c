/* utf8.c - see utf8.h. */
#include "base/utf8.h"

/*
 * Returns the length of the sequence that c begins, and the range of its second byte. 0: c begins
 * none.
 */
static size_t
sequence(unsigned char c, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (c == 0xe0)
        *low = 0xa0;
    if (c == 0xed)
        *high = 0x9f;
    if (c == 0xf0)
        *low = 0x90;
    if (c == 0xf4)
        *high = 0x8f;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        return 2;
    if (c >= 0xe0 && c <= 0xef)
        return 3;
    if (c >= 0xf0 && c <= 0xf4)
        return 4;
    return 0;
}

bool
utf8_valid(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t i = 0; i < s.n;) {
        unsigned char low;
        unsigned char high;
        size_t n = sequence(p[i], &low, &high);

        if (n == 0 || n > s.n - i)
            return false;
        if (n > 1 && (p[i + 1] < low || p[i + 1] > high))
            return false;
        for (size_t k = 2; k < n; k++)
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
        i += n;
    }
    return true;
}
