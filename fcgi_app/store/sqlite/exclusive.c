/* exclusive.c - see exclusive.h. */
#include "store/sqlite/exclusive.h"

#include <fcntl.h>
#include <sys/file.h>

bool
exclusive_take(const char *path, bool create)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0640);

    /* The descriptor stays open, because closing it would release the lock. */
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}
