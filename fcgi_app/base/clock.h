/* clock.h - what time it is. */
#ifndef IMD_BASE_CLOCK_H
#define IMD_BASE_CLOCK_H

#include <stdint.h>

/* UNIX milliseconds of the wall clock: for timestamps; may jump either way. */
int64_t clock_wall_ms(void);
/* Milliseconds since some moment, never backwards, the same in all processes: for deadlines. */
int64_t clock_mono_ms(void);
/* The same in microseconds: for durations. */
int64_t clock_mono_us(void);

#endif
