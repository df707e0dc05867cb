/*
 * fuzz.h - what the fuzz targets share: the entry that libFuzzer calls, and a check that stops it.
 */
#ifndef IMD_TESTS_FUZZ_H
#define IMD_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Called with each input; 0 keeps it where it reached something new. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Called once before, of a target that has it. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/*
 * A claim that holds for every input: where it does not, libFuzzer keeps the input and says where.
 */
static inline void
must(bool claim)
{
    if (!claim)
        abort();
}

#endif
