/* names.h - the syntax of user names. */
#ifndef IMD_MODEL_NAMES_H
#define IMD_MODEL_NAMES_H

#include <stdbool.h>
#include "base/str.h"

/* True if the whole name matches ^[A-Za-z0-9_]{1,20}$; a trailing newline does not. */
bool names_valid(struct str name);

#endif
