/*
 * futex.h - sleep until another thread changes a word: the cheapest way to wake exactly one waiter.
 *
 * For threads of one process. A wait may end early, so the caller checks the word again.
 */
#ifndef IMD_BASE_FUTEX_H
#define IMD_BASE_FUTEX_H

#include <stdatomic.h>

/* Sleeps while *word == expected. */
void futex_wait(_Atomic int *word, int expected);
/*
 * Wakes at most one waiter. Only the address is used, so the memory of the word may already be
 * freed.
 */
void futex_wake_one(_Atomic int *word);

#endif
