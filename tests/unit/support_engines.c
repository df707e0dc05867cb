/*
 * support_engines.c - the engines that unit tests are built with, instead of
 * fcgi_app/store/engines.c.
 */
#include "store/memory/engine.h"
#ifdef IMD_POSTGRESQL
#include "store/pg/engine.h"
#endif
#include "store/sqlite/engine.h"

const struct engine *const engines[] = {
    &sqlite_engine,
    &memory_engine,
#ifdef IMD_POSTGRESQL
    &pg_engine,
#endif
    NULL,
};
