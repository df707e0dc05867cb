/* slots.c - see slots.h. Must not know what the threads do. */
#include "run/slots.h"

#include <errno.h>
#include <stddef.h>

static _Thread_local struct slots *held; /* by this thread; NULL: none */

void
slots_init(struct slots *s, unsigned count)
{
    sem_init(&s->free, 0, count);
}

void
slots_clear(struct slots *s)
{
    sem_destroy(&s->free);
}

void
slots_acquire(struct slots *s)
{
    if (held != NULL)
        return;
    while (sem_wait(&s->free) != 0 && errno == EINTR)
        ;
    held = s;
}

void
slots_release(void)
{
    struct slots *s = held;

    held = NULL;
    if (s != NULL)
        sem_post(&s->free);
}
