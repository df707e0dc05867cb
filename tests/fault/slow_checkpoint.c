/*
 * slow_checkpoint.c - for LD_PRELOAD: widens the window of SQLite's WAL-reset race from nanoseconds
 * to milliseconds.
 *
 * A checkpoint reads the log's header, releases the pages that may be mapped (xUnfetch), and only
 * then looks at what to copy. If a writer restarts the log in between, SQLite 3.7.0 to 3.51.2
 * copies stale frames over good pages. So xUnfetch waits here for DELAY_MS, which gives a writer
 * plenty of time. A log that was restarted meanwhile, which its salts show, is reported on stderr,
 * whether or not it did damage.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef DELAY_MS
#define DELAY_MS 20
#endif

static sqlite3_vfs slow;
static sqlite3_vfs *real;
static sqlite3_io_methods methods;
static const sqlite3_io_methods *real_methods;
static char log_path[512]; /* of the write-ahead log */

/* Reads the salts, which change each time the log is restarted; zeros if there is no log. */
static void
read_salts(unsigned char salts[8])
{
    int fd = open(log_path, O_RDONLY | O_CLOEXEC);

    memset(salts, 0, 8);
    if (fd >= 0 && pread(fd, salts, 8, 16) != 8)
        memset(salts, 0, 8);
    if (fd >= 0)
        close(fd);
}

static int
unfetch(sqlite3_file *file, sqlite3_int64 offset, void *page)
{
    struct timespec pause = {DELAY_MS / 1000, DELAY_MS % 1000 * 1000000L};

    if (offset == 0 && page == NULL) {
        unsigned char before[8];
        unsigned char after[8];

        read_salts(before);
        nanosleep(&pause, NULL);
        read_salts(after);
        if (memcmp(before, after, 8) != 0)
            fprintf(stderr, "slow_checkpoint: the log was begun anew under a checkpoint\n");
    }
    return real_methods->xUnfetch(file, offset, page);
}

static int
slow_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    int rc = real->xOpen(vfs, name, file, flags, out);

    if (rc != SQLITE_OK || file->pMethods == NULL || file->pMethods->iVersion < 3 ||
        (flags & SQLITE_OPEN_MAIN_DB) == 0)
        return rc;
    if (real_methods == NULL) {
        methods = *file->pMethods;
        methods.xUnfetch = unfetch;
        real_methods = file->pMethods;
        snprintf(log_path, sizeof(log_path), "%s-wal", name);
    }
    if (file->pMethods == real_methods)
        file->pMethods = &methods;
    return rc;
}

int
sqlite3_initialize(void)
{
    static int calls;
    int (*initialize)(void);
    int rc;

    *(void **)&initialize = dlsym(RTLD_NEXT, "sqlite3_initialize");
    /* SQLite calls it recursively. The first call, on the main thread, is the outermost. */
    if (calls++ > 0)
        return initialize();
    rc = initialize();
    if (rc != SQLITE_OK)
        return rc;
    real = sqlite3_vfs_find(NULL);
    slow = *real;
    slow.zName = "slow";
    slow.xOpen = slow_open;
    return sqlite3_vfs_register(&slow, 1);
}
