/* engine.c - see engine.h. */
#include "store/memory/engine.h"

#define ROW(function) .function = memory_##function,

const struct engine memory_engine = {.name = "memory", .form = "memory:NAME", ENGINE_FUNCTIONS(ROW)};
