/*
 * grants.h - when each user last was granted a subscription: shared memory of fixed size, without locks.
 *
 * A stamp never repeats and never goes back. Users whose names share a hash share a stamp, so a stamp may
 * tell of somebody else's grant and never conceals one. Nothing is ever evicted.
 */
#ifndef IMD_RUN_GRANTS_H
#define IMD_RUN_GRANTS_H

#include <stdatomic.h>
#include <stdint.h>
#include "base/str.h"

/* 512 kB. A power of two. */
#define GRANTS_STAMPS 65536

/* Zeroed shared memory, then grants_open(). */
struct grants {
    _Atomic uint64_t opened; /* stamp: whatever was granted before is taken to have been granted then */
    _Atomic uint64_t stamps[GRANTS_STAMPS];
};

/*
 * Takes every user to be granted a subscription now. For the start, when an imd that ended just before may
 * have granted anything, and for when grants may have been made that nobody has noted.
 */
void grants_open(struct grants *g);

/*
 * Notes that this user is granted a subscription now, or has shown that they may have one. To be called
 * before the grant leaves the process: whatever is caused by the grant is caused by the new stamp.
 */
void grants_note(struct grants *g, struct str name);

/* Returns the stamp of the user's last grant, or a later one. */
uint64_t grants_stamp(const struct grants *g, struct str name);

/* The time of a stamp (clock_mono_ms). */
int64_t grants_ms(uint64_t stamp);

#endif
