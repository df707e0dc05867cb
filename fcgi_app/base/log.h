/*
 * log.h - the log: one line per event on stderr, with time, level, process, event and key=value
 * pairs.
 *
 *   2026-01-02T03:04:05.678Z level=info pid=42 event=started request_id=… workers=2
 *
 * A line is one write(), so lines of several processes do not mix.
 */
#ifndef IMD_BASE_LOG_H
#define IMD_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Sets the least severe level that is logged, for the whole process. Any thread may call it. */
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);
/*
 * Adds request_id to every line that this thread logs from now on; NULL: none. The string is
 * borrowed.
 */
void log_set_request(const char *request_id);
/*
 * Logs one event. `event` is a snake_case word. `format` makes the pairs ("path=%s status=%d") and
 * may be "". A line is cut at 1024 bytes. Control characters are logged as '?', so that no value
 * can forge a line.
 */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
