/*
 * slots.h - how many threads of a process work at once.
 *
 * A process has many threads, because many may wait (for a commit, for a slow body), but only as many as
 * there are slots compute. So a burst of requests is worked off by a few threads that stay hot, instead of
 * waking one for each and letting them queue at locks. A thread gives its slot up before it waits.
 */
#ifndef IMD_RUN_SLOTS_H
#define IMD_RUN_SLOTS_H

#include <semaphore.h>

struct slots {
    sem_t free;
};

void slots_init(struct slots *s, unsigned count);
void slots_clear(struct slots *s);
/* Waits for a slot, unless this thread holds one. The slots must outlive the holding. */
void slots_acquire(struct slots *s);
/* Gives up the slot that this thread holds; nothing where it holds none. To be called before any long wait.
 */
void slots_release(void);

#endif
