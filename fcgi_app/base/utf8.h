/*
 * utf8.h - validates UTF-8 in inputs that are not JSON. jansson validates JSON itself.
 */
#ifndef IMD_BASE_UTF8_H
#define IMD_BASE_UTF8_H

#include "base/str.h"

/* True for well-formed UTF-8 (RFC 3629): shortest forms, no surrogates, nothing beyond U+10FFFF. */
bool utf8_valid(struct str s);

#endif
