/*
 * engine.h - the engine in memory: its table, and its functions. Each is named after the function
 * of the interface that it implements. Its data ends with the process, so it needs no housekeeping
 * and no repair.
 */
#ifndef IMD_STORE_MEMORY_ENGINE_H
#define IMD_STORE_MEMORY_ENGINE_H

#include "store/engine.h"

extern const struct engine memory_engine;

#define DECLARE_MEMORY(function) __typeof__(function) memory_##function;

ENGINE_FUNCTIONS(DECLARE_MEMORY)

#endif
