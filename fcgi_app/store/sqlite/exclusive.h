/*
 * exclusive.h - one imd on one database: two masters would each order pushes by themselves, and a
 * repair must be alone.
 */
#ifndef IMD_STORE_SQLITE_EXCLUSIVE_H
#define IMD_STORE_SQLITE_EXCLUSIVE_H

#include <stdbool.h>

/*
 * Takes the lock for as long as this process and its children live; it is of another kind than the
 * engine's locks. Makes the file where there is none and `create` is true. False: errno is
 * EWOULDBLOCK where somebody else has it, else why the file cannot be used.
 */
bool exclusive_take(const char *path, bool create);

#endif
