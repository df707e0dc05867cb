/*
 * server.h - the FastCGI side of a worker: connections from nginx, requests off them, answers back.
 *
 * All threads of a worker wait at one epoll set, which holds the listening socket and every connection that
 * is idle. So a connection that nginx keeps open costs a file descriptor and pins no thread: no number of
 * kept connections can starve requests, and under load a thread goes from one request to the next without
 * sleeping. A thread reads a request with libfcgi once its connection has something to read, and every byte
 * of the request has been judged fit for it.
 */
#ifndef IMD_HTTP_SERVER_H
#define IMD_HTTP_SERVER_H

#include "http/request.h"
#include "http/response.h"

struct server;   /* one for each worker */
struct exchange; /* one for each thread: the request in hand */

/* Makes `path` the listening socket, in place of a stale one. ERR_IO, logged; also where somebody listens
 * there. */
enum err server_listen(const char *path, int mode, int *listen_fd);

/*
 * `listen_fd` is borrowed; `threads`: how many will call server_next(); `busy`: how many of them work at
 * once, the others waiting for a commit or their turn. After the fork, before the threads.
 */
enum err server_open(struct server **out, int listen_fd, int threads, int busy);
void server_close(struct server *s);
/*
 * No new connections. Kept ones are served until nginx has closed them all (it does so soon), so that no
 * request meets a closing connection; then server_next() ends. Any thread.
 */
void server_drain(struct server *s);
/* server_next() ends as soon as nothing that can be read is left. Any thread. */
void server_stop(struct server *s);

enum err exchange_new(struct exchange **out);
void exchange_free(struct exchange *e);

/*
 * Waits for the next request. False: the server has stopped. *r is filled but for its parameters and body;
 * it is valid until server_answer(), which is always to follow.
 */
bool server_next(struct server *s, struct exchange *e, struct arena *arena, struct request *r);
/* Reads the body into the arena: ERR_BODY_TOO_LARGE (over `max` bytes), ERR_BODY_TRUNCATED. */
enum err server_read_body(struct exchange *e, struct arena *arena, size_t max, struct request *r);
/* Sends the answer; without its body to a HEAD. What of the request was not read is dropped. */
void server_answer(struct server *s, struct exchange *e, const struct request *r,
                   const struct response *response);

#endif
