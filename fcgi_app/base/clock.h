/* clock.h - what time it is. */
#ifndef IMD_BASE_CLOCK_H
#define IMD_BASE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* UNIX milliseconds of the wall clock: for timestamps; may jump either way. */
int64_t clock_wall_ms(void);
/* Milliseconds since some moment, never backwards, the same in all processes: for deadlines. */
int64_t clock_mono_ms(void);
/* The same in microseconds: for durations. */
int64_t clock_mono_us(void);

/* A condition for pthread_cond_timedwait() until clock_timeout(). False: it could not be made. */
bool clock_init_cond(pthread_cond_t *cond);
/* The moment of clock_mono_ms(), as such a condition takes it. */
struct timespec clock_timeout(int64_t mono_ms);

#endif
