/*
 * guard.c - see guard.h. Pure functions over bytes, written from the FastCGI specification, 1.0,
 * sections 3 and 5. Must not know where the bytes come from.
 */
#include "http/guard.h"

#include <stdbool.h>

#define HEADER_BYTES     8
#define VERSION          1
#define TYPE_BEGIN       1
#define TYPE_PARAMS      4
#define TYPE_STDIN       5
#define ROLE_RESPONDER   1
#define BEGIN_BODY_BYTES 8

void
guard_init(struct guard *g)
{
    *g = (struct guard){.stage = GUARD_AT_BEGIN};
}

/* A length has four bytes if the high bit of the first is set, else one. */
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

/* True if both lengths of the current pair have arrived. */
static bool
lengths_are_whole(const struct guard *g)
{
    size_t name_n = g->pair_n == 0 ? 1 : length_bytes(g->pair[0]);

    return g->pair_n > name_n && g->pair_n == name_n + length_bytes(g->pair[name_n]);
}

/* Tracks the name-value pairs, which may span several records. */
static void
follow_pairs(struct guard *g, const unsigned char *p, size_t n)
{
    size_t i = 0;

    while (i < n) {
        if (g->data_left > 0) {
            size_t step = g->data_left < n - i ? (size_t)g->data_left : n - i;

            g->data_left -= step;
            i += step;
            continue;
        }
        g->pair[g->pair_n++] = p[i++];
        if (lengths_are_whole(g)) {
            g->data_left = length_value(g->pair) + length_value(g->pair + length_bytes(g->pair[0]));
            g->pair_n = 0;
        }
    }
}

/*
 * True if these bytes of BEGIN's body do not contradict the responder role, which its first two
 * bytes hold. `at`: how many bytes of the body came before.
 */
static bool
role_is_ours(const unsigned char *p, size_t n, size_t at)
{
    static const unsigned char role[2] = {ROLE_RESPONDER >> 8, ROLE_RESPONDER & 0xff};

    for (size_t i = 0; i < n && at + i < sizeof(role); i++)
        if (p[i] != role[at + i])
            return false;
    return true;
}

/*
 * Returns the stage after an empty record, which ends the parameters or the body. It must not be
 * padded: libfcgi forgets the padding of such a record and takes it for the next record. nginx
 * never pads one.
 */
static enum guard_stage
stage_after_empty(const struct guard *g)
{
    if (g->padding_left > 0)
        return GUARD_AT_FAULT;
    if (g->stage == GUARD_AT_BODY)
        return GUARD_AT_END;
    /* A pair whose length was too large is incomplete here. */
    return g->pair_n == 0 && g->data_left == 0 ? GUARD_AT_BODY : GUARD_AT_FAULT;
}

/* Returns the stage after a complete header; GUARD_AT_FAULT if the record is out of order. */
static enum guard_stage
enter_record(struct guard *g)
{
    static const int types[] = {
        [GUARD_AT_BEGIN] = TYPE_BEGIN, [GUARD_AT_PARAMS] = TYPE_PARAMS, [GUARD_AT_BODY] = TYPE_STDIN};
    const unsigned char *h = g->header;
    int id = h[2] << 8 | h[3];

    g->header_n = 0;
    g->content_left = (size_t)h[4] << 8 | h[5];
    g->padding_left = h[6];
    if (h[1] != types[g->stage])
        return GUARD_AT_FAULT;
    if (g->stage == GUARD_AT_BEGIN) {
        g->id = id;
        return id != 0 && g->content_left == BEGIN_BODY_BYTES && g->padding_left == 0 ? GUARD_AT_BEGIN
                                                                                      : GUARD_AT_FAULT;
    }
    if (id != g->id)
        return GUARD_AT_FAULT;
    return g->content_left == 0 ? stage_after_empty(g) : g->stage;
}

/* Consumes one byte of a header. */
static void
take_header_byte(struct guard *g, unsigned char byte)
{
    g->header[g->header_n++] = byte;
    if (g->header[0] != VERSION)
        g->stage = GUARD_AT_FAULT;
    else if (g->header_n == HEADER_BYTES)
        g->stage = enter_record(g);
}

/* Consumes content of the current record, at most n bytes. Returns how many. */
static size_t
take_content(struct guard *g, const unsigned char *p, size_t n)
{
    size_t step = g->content_left < n ? g->content_left : n;

    if (g->stage == GUARD_AT_PARAMS)
        follow_pairs(g, p, step);
    else if (g->stage == GUARD_AT_BEGIN && !role_is_ours(p, step, BEGIN_BODY_BYTES - g->content_left))
        g->stage = GUARD_AT_FAULT;
    g->content_left -= step;
    if (g->stage == GUARD_AT_BEGIN && g->content_left == 0)
        g->stage = GUARD_AT_PARAMS;
    return step;
}

static size_t
take_padding(struct guard *g, size_t n)
{
    size_t step = g->padding_left < n ? g->padding_left : n;

    g->padding_left -= step;
    return step;
}

static enum guard_verdict
verdict(const struct guard *g)
{
    switch (g->stage) {
    case GUARD_AT_BEGIN:
    case GUARD_AT_PARAMS:
        return GUARD_CUT;
    case GUARD_AT_BODY:
        return GUARD_BEGUN;
    case GUARD_AT_END:
        return GUARD_WHOLE;
    default:
        return GUARD_BROKEN;
    }
}

enum guard_verdict
guard_feed(struct guard *g, const unsigned char *bytes, size_t n)
{
    size_t i = 0;

    while (i < n && g->stage != GUARD_AT_FAULT) {
        if (g->stage == GUARD_AT_END)
            g->stage = GUARD_AT_FAULT; /* nginx does not pipeline requests */
        else if (g->content_left > 0)
            i += take_content(g, bytes + i, n - i);
        else if (g->padding_left > 0)
            i += take_padding(g, n - i);
        else
            take_header_byte(g, bytes[i++]);
    }
    return verdict(g);
}
