/* engine.c - see engine.h. */
#include "store/sqlite/engine.h"

#define ROW(function) .function = sqlite_##function,

const struct engine sqlite_engine = {
    .name = "sqlite", .form = "sqlite:PATH", ENGINE_FUNCTIONS(ROW) ENGINE_UPKEEP(ROW)};
