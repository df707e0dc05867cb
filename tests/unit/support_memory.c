/*
 * support_memory.c - what support.h asks of the engine in memory: nothing needs to be made or
 * cleaned up.
 */
#include "support.h"

void
support_setup_engine(void)
{
}

void
support_make(const struct place *place)
{
    (void)place;
}

/* Its constraints are checked as it writes. */
void
support_check(const struct place *place)
{
    (void)place;
}
