/* store.c - see store.h. Must not know which engine it calls. */
#include "store/store.h"

#include <stdio.h>
#include <string.h>
#include "store/engine.h"

/* Writes the names of the engines, or the forms of their URIs, into `text`. */
static void
list(char *text, size_t size, bool forms)
{
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; engines[i] != NULL && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", i == 0 ? "" : ", ",
                              forms ? engines[i]->form : engines[i]->name);
}

void
store_engines(char *text, size_t size)
{
    list(text, size, false);
}

/* The rest of the URI may contain a password, so the message does not repeat it. */
enum err
store_check(const char *uri, char *message, size_t size)
{
    int n = (int)strcspn(uri, ":");
    char forms[256];

    if (engine_find(uri) != NULL && engine_rest(uri)[0] != '\0')
        return engine_find(uri)->store_check(uri, message, size);
    list(forms, sizeof(forms), true);
    if (uri[n] == '\0')
        snprintf(message, size, "store: it must begin with the name of an engine and a colon; allowed is %s",
                 forms);
    else if (engine_find(uri) == NULL)
        snprintf(message, size, "store: this imd has no engine '%.*s'; allowed is %s", n < 100 ? n : 100, uri,
                 forms);
    else
        snprintf(message, size, "store: '%s' is not allowed; allowed is %s", uri, forms);
    return ERR_CONFIG;
}

bool
store_uses_network(const char *uri)
{
    const struct engine *engine = engine_find(uri);

    return engine != NULL && engine->store_uses_network(uri);
}

const char *
store_file(const char *uri)
{
    const struct engine *engine = engine_find(uri);

    return engine == NULL ? NULL : engine->store_file(uri);
}

enum err
store_prepare(const char *uri)
{
    const struct engine *engine = engine_find(uri);

    return engine == NULL ? ERR_CONFIG : engine->store_prepare(uri);
}

enum err
store_open(struct store *s, const char *uri, int readers, struct shared *shared)
{
    const struct engine *engine = engine_find(uri);

    return engine == NULL ? ERR_CONFIG : engine->store_open(s, uri, readers, shared);
}

enum err
store_open_for_reading(struct store *s, const char *uri, int readers, struct shared *shared)
{
    const struct engine *engine = engine_find(uri);

    return engine == NULL ? ERR_CONFIG : engine->store_open_for_reading(s, uri, readers, shared);
}

void
store_close(struct store *s)
{
    if (s->connections != NULL)
        s->connections->engine->store_close(s);
    *s = (struct store){0};
}

enum err
store_run(struct store *s, const struct command *command)
{
    return s->connections->engine->store_run(s, command);
}

enum err
snapshot_begin(struct store *s, struct snapshot **out)
{
    return s->connections->engine->snapshot_begin(s, out);
}

void
snapshot_end(struct snapshot *s)
{
    if (s != NULL)
        s->db->engine->snapshot_end(s);
}
