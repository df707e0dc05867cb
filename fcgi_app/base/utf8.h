/* utf8.h - is it UTF-8? For what comes by other ways than JSON, which jansson checks. */
#ifndef IMD_BASE_UTF8_H
#define IMD_BASE_UTF8_H

#include "base/str.h"

/* Shortest forms only, no surrogates, nothing beyond U+10FFFF (RFC 3629). */
bool utf8_valid(struct str s);

#endif
