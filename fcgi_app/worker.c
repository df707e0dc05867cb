/*
 * worker.c - see worker.h. Opens the database, starts the threads and waits for a signal. Must not
 * know any route, nor SQL, nor JSON.
 *
 * Each thread loops: wait for a request, answer it through the route table, reset the arena.
 */
#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"
#include "push/presence.h"
#include "routes.h"

/* jansson's parser needs the deepest stack, at its nesting limit of 2,048. */
#define STACK_BYTES (1024 * 1024)

struct worker {
    const struct config *config;
    struct shared *shared;
    struct store store;
    struct presence *presence;
    struct auth *auth;
    struct server *server;
};

static void
serve(struct worker *w, struct exchange *e, struct arena *arena, struct request *r, struct buf *room)
{
    int64_t started_ms = log_wants(LOG_DEBUG) ? clock_mono_ms() : 0;
    struct response response = {.body = *room};
    struct store store = w->store; /* a copy, because the payer is set for each request */
    struct context x = {
        .request = r,
        .response = &response,
        .arena = arena,
        .store = &store,
        .shared = w->shared,
        .presence = w->presence,
        .auth = w->auth,
        .config = w->config,
    };

    log_set_request(r->request_id.p);
    routes_answer(&x, e);
    if (log_wants(LOG_DEBUG))
        log_event(LOG_DEBUG, "request", "method=%.16s path=%.200s status=%d bytes=%zu ms=%lld", r->method.p,
                  r->path.p, response.status, response.body.n, (long long)(clock_mono_ms() - started_ms));
    server_answer(w->server, e, r, &response);
    log_set_request(NULL);
    *room = response.body;
    buf_reset(room);
    arena_reset(arena);
}

static void *
thread_main(void *arg)
{
    struct worker *w = arg;
    struct exchange *e;
    struct arena arena;
    struct buf room; /* memory of the answers' bodies, reused */
    struct request r;

    if (exchange_new(&e) != ERR_OK) {
        log_event(LOG_ERROR, "thread_failed", "reason=memory");
        return NULL;
    }
    arena_init(&arena);
    buf_init(&room);
    while (server_next(w->server, e, &arena, &r))
        serve(w, e, &arena, &r, &room);
    buf_clear(&room);
    arena_clear(&arena);
    exchange_free(e);
    return NULL;
}

static int
start_threads(struct worker *w, pthread_t *threads)
{
    pthread_attr_t attr;
    int started = 0;

    if (pthread_attr_init(&attr) != 0)
        return 0;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (started < w->config->threads && pthread_create(&threads[started], &attr, thread_main, w) == 0)
        started++;
    pthread_attr_destroy(&attr);
    return started;
}

/* Waits for the threads to end. False: some still run at the deadline. */
static bool
join_threads(const struct config *config, const pthread_t *threads, int count)
{
    struct timespec deadline;
    bool all = true;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += config->drain_ms / 1000 + 1;
    for (int i = 0; i < count; i++)
        if (pthread_timedjoin_np(threads[i], NULL, &deadline) != 0)
            all = false;
    return all;
}

/* Waits for a signal. SIGTERM stops the server, SIGQUIT drains it. */
static void
wait_for_end(struct worker *w, const sigset_t *signals)
{
    int signal = 0;

    while (sigwait(signals, &signal) == 0 && signal != SIGTERM)
        if (signal == SIGQUIT) {
            server_drain(w->server);
            return;
        }
    server_stop(w->server);
}

static enum err
open_all(struct worker *w, const struct listeners *listeners)
{
    enum err err = store_open(&w->store, w->config->store, (int)w->config->readers, w->shared);

    if (err == ERR_OK)
        err = presence_new(&w->presence, w->config->push_socket, (int)w->config->threads / 2);
    if (err == ERR_OK)
        err = auth_new(&w->auth, w->config);
    if (err == ERR_OK)
        err = server_open(&w->server, listeners, (int)w->config->threads, (int)w->config->readers);
    return err;
}

/*
 * Tells the master that this worker is ready. If the master does not wait for it, its end is closed
 * already.
 */
static void
tell_ready(int ready_fd)
{
    ssize_t written = write(ready_fd, "", 1);

    (void)written;
    close(ready_fd);
}

int
worker_run(const struct config *config, struct shared *shared, const struct listeners *listeners,
           int ready_fd)
{
    struct worker w = {.config = config, .shared = shared};
    pthread_t threads[CONFIG_THREADS_MAX];
    sigset_t signals;
    int count;
    bool ended;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGQUIT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    /* What it has opened is the system's to free. */
    if (open_all(&w, listeners) != ERR_OK)
        _exit(EXIT_FAILURE);
    signal(SIGPIPE, SIG_IGN);
    count = start_threads(&w, threads);
    if (count < config->threads) {
        log_event(LOG_ERROR, "worker_failed", "reason=threads started=%d", count);
        return EXIT_FAILURE;
    }
    tell_ready(ready_fd);
    log_event(LOG_INFO, "worker_ready", "threads=%d", count);
    wait_for_end(&w, &signals);
    ended = join_threads(config, threads, count);
    log_event(LOG_INFO, "worker_ended", "all_answered=%s", ended ? "yes" : "no");
    /* Threads still run, so nothing that they use may be freed, not even by exit(). */
    if (!ended)
        _exit(EXIT_FAILURE);
    server_close(w.server);
    auth_free(w.auth);
    presence_free(w.presence);
    store_close(&w.store);
    return EXIT_SUCCESS;
}
