/*
 * guard.c - see guard.h. Pure functions over bytes, written from the FastCGI specification, 1.0, sections 3
 * and 5. Must not know where the bytes come from.
 */
#include "http/guard.h"

#include <stdbool.h>
#include <stdint.h>

#define HEADER_BYTES     8
#define TYPE_BEGIN       1
#define TYPE_PARAMS      4
#define TYPE_STDIN       5
#define ROLE_RESPONDER   1
#define BEGIN_BODY_BYTES 8

/* One record: header, content, padding. */
struct record {
    int type;
    int id;
    const unsigned char *content;
    size_t content_n;
    size_t padding_n;
};

/* What is left to look at. */
struct rest {
    const unsigned char *p;
    size_t n;
};

/* Where the stream of name-value pairs stands; a pair may run over several records. */
struct pairs {
    unsigned char head[8]; /* the lengths of the pair at hand, as far as they have come */
    size_t head_n;
    uint64_t data_left; /* bytes of its name and value still to come */
};

/* Takes one record off; WHOLE, CUT or BROKEN. */
static enum guard
next_record(struct rest *rest, struct record *r)
{
    size_t total;

    if (rest->n > 0 && rest->p[0] != 1)
        return GUARD_BROKEN;
    if (rest->n < HEADER_BYTES)
        return GUARD_CUT;
    r->type = rest->p[1];
    r->id = rest->p[2] << 8 | rest->p[3];
    r->content = rest->p + HEADER_BYTES;
    r->content_n = (size_t)rest->p[4] << 8 | rest->p[5];
    r->padding_n = rest->p[6];
    total = HEADER_BYTES + r->content_n + r->padding_n;
    if (r->type != TYPE_BEGIN && r->type != TYPE_PARAMS && r->type != TYPE_STDIN)
        return GUARD_BROKEN;
    if (rest->n < total)
        return GUARD_CUT;
    rest->p += total;
    rest->n -= total;
    return GUARD_WHOLE;
}

/* A length takes one byte, or four where the first has its high bit set. */
static size_t
length_bytes(unsigned char first)
{
    return first >= 0x80 ? 4 : 1;
}

static uint64_t
length_value(const unsigned char *p)
{
    if (p[0] < 0x80)
        return p[0];
    return (uint64_t)(p[0] & 0x7f) << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
}

/* Are both lengths of the pair at hand there? */
static bool
head_is_whole(const struct pairs *s)
{
    size_t name_n = s->head_n == 0 ? 1 : length_bytes(s->head[0]);

    return s->head_n > name_n && s->head_n == name_n + length_bytes(s->head[name_n]);
}

/* Follows the pairs through the content of one record. */
static void
follow_pairs(struct pairs *s, const struct record *r)
{
    size_t i = 0;

    while (i < r->content_n) {
        if (s->data_left > 0) {
            size_t step = r->content_n - i;

            step = s->data_left < step ? (size_t)s->data_left : step;
            s->data_left -= step;
            i += step;
            continue;
        }
        s->head[s->head_n++] = r->content[i++];
        if (head_is_whole(s)) {
            s->data_left = length_value(s->head) + length_value(s->head + length_bytes(s->head[0]));
            s->head_n = 0;
        }
    }
}

/* The parameters, up to the empty record that ends them. */
static enum guard
look_at_params(struct rest *rest, int id)
{
    struct pairs pairs = {.head_n = 0};
    struct record r;

    for (;;) {
        enum guard seen = next_record(rest, &r);

        if (seen != GUARD_WHOLE)
            return seen;
        if (r.type != TYPE_PARAMS || r.id != id)
            return GUARD_BROKEN;
        /* A length that was too large shows here. (And libfcgi takes padding here for a record.) */
        if (r.content_n == 0)
            return pairs.head_n == 0 && pairs.data_left == 0 && r.padding_n == 0 ? GUARD_WHOLE : GUARD_BROKEN;
        follow_pairs(&pairs, &r);
    }
}

enum guard
guard_look(const unsigned char *bytes, size_t n)
{
    struct rest rest = {bytes, n};
    struct record r;
    enum guard seen = next_record(&rest, &r);
    int id;

    if (seen != GUARD_WHOLE)
        return seen;
    id = r.id;
    /* libfcgi takes padding here for a record; nobody who means well pads what is aligned. */
    if (r.type != TYPE_BEGIN || id == 0 || r.padding_n != 0 || r.content_n != BEGIN_BODY_BYTES ||
        r.content[0] != 0 || r.content[1] != ROLE_RESPONDER)
        return GUARD_BROKEN;
    seen = look_at_params(&rest, id);
    if (seen != GUARD_WHOLE)
        return seen;
    do {
        seen = next_record(&rest, &r);
        if (seen != GUARD_WHOLE)
            return seen == GUARD_CUT ? GUARD_BEGUN : seen;
        if (r.type != TYPE_STDIN || r.id != id)
            return GUARD_BROKEN;
    } while (r.content_n > 0);
    /* nginx asks for one thing at a time. */
    return rest.n == 0 ? GUARD_WHOLE : GUARD_BROKEN;
}
