/* openapi.h - openapi.json, embedded by the build. */
#ifndef IMD_API_OPENAPI_H
#define IMD_API_OPENAPI_H

extern const char *const openapi_lines[];
extern const int openapi_line_count;

#endif
