/* json.c - see json.h. Must not know what it writes. */
#include "wire/json.h"

/* The letter after the backslash. 'u': \u00XX. 0: the byte needs no escape. */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u',         'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

static void
escape(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char out[6] = {'\\', escapes[c], '0', '0', hex[c >> 4], hex[c & 15]};

    buf_add(b, out, out[1] == 'u' ? 6 : 2);
}

void
json_quote(struct buf *b, struct str s)
{
    size_t from = 0;

    buf_add(b, "\"", 1);
    for (size_t i = 0; i < s.n; i++)
        if (escapes[(unsigned char)s.p[i]] != 0) {
            buf_add(b, s.p + from, i - from);
            escape(b, (unsigned char)s.p[i]);
            from = i + 1;
        }
    buf_add(b, s.p + from, s.n - from);
    buf_add(b, "\"", 1);
}
