/*
 * engines.c - the engines that imd and imctl are built with. Must not know anything else of them.
 */
#include "store/engine.h"

#ifdef IMD_POSTGRESQL
#include "store/pg/engine.h"
#endif
#include "store/sqlite/engine.h"

const struct engine *const engines[] = {
    &sqlite_engine,
#ifdef IMD_POSTGRESQL
    &pg_engine,
#endif
    NULL,
};
