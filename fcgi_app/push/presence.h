/*
 * presence.h - which users have an open subscription, as nchan tells.
 *
 * What nchan said holds for a second. Beyond that it is asked by pipelined HTTP GETs over two kept
 * connections on its unix socket, each to another worker of nginx where there are several. One round at a
 * time: who waited for another's finds what it brought. One for all threads of a process.
 */
#ifndef IMD_PUSH_PRESENCE_H
#define IMD_PUSH_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/str.h"

struct presence;

/* `path`: nginx's push socket; borrowed. Does not connect yet. ERR_MEMORY. */
enum err presence_new(struct presence **out, const char *path);
/* NULL is allowed. Nobody may be asking. */
void presence_free(struct presence *p);

/*
 * Tells in online[i] whether the user names[i] has an open subscription, for each of `count` names (each one
 * that a user may have). Where nchan must be asked, the thread gives up its slot (base/slots.h) and waits, as
 * a rule for milliseconds; it gives up two seconds after the call. ERR_IO: nchan did not answer, or not in
 * time; logged. ERR_MEMORY.
 */
enum err presence_ask(struct presence *p, const struct str *names, size_t count, bool *online);

#endif
