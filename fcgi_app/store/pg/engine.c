/* engine.c - see engine.h. */
#include "store/pg/engine.h"

#define ROW(function) .function = pg_##function,

const struct engine pg_engine = {
    .name = "postgresql", .form = "postgresql://HOST/DATABASE", ENGINE_FUNCTIONS(ROW) ENGINE_UPKEEP(ROW)};
