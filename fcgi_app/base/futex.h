/*
 * futex.h - sleep until another thread changes a word: the cheapest wake-up of exactly one waiter.
 *
 * Private to one process. A wait may end early; the caller looks at the word again.
 */
#ifndef IMD_BASE_FUTEX_H
#define IMD_BASE_FUTEX_H

#include <stdatomic.h>

/* Sleeps while *word == expected. */
void futex_wait(_Atomic int *word, int expected);
/* Wakes at most one sleeper. The word may already be gone to its owner: only its address is used. */
void futex_wake_one(_Atomic int *word);

#endif
