/*
 * fuzz.h - shared by the fuzz targets: the function that libFuzzer calls, and an assertion that
 * stops it.
 */
#ifndef IMD_TESTS_FUZZ_H
#define IMD_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Called with each input; 0 keeps it if it reached new code. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Called once at the start, if the target defines it. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* An assertion for every input. If it fails, libFuzzer keeps the input and reports where. */
static inline void
must(bool claim)
{
    if (!claim)
        abort();
}

#endif
