/* relay.h - the one process that publishes, so that the order of pushes is the order of commits. */
#ifndef IMD_RELAY_RELAY_H
#define IMD_RELAY_RELAY_H

#include "run/config.h"
#include "run/shared.h"

/*
 * Publishes changes until SIGTERM, then for a short while those that are pending. Returns the exit
 * status.
 */
int relay_run(const struct config *config, struct shared *shared);

#endif
