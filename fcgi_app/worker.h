/* worker.h - one worker process of the pool. */
#ifndef IMD_WORKER_H
#define IMD_WORKER_H

#include "http/listener.h"
#include "run/config.h"
#include "run/shared.h"

/*
 * Serves requests until a signal stops it; returns the exit status. SIGTERM: answers the requests
 * in progress and ends. SIGQUIT: ends once nginx has closed its connections, so that no request
 * fails. Writes one byte to `ready_fd`, and closes it, once requests can come. The listening
 * sockets are borrowed.
 */
int worker_run(const struct config *config, struct shared *shared, const struct listeners *listeners,
               int ready_fd);

#endif
