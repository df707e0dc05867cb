/*
 * answer.c - fuzzes the reading of nchan's answers: an answer ends inside the text, and is the same whatever
 * follows it; none of its prefixes is one.
 */
#include <stdlib.h>

#include "push/nchan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly so many bytes: a step beyond them is seen. */
static long
parse(const uint8_t *data, size_t size, int *status)
{
    char *copy = malloc(size + (size == 0));
    long n;

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    n = nchan_parse_answer((struct str){copy, size}, status);
    free(copy);
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int status = -1;
    int again = -1;
    long n = parse(data, size, &status);

    if (n < -1 || n > (long)size)
        abort();
    if (n <= 0)
        return 0;
    if (status < 0 || status > 999)
        abort();
    if (parse(data, (size_t)n, &again) != n || again != status)
        abort();
    if (parse(data, (size_t)n - 1, &again) != 0)
        abort();
    return 0;
}
