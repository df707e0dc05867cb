/*
 * query.c - fuzzes the decoding of queries: what is accepted is valid UTF-8 without NUL and no longer than
 * what was given; what is refused is refused as a query.
 */
#include "base/utf8.h"
#include "http/request.h"
#include "fuzz.h"

static void
check_text(struct str s, size_t room)
{
    must(s.n <= room && utf8_valid(s) && (s.n == 0 || memchr(s.p, '\0', s.n) == NULL));
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
    must(err == ERR_QUERY || (err == ERR_OK && r.at_fault == NULL));
    for (size_t i = 0; i < r.param_count; i++) {
        check_text(r.params[i].name, size);
        check_text(r.params[i].value, size);
    }
    if (r.at_fault != NULL)
        check_text(str_c(r.at_fault), size);
    err = request_param(&r, "limit", &value);
    must(err == ERR_OK || err == ERR_DUPLICATE_PARAMETER);
    arena_clear(&arena);
    return 0;
}
