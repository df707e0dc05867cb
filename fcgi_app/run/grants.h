/*
 * grants.h - when each user was last granted a subscription: shared memory of fixed size, without
 * locks.
 *
 * A grant always gives its user a later stamp than before. Users whose names hash alike share a
 * stamp. So a stamp may show another user's grant, but it never hides one. Nothing is ever evicted.
 */
#ifndef IMD_RUN_GRANTS_H
#define IMD_RUN_GRANTS_H

#include <stdatomic.h>
#include <stdint.h>
#include "base/str.h"

/* 512 kB. A power of two. */
#define GRANTS_STAMPS 65536

/* Zeroed shared memory, initialised by grants_open(). */
struct grants {
    _Atomic uint64_t opened; /* the least stamp that any user has */
    _Atomic uint64_t stamps[GRANTS_STAMPS];
};

/*
 * Gives every user a new stamp, as if each were granted a subscription now.
 *
 * Call it at the start, because an earlier imd may just have granted some. Call it also when grants
 * may have been made without grants_note().
 */
void grants_open(struct grants *g);

/*
 * Gives the user a new stamp: they are granted a subscription now, or have shown that they may have
 * one.
 *
 * Call it before the grant leaves the process. Then the new stamp is there before anything that the
 * grant causes.
 */
void grants_note(struct grants *g, struct str name);

/* Returns the stamp of the user's last grant, or a later one. */
uint64_t grants_stamp(const struct grants *g, struct str name);

/* Returns the time of a stamp, as clock_mono_ms() gives it. */
int64_t grants_ms(uint64_t stamp);

#endif
