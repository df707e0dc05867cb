/* engine.c - see engine.h, and store.h for what URIs are. Must not know what an engine does. */
#include "store/engine.h"

#include <stdio.h>
#include <string.h>

const struct engine *
engine_find(const char *uri)
{
    size_t n = strcspn(uri, ":");

    for (size_t i = 0; uri[n] == ':' && engines[i] != NULL; i++)
        if (strlen(engines[i]->name) == n && memcmp(engines[i]->name, uri, n) == 0)
            return engines[i];
    return NULL;
}

const char *
engine_rest(const char *uri)
{
    return strchr(uri, ':') + 1;
}
