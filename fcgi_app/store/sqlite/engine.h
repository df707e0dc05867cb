/*
 * engine.h - SQLite as an engine: its table, and its functions. Each is named after the function of
 * the interface that it implements.
 */
#ifndef IMD_STORE_SQLITE_ENGINE_H
#define IMD_STORE_SQLITE_ENGINE_H

#include "store/engine.h"

extern const struct engine sqlite_engine;

#define DECLARE_SQLITE(function) __typeof__(function) sqlite_##function;

ENGINE_FUNCTIONS(DECLARE_SQLITE)
ENGINE_UPKEEP(DECLARE_SQLITE)

#endif
