/*
 * slots.h - limits how many threads of a process compute at once.
 *
 * A process has many threads, because many may wait, for a commit or for a slow body. A thread that
 * computes holds a slot, and gives it up before it waits. So a few threads, still warm in the
 * caches, serve a burst of requests, instead of many that are all woken and queue for locks.
 */
#ifndef IMD_RUN_SLOTS_H
#define IMD_RUN_SLOTS_H

#include <semaphore.h>

struct slots {
    sem_t free;
};

/* `count` threads hold a slot at once. slots_clear() needs that none holds or waits for one. */
void slots_init(struct slots *s, unsigned count);
void slots_clear(struct slots *s);
/*
 * Returns once this thread holds a slot; at once if it holds one already. The slots must outlive
 * that.
 */
void slots_acquire(struct slots *s);
/* Gives up this thread's slot, if it holds one. Call it before any long wait. */
void slots_release(void);

#endif
