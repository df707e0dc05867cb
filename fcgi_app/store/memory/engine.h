/*
 * engine.h - the engine in memory: its table, and its functions, each named after that of the face
 * that it implements. Its data ends with the process, so there is nothing to keep up or to repair.
 */
#ifndef IMD_STORE_MEMORY_ENGINE_H
#define IMD_STORE_MEMORY_ENGINE_H

#include "store/engine.h"

extern const struct engine memory_engine;

#define DECLARE_MEMORY(function) __typeof__(function) memory_##function;

ENGINE_FUNCTIONS(DECLARE_MEMORY)

#endif
