/*
 * exclusive.h - one imd for each database. Two masters would break the order of pushes, and a
 * repair needs the file to itself.
 */
#ifndef IMD_STORE_SQLITE_EXCLUSIVE_H
#define IMD_STORE_SQLITE_EXCLUSIVE_H

#include <stdbool.h>

/*
 * Locks the file until this process and its children have ended. SQLite's own locks do not conflict
 * with this one. Creates the file if it does not exist and `create` is true. Returns false with
 * errno EWOULDBLOCK if another process holds the lock, and with another errno if the file cannot be
 * used.
 */
bool exclusive_take(const char *path, bool create);

#endif
