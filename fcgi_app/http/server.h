/*
 * server.h - the FastCGI side of a worker: accepts connections from nginx and on the control
 * socket, reads requests, sends answers.
 *
 * All threads of a worker wait on one epoll set, which holds the listening sockets and every idle
 * connection. So an idle connection costs a descriptor and no thread, and idle connections cannot
 * starve requests. Under load, a thread goes from one request to the next without sleeping. A
 * thread reads a request with libfcgi only after all its bytes have arrived and been validated
 * (guard.h).
 */
#ifndef IMD_HTTP_SERVER_H
#define IMD_HTTP_SERVER_H

#include "http/listener.h"
#include "http/request.h"
#include "http/response.h"

struct server;   /* one per worker */
struct exchange; /* one per thread: the current request */

/*
 * Call it after the fork and before the threads start. The listening sockets are borrowed.
 * `threads`: how many will call server_next(). `busy`: how many of them compute at once, while the
 * others wait for a commit or their turn.
 */
enum err server_open(struct server **out, const struct listeners *listeners, int threads, int busy);
void server_close(struct server *s);
/*
 * Stops accepting; any thread may call it. Open connections are served until nginx closes them,
 * which it does soon, so no request meets a closed connection. Control connections that have not
 * sent a request are ended. Then server_next() returns false.
 */
void server_drain(struct server *s);
/* Makes server_next() return false as soon as nothing is readable. Any thread may call it. */
void server_stop(struct server *s);

/* What one thread needs to answer one request after the other. ERR_MEMORY. */
enum err exchange_new(struct exchange **out);
void exchange_free(struct exchange *e);

/*
 * Waits for the next request. False: the server has stopped. Fills *r except its parameters and
 * body. *r is valid until server_answer(), which must follow.
 */
bool server_next(struct server *s, struct exchange *e, struct arena *arena, struct request *r);
/* Reads the body into the arena. ERR_TOO_LARGE: over `max` bytes. ERR_TRUNCATED. */
enum err server_read_body(struct exchange *e, struct arena *arena, size_t max, struct request *r);
/*
 * Sends the answer, without the body if the method is HEAD. Discards what was not read of the
 * request.
 */
void server_answer(struct server *s, struct exchange *e, const struct request *r,
                   const struct response *response);

#endif
