/* repair.c - see repair.h. Must not know which engine it calls. */
#include "store/repair.h"

#include <stddef.h>
#include "store/engine.h"

const char *
repair_open(struct repair **out, const char *uri)
{
    const struct engine *engine = engine_find(uri);

    if (engine == NULL)
        return "no engine of this program opens it";
    if (engine->repair_open == NULL)
        return "its data does not outlive the process, so there is nothing to repair";
    return engine->repair_open(out, uri);
}

void
repair_close(struct repair *r)
{
    r->engine->repair_close(r);
}

enum err
repair_look(struct repair *r, int64_t now_ms, struct repair_view *view)
{
    return r->engine->repair_look(r, now_ms, view);
}

enum err
repair_clock(struct repair *r, int64_t now_ms, void (*progress)(void *arg, int64_t message_id), void *arg)
{
    return r->engine->repair_clock(r, now_ms, progress, arg);
}
