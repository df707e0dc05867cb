/*
 * main.c - the master: configure, migrate, listen, fork, supervise.
 *
 * The master handles no request. It restarts a child that dies, after a pause that grows while the
 * child keeps dying. SIGTERM and SIGINT end the processes in order: the workers answer the requests
 * that they have, then the relay publishes the pending changes. SIGHUP replaces the workers one by
 * one. If the master dies, its children end.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "auth/auth.h"
#include "base/clock.h"
#include "run/config.h"
#include "base/log.h"
#include "run/sandbox.h"
#include "run/shared.h"
#include "base/str.h"
#include "http/listener.h"
#include "relay/relay.h"
#include "store/store.h"
#include "wire/object.h"
#include "worker.h"

#ifndef IMD_VERSION
#define IMD_VERSION "0"
#endif

#define READY_MS         10000 /* a worker that is not ready by then has failed */
#define HEALTHY_MS       10000 /* a child that lived so long has not failed at its start */
#define PAUSE_MS         100   /* the pause before the second restart; doubles each time */
#define PAUSE_MS_MAX     10000
#define RELAY_END_MS     5000
#define SYSTEMD_FIRST_FD 3

enum child { CHILD_WORKER, CHILD_RELAY };

/* One place in the pool: a child, or none at the moment. */
struct slot {
    enum child child;
    pid_t pid;          /* 0: empty */
    int failures;       /* deaths in a row, each soon after its start */
    int64_t started_ms; /* clock_mono_ms */
    int64_t start_ms;   /* when to start a child, if empty */
};

struct master {
    struct config config;
    int argc;
    char **argv;
    struct shared *shared;
    struct listeners listeners;
    bool web_is_ours; /* made from --socket, not inherited */
    sigset_t signals;
    struct slot slots[CONFIG_PROCESSES_MAX + 1]; /* the relay first */
    int slot_count;
    bool ending;
    bool reloading; /* SIGHUP has arrived */
};

static void
child_main(struct master *m, enum child child, int ready_fd, pid_t parent)
{
    /* The name that ps shows. */
    prctl(PR_SET_NAME, child == CHILD_RELAY ? "imd-relay" : "imd-worker", 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (getppid() != parent)
        exit(EXIT_SUCCESS);
    if (sandbox_enter(child == CHILD_RELAY ? SANDBOX_RELAY : SANDBOX_WORKER,
                      store_uses_network(m->config.store)) != ERR_OK)
        exit(EXIT_FAILURE);
    if (child == CHILD_RELAY) {
        close(m->listeners.web_fd);
        close(m->listeners.control_fd);
        close(ready_fd);
        exit(relay_run(&m->config, m->shared));
    }
    exit(worker_run(&m->config, m->shared, &m->listeners, ready_fd));
}

/* Forks one child. *ready_fd becomes readable when it is ready or dead; the caller closes it. */
static pid_t
start_child(struct master *m, enum child child, int *ready_fd)
{
    pid_t parent = getpid();
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        child_main(m, child, fds[1], parent);
    }
    close(fds[1]);
    if (pid < 0)
        close(fds[0]);
    else
        *ready_fd = fds[0];
    return pid;
}

static int64_t
pause_after(int failures)
{
    int64_t pause = PAUSE_MS;

    if (failures == 0)
        return 0;
    for (int i = 1; i < failures && pause < PAUSE_MS_MAX; i++)
        pause *= 2;
    return pause < PAUSE_MS_MAX ? pause : PAUSE_MS_MAX;
}

static void
fill(struct master *m, struct slot *s)
{
    int ready_fd;
    pid_t pid = start_child(m, s->child, &ready_fd);

    s->started_ms = clock_mono_ms();
    if (pid < 0) {
        log_event(LOG_ERROR, "fork_failed", "reason=\"%s\"", strerror(errno));
        s->start_ms = s->started_ms + pause_after(++s->failures);
        return;
    }
    s->pid = pid;
    close(ready_fd);
}

static const char *
child_name(enum child child)
{
    return child == CHILD_RELAY ? "relay" : "worker";
}

static void
bury(struct master *m, struct slot *s, int status)
{
    int64_t now = clock_mono_ms();
    int64_t pause;

    s->failures = now - s->started_ms < HEALTHY_MS ? s->failures + 1 : 0;
    pause = pause_after(s->failures);
    s->pid = 0;
    s->start_ms = now + pause;
    if (m->ending)
        return;
    shared_count(&m->shared->counters.child_deaths, 1);
    atomic_store(&m->shared->child_death_ms, clock_wall_ms());
    log_event(LOG_WARNING, "child_died", "role=%s signal=%d exit=%d again_in_ms=%lld", child_name(s->child),
              WIFSIGNALED(status) ? WTERMSIG(status) : 0, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
              (long long)pause);
}

/* Reaps all dead children. A child without a slot was replaced on purpose. */
static void
reap(struct master *m)
{
    int status;
    pid_t pid;

    for (pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
        for (int i = 0; i < m->slot_count; i++)
            if (m->slots[i].pid == pid)
                bury(m, &m->slots[i], status);
    }
}

/*
 * Waits for a signal until the deadline, and reaps dead children. Returns the signal; 0: none came.
 */
static int
wait_signal(struct master *m, int64_t until_ms)
{
    int64_t left = until_ms - clock_mono_ms();
    struct timespec timeout;
    int signal;

    left = left < 0 ? 0 : left;
    timeout = (struct timespec){left / 1000, left % 1000 * 1000000};
    signal = sigtimedwait(&m->signals, NULL, &timeout);
    if (signal == SIGCHLD)
        reap(m);
    if (signal == SIGTERM || signal == SIGINT)
        m->ending = true;
    if (signal == SIGHUP)
        m->reloading = true;
    return signal < 0 ? 0 : signal;
}

/* True if the child still exists. Its process id is not reused before it is reaped. */
static bool
is_alive(pid_t pid)
{
    return kill(pid, 0) == 0;
}

/* Starts the children that are due. Returns when the next one is due (clock_mono_ms). */
static int64_t
fill_slots(struct master *m)
{
    int64_t now = clock_mono_ms();
    int64_t next = now + 3600000;

    for (int i = 0; i < m->slot_count; i++) {
        struct slot *s = &m->slots[i];

        if (s->pid == 0 && s->start_ms <= now)
            fill(m, s);
        if (s->pid == 0 && s->start_ms < next)
            next = s->start_ms;
    }
    return next;
}

/*
 * Waits until the process has ended, and kills it at the deadline. Meanwhile it supervises the
 * other children.
 */
static void
wait_ended(struct master *m, pid_t pid, int64_t until_ms)
{
    reap(m);
    while (is_alive(pid)) {
        int64_t next = m->ending ? until_ms : fill_slots(m);

        wait_signal(m, next < until_ms ? next : until_ms);
        if (is_alive(pid) && clock_mono_ms() >= until_ms) {
            log_event(LOG_WARNING, "child_killed", "child=%d reason=deadline", (int)pid);
            kill(pid, SIGKILL);
            until_ms = clock_mono_ms() + RELAY_END_MS;
        }
    }
}

/* Starts a worker in the slot and waits until it is ready. False: it failed. */
static bool
start_ready(struct master *m, struct slot *s)
{
    struct pollfd fd = {.events = POLLIN};
    char byte;
    bool ready;
    pid_t pid = start_child(m, s->child, &fd.fd);

    if (pid < 0)
        return false;
    ready = poll(&fd, 1, READY_MS) == 1 && read(fd.fd, &byte, 1) == 1;
    close(fd.fd);
    if (!ready) {
        kill(pid, SIGKILL);
        return false;
    }
    s->pid = pid;
    s->started_ms = clock_mono_ms();
    s->failures = 0;
    return true;
}

/* Lets a worker end without failing a request. */
static void
retire(struct master *m, pid_t pid)
{
    kill(pid, SIGQUIT);
    wait_ended(m, pid, clock_mono_ms() + m->config.drain_ms + HEALTHY_MS);
}

static void
replace_worker(struct master *m, struct slot *s)
{
    pid_t old = s->pid;

    if (!start_ready(m, s)) {
        log_event(LOG_ERROR, "replace_failed", "kept=%d", (int)old);
        return;
    }
    log_event(LOG_INFO, "worker_replaced", "old=%d new=%d", (int)old, (int)s->pid);
    if (old > 0)
        retire(m, old);
}

/*
 * Keeps the settings that only a restart changes, and logs which of them the operator has changed.
 */
static void
keep_fixed(struct config *fresh, const struct config *running)
{
    char keys[256];

    if (config_keep_fixed(fresh, running, keys, sizeof(keys)))
        log_event(LOG_WARNING, "restart_needed", "settings=%s", keys);
}

/*
 * Turns silence on or off. While it was off, another imd may have granted subscriptions unnoticed.
 */
static void
set_silence(struct master *m, bool on)
{
    if (on && !atomic_load(&m->shared->silence))
        grants_open(&m->shared->grants);
    atomic_store(&m->shared->silence, on);
}

/* Passes changed settings to the relay: unlike the workers, it is not replaced at a reload. */
static void
tell_relay(struct master *m)
{
    atomic_store(&m->shared->log_level, (int)m->config.log_level);
    atomic_store(&m->shared->user_rate, m->config.user_rate);
    atomic_store(&m->shared->user_burst, m->config.user_burst);
}

/* Checks what config_read() cannot: ERR_CONFIG, and `message` says what is wrong. */
static enum err
check(const struct config *config, char *message, size_t size)
{
    enum err err = store_check(config->store, message, size);

    return err == ERR_OK ? auth_check(config, message, size) : err;
}

static void
reload(struct master *m)
{
    struct config fresh = {0};
    char message[1024];
    int wanted;

    if (config_read(&fresh, m->argc, m->argv, message, sizeof(message)) != ERR_OK ||
        check(&fresh, message, sizeof(message)) != ERR_OK) {
        log_event(LOG_ERROR, "reload_refused", "reason=\"%s\"", message);
        return;
    }
    keep_fixed(&fresh, &m->config);
    set_silence(m, fresh.silence != 0);
    m->config = fresh;
    tell_relay(m);
    log_set_level((enum log_level)fresh.log_level);
    wanted = (int)fresh.processes + 1;
    for (int i = m->slot_count; i < wanted; i++)
        m->slots[i] = (struct slot){.child = CHILD_WORKER, .start_ms = clock_mono_ms() + READY_MS};
    while (m->slot_count > wanted) {
        pid_t extra = m->slots[--m->slot_count].pid;

        if (extra > 0)
            retire(m, extra);
    }
    m->slot_count = wanted;
    for (int i = 1; i < m->slot_count && !m->ending; i++)
        replace_worker(m, &m->slots[i]);
    log_event(LOG_INFO, "reloaded", "workers=%d", m->slot_count - 1);
}

/* Ends the workers first, so that the relay still publishes their last commits. */
static void
end_children(struct master *m)
{
    int64_t until = clock_mono_ms() + m->config.drain_ms + 2000;

    for (int i = 1; i < m->slot_count; i++)
        if (m->slots[i].pid > 0)
            kill(m->slots[i].pid, SIGTERM);
    for (int i = 1; i < m->slot_count; i++)
        if (m->slots[i].pid > 0)
            wait_ended(m, m->slots[i].pid, until);
    if (m->slots[0].pid > 0) {
        kill(m->slots[0].pid, SIGTERM);
        wait_ended(m, m->slots[0].pid, clock_mono_ms() + RELAY_END_MS);
    }
}

static void
supervise(struct master *m)
{
    m->slot_count = (int)m->config.processes + 1;
    for (int i = 0; i < m->slot_count; i++)
        m->slots[i].child = i == 0 ? CHILD_RELAY : CHILD_WORKER;
    while (!m->ending) {
        int64_t next = fill_slots(m);

        /* SIGHUP may have arrived during the last reload. */
        if (!m->reloading)
            wait_signal(m, next);
        if (m->reloading && !m->ending) {
            m->reloading = false;
            reload(m);
        }
    }
    log_event(LOG_INFO, "ending", "%s", "");
    end_children(m);
}

static bool
is_listening(int fd)
{
    int value = 0;
    socklen_t n = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &n) == 0 && value != 0;
}

/* True if systemd passed this process a socket: LISTEN_FDS says so, and LISTEN_PID for whom. */
static bool
systemd_listens(void)
{
    int64_t pid = 0;
    int64_t count = 0;

    return str_to_int(str_c(getenv("LISTEN_PID")), &pid) && pid == getpid() &&
           str_to_int(str_c(getenv("LISTEN_FDS")), &count) && count >= 1 && is_listening(SYSTEMD_FIRST_FD);
}

/* Uses systemd's socket, or a FastCGI manager's on descriptor 0, or creates one. */
static enum err
open_web_listener(struct master *m)
{
    m->web_is_ours = false;
    if (systemd_listens())
        m->listeners.web_fd = SYSTEMD_FIRST_FD;
    else if (is_listening(STDIN_FILENO))
        m->listeners.web_fd = STDIN_FILENO;
    else
        m->web_is_ours = true;
    if (!m->web_is_ours)
        return ERR_OK;
    return listener_open(m->config.socket, (int)m->config.socket_mode, &m->listeners.web_fd);
}

/* Creates the control socket, for the user of imd only. */
static enum err
open_listeners(struct master *m)
{
    enum err err = open_web_listener(m);

    return err == ERR_OK ? listener_open(m->config.control, 0600, &m->listeners.control_fd) : err;
}

/*
 * Raises the limit of descriptors, because each connection that nginx keeps needs one. Makes malloc
 * return the memory of large requests.
 */
static void
take_limits(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    /* Few threads compute at once. More heaps would only keep the memory that each once needed. */
    mallopt(M_ARENA_MAX, 2);
}

/* Checks that the settings allow a start. Reads keys with the rights that the workers will have. */
static bool
may_start(const struct master *m)
{
    char message[1024];

    if (check(&m->config, message, sizeof(message)) == ERR_OK)
        return true;
    log_event(LOG_ERROR, "start_refused", "reason=\"%s\"", message);
    return false;
}

/* The URI of a database that is not in a file may contain a password: only its engine is logged. */
static void
log_started(const struct master *m)
{
    const char *uri = m->config.store;
    int n = (int)(store_file(uri) != NULL ? strlen(uri) : strcspn(uri, ":"));

    log_event(LOG_INFO, "started", "version=%s socket=%s control=%s store=%.*s workers=%lld threads=%lld",
              IMD_VERSION, m->web_is_ours ? m->config.socket : "inherited", m->config.control, n, uri,
              (long long)m->config.processes, (long long)m->config.threads);
}

static int
run(struct master *m)
{
    log_set_level((enum log_level)m->config.log_level);
    sigemptyset(&m->signals);
    sigaddset(&m->signals, SIGTERM);
    sigaddset(&m->signals, SIGINT);
    sigaddset(&m->signals, SIGHUP);
    sigaddset(&m->signals, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &m->signals, NULL);
    take_limits();
    /* Exceeding a limit on file sizes is an error like a full disk, and must not kill imd. */
    signal(SIGXFSZ, SIG_IGN);
    object_setup();
    /* Messages are private, so other users may not read imd's files. */
    umask(0027);
    if (sandbox_become(m->config.user) != ERR_OK ||
        sandbox_enter(SANDBOX_MASTER, store_uses_network(m->config.store)) != ERR_OK || !may_start(m) ||
        open_listeners(m) != ERR_OK || store_prepare(m->config.store) != ERR_OK)
        return EXIT_FAILURE;
    if (shared_open(&m->shared) != ERR_OK) {
        log_event(LOG_ERROR, "start_failed", "reason=shared_memory");
        return EXIT_FAILURE;
    }
    set_silence(m, m->config.silence != 0);
    tell_relay(m);
    atomic_store(&m->shared->started_ms, clock_wall_ms());
    log_started(m);
    supervise(m);
    if (m->web_is_ours)
        unlink(m->config.socket);
    unlink(m->config.control);
    shared_close(m->shared);
    log_event(LOG_INFO, "ended", "%s", "");
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    static struct master m;
    char message[1024];

    m.argc = argc;
    m.argv = argv;
    if (config_read(&m.config, argc, argv, message, sizeof(message)) != ERR_OK) {
        fprintf(stderr, "imd: %s\n", message);
        return 2;
    }
    switch (m.config.action) {
    case CONFIG_HELP:
        config_help();
        return EXIT_SUCCESS;
    case CONFIG_VERSION:
        store_engines(message, sizeof(message));
        printf("imd %s\nengines: %s\n", IMD_VERSION, message);
        return EXIT_SUCCESS;
    case CONFIG_CHECK:
        if (check(&m.config, message, sizeof(message)) == ERR_OK)
            return EXIT_SUCCESS;
        fprintf(stderr, "imd: %s\n", message);
        return 2;
    case CONFIG_RUN:
        break;
    }
    return run(&m);
}
