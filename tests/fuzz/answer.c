/*
 * answer.c - fuzzes the parser of nchan's answers: an answer ends inside the text, and is the same
 * whatever follows it. None of its prefixes is an answer.
 */
#include "push/nchan.h"
#include "push/pipe.h"
#include "fuzz.h"

/* True if it is a part of the text. */
static bool
inside(struct str part, struct str text)
{
    return part.p >= text.p && part.p + part.n <= text.p + text.n;
}

/* Parses a copy of exactly so many bytes, so that a sanitizer detects a read beyond them. */
static long
parse(const uint8_t *data, size_t size, int *status)
{
    char *copy = malloc(size + (size == 0));
    struct str text = {copy, size};
    struct pipe_answer answer;
    struct str field;
    long n;

    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    n = pipe_parse_answer(text, &answer);
    if (n > 0) {
        text.n = (size_t)n;
        must(inside(answer.head, text) && inside(answer.body, text));
        must(answer.head.p + answer.head.n == answer.body.p && answer.body.p + answer.body.n == text.p + n);
        field = pipe_field(answer.head, "Content-Length");
        must(field.p == NULL || inside(field, answer.head));
        *status = answer.status;
    }
    free(copy);
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int status = -1;
    int again = -1;
    long n = parse(data, size, &status);

    must(n >= -1 && n <= (long)size);
    if (n <= 0)
        return 0;
    must(status >= 0 && status <= 999);
    must(parse(data, (size_t)n, &again) == n && again == status);
    must(parse(data, (size_t)n - 1, &again) == 0);
    return 0;
}
