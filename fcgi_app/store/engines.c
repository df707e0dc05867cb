/*
 * engines.c - the engines that imd and imctl are built with. Must not know anything else of them.
 */
#include "store/engine.h"

#include "store/sqlite/engine.h"

const struct engine *const engines[] = {&sqlite_engine, NULL};
