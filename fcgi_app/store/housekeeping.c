/* housekeeping.c - see housekeeping.h. Must not know which engine it calls. */
#include "store/housekeeping.h"

#include "store/engine.h"

enum err
housekeeping_start(struct housekeeping **out, const char *uri, struct shared *shared)
{
    const struct engine *engine = engine_find(uri);

    *out = NULL;
    if (engine == NULL)
        return ERR_CONFIG;
    return engine->housekeeping_start == NULL ? ERR_OK : engine->housekeeping_start(out, uri, shared);
}

void
housekeeping_stop(struct housekeeping *h)
{
    if (h != NULL)
        h->engine->housekeeping_stop(h);
}

void
housekeeping_look(const struct store *s, struct shared *shared, struct housekeeping_view *view)
{
    const struct engine *engine = s->connections->engine;

    *view = (struct housekeeping_view){0};
    if (engine->housekeeping_look != NULL)
        engine->housekeeping_look(s, shared, view);
}
