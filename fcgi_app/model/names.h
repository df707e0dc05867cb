/* names.h - which user names there can be. */
#ifndef IMD_MODEL_NAMES_H
#define IMD_MODEL_NAMES_H

#include "model/model.h"

/* ^[A-Za-z0-9_]{1,20}$ and nothing after it, not even a newline. */
bool names_valid(struct str name);

#endif
