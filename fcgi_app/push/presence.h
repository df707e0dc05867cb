#ifndef IMD_PUSH_PRESENCE_H
#define IMD_PUSH_PRESENCE_H
#include <stdbool.h>
#include "base/err.h"
#include "base/str.h"
struct presence;
enum err presence_new(struct presence **out, const char *path);
void presence_free(struct presence *p);
enum err presence_ask(struct presence *p, const struct str *names, size_t count, bool *online);
#endif
