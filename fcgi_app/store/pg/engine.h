/*
 * engine.h - PostgreSQL as an engine: its table, and its functions, each named after the function
 * of the interface that it implements.
 */
#ifndef IMD_STORE_PG_ENGINE_H
#define IMD_STORE_PG_ENGINE_H

#include "store/engine.h"

extern const struct engine pg_engine;

#define DECLARE_PG(function) __typeof__(function) pg_##function;

ENGINE_FUNCTIONS(DECLARE_PG)
ENGINE_UPKEEP(DECLARE_PG)

#endif
