/*
 * support_memory.c - the functions of support.h for the engine in memory: nothing needs to be
 * created or cleaned up, and its constraints are checked as it writes.
 */
#include "support.h"

#include "store/memory/data.h"

static void
do_nothing(void)
{
}

static void
make(struct place *place)
{
    (void)place;
}

static void
ignore(const struct place *place)
{
    (void)place;
}

/* A test that opens no store has no data. */
static const char *
undeclared(const struct place *place)
{
    return place->store.connections == NULL ? "" : data_of(&place->store)->undeclared;
}

const struct support_engine support_memory = {
    .name = "memory",
    .setup = do_nothing,
    .make = make,
    .check = ignore,
    .undeclared = undeclared,
};
