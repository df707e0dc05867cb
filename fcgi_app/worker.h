/* worker.h - one worker process of the pool. */
#ifndef IMD_WORKER_H
#define IMD_WORKER_H

#include "run/config.h"
#include "run/shared.h"

/*
 * Serves requests until a signal stops it; returns the exit status. SIGTERM: answers the requests
 * in progress and ends. SIGQUIT: ends once nginx has closed its connections, so that no request
 * fails. Writes one byte to `ready_fd`, and closes it, once requests can come. `listen_fd` is
 * borrowed.
 */
int worker_run(const struct config *config, struct shared *shared, int listen_fd, int ready_fd);

#endif
