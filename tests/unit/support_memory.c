/*
 * support_memory.c - what support.h asks of the engine in memory: nothing needs to be made or
 * cleaned up.
 */
#include "support.h"

#include "store/memory/engine.h"

void
support_setup_engine(void)
{
}

void
support_make(const struct place *place)
{
    (void)place;
}

/* A test that opens no store has no engine. */
const char *
support_undeclared(const struct place *place)
{
    return place->store.engine == NULL ? "" : place->store.engine->undeclared;
}

/* Its constraints are checked as it writes. */
void
support_check(const struct place *place)
{
    (void)place;
}
