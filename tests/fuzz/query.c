/*
 * query.c - fuzzes the decoding of queries: an accepted query is valid UTF-8 without NUL and no
 * longer than its input, and decodes to the same if every byte of it is escaped. A refused one gets
 * ERR_ENCODING. A number is read only from digits.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "http/request.h"
#include "fuzz.h"

static void
check_text(struct str s, size_t room)
{
    must(s.n <= room && utf8_valid(s) && (s.n == 0 || memchr(s.p, '\0', s.n) == NULL));
}

/* Escapes every byte as %XX. */
static void
write_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_printf(b, i % 2 == 0 ? "%%%02x" : "%%%02X", (unsigned)(unsigned char)s.p[i]);
}

static void
check_again(const struct request *r)
{
    struct request again = {.arena = r->arena};
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < r->param_count; i++) {
        write_escaped(&b, r->params[i].name);
        buf_c(&b, "=");
        write_escaped(&b, r->params[i].value);
        buf_c(&b, "&");
    }
    again.query = (struct str){b.p, b.n};
    must(buf_ok(&b) && request_parse_query(&again) == ERR_OK && again.param_count == r->param_count);
    for (size_t i = 0; i < r->param_count; i++)
        must(str_eq(again.params[i].name, r->params[i].name) &&
             str_eq(again.params[i].value, r->params[i].value));
    buf_clear(&b);
}

static void
check_number(struct str s)
{
    char text[32];
    int64_t value;

    if (!str_to_int(s, &value))
        return;
    must(value >= 0 && s.n > 0);
    while (s.n > 1 && s.p[0] == '0')
        s = (struct str){s.p + 1, s.n - 1};
    snprintf(text, sizeof(text), "%lld", (long long)value);
    must(str_is(s, text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct request r = {.query = {(const char *)data, size}, .arena = &arena};
    struct str value;
    enum err err;

    arena_init(&arena);
    err = request_parse_query(&r);
    must(err == ERR_ENCODING || (err == ERR_OK && r.at_fault == NULL));
    for (size_t i = 0; i < r.param_count; i++) {
        check_text(r.params[i].name, size);
        check_text(r.params[i].value, size);
        check_number(r.params[i].value);
    }
    if (err == ERR_OK)
        check_again(&r);
    if (r.at_fault != NULL)
        check_text(str_c(r.at_fault), size);
    err = request_param(&r, "limit", &value);
    must(err == ERR_OK || err == ERR_GIVEN_TWICE);
    arena_clear(&arena);
    return 0;
}
