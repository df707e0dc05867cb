/* clock.h - the wall clock, the monotonic clock, and timed waits on the monotonic clock. */
#ifndef IMD_BASE_CLOCK_H
#define IMD_BASE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* UNIX time in milliseconds, for timestamps. It may jump either way. */
int64_t clock_wall_ms(void);
/* Monotonic milliseconds, for deadlines: never backwards, and the same clock in all processes. */
int64_t clock_mono_ms(void);
/* Monotonic microseconds, for durations. */
int64_t clock_mono_us(void);

/*
 * Initialises a condition variable whose timed waits use the monotonic clock. False: that failed.
 */
bool clock_init_cond(pthread_cond_t *cond);
/*
 * Converts a time of clock_mono_ms() into a deadline for pthread_cond_timedwait() on such a
 * condition.
 */
struct timespec clock_timeout(int64_t mono_ms);

#endif
