/*
 * support_engines.c - the engines that unit tests are built with, instead of
 * fcgi_app/store/engines.c.
 */
#include "store/memory/engine.h"
#include "store/sqlite/engine.h"

const struct engine *const engines[] = {&sqlite_engine, &memory_engine, NULL};
