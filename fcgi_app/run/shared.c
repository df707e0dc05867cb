/* shared.c - see shared.h. Must not know what a change or a push contains. */
#include "run/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static enum err
init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    int rc;

    if (pthread_mutexattr_init(&attr) != 0)
        return ERR_MEMORY;
    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (rc == 0)
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    if (rc == 0)
        rc = pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return rc == 0 ? ERR_OK : ERR_MEMORY;
}

enum err
shared_open(struct shared **out)
{
    struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    enum err err;

    if (s == MAP_FAILED)
        return ERR_MEMORY;
    err = init_lock(&s->write_lock);
    if (err != ERR_OK)
        goto fail_map;
    err = ERR_IO;
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->wake_fd < 0)
        goto fail_map;
    s->housekeeping_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->housekeeping_fd < 0)
        goto fail_wake;
    if (pipe2(s->unstored_fds, O_NONBLOCK | O_CLOEXEC) != 0)
        goto fail_housekeeping;
    limiter_init(&s->limiter);
    grants_open(&s->grants);
    *out = s;
    return ERR_OK;
fail_housekeeping:
    close(s->housekeeping_fd);
fail_wake:
    close(s->wake_fd);
fail_map:
    munmap(s, sizeof(*s));
    return err;
}

void
shared_close(struct shared *s)
{
    close(s->unstored_fds[0]);
    close(s->unstored_fds[1]);
    close(s->housekeeping_fd);
    close(s->wake_fd);
    munmap(s, sizeof(*s));
}

void
shared_lock(struct shared *s)
{
    if (pthread_mutex_lock(&s->write_lock) != EOWNERDEAD)
        return;
    pthread_mutex_consistent(&s->write_lock);
    /* It may have committed a rename, and not have counted it any more. */
    atomic_fetch_add(&s->renames, 1);
}

void
shared_unlock(struct shared *s)
{
    pthread_mutex_unlock(&s->write_lock);
}

void
shared_wake(int fd)
{
    uint64_t one = 1;

    /* EAGAIN means that the counter is full: the waiter is being woken already. */
    if (write(fd, &one, sizeof(one)) < 0)
        return;
}

void
shared_stand_by(struct shared *s, bool stands_by)
{
    atomic_store(&s->relay_stands_by, stands_by);
    shared_wake(s->wake_fd);
}

void
shared_announce(struct shared *s, int64_t change)
{
    int64_t known = atomic_load(&s->committed_change);
    bool raised = false;

    /* Another host's commit may have been announced already, and has a higher id. */
    while (known < change && !raised)
        raised = atomic_compare_exchange_weak(&s->committed_change, &known, change);
    if (atomic_load(&s->relay_asleep))
        shared_wake(s->wake_fd);
}

void
shared_send_signal(struct shared *s, int32_t conversation, struct str username)
{
    struct shared_signal signal = {.conversation = conversation};

    snprintf(signal.username, sizeof(signal.username), "%.*s", (int)username.n, username.p);
    /* Smaller than PIPE_BUF, so it is written whole or not at all. */
    if (write(s->unstored_fds[1], &signal, sizeof(signal)) < 0)
        return;
}

bool
shared_next_signal(struct shared *s, struct shared_signal *signal)
{
    if (read(s->unstored_fds[0], signal, sizeof(*signal)) != (ssize_t)sizeof(*signal))
        return false;
    signal->username[sizeof(signal->username) - 1] = '\0';
    return true;
}

void
shared_drain(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0)
        return;
}
