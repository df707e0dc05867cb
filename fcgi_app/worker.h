/* worker.h - one process of the pool. */
#ifndef IMD_WORKER_H
#define IMD_WORKER_H

#include "run/config.h"
#include "run/shared.h"

/*
 * Serves until told to stop; returns the exit status. SIGTERM: answers what is in hand and ends.
 * SIGQUIT: ends once nginx has closed its connections, without failing a request. `ready_fd` is
 * written one byte when requests can come, and closed. Both descriptors are borrowed from the
 * master.
 */
int worker_run(const struct config *config, struct shared *shared, int listen_fd, int ready_fd);

#endif
