/*
 * log.h - one line for each event, on stderr: time, level, process, event, then key=value pairs.
 *
 *   2026-01-02T03:04:05.678Z level=info pid=42 event=started workers=2 request_id=…
 *
 * A line is one write(), so lines of several processes never mix.
 */
#ifndef IMD_BASE_LOG_H
#define IMD_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* From now on events below `level` are not logged. For the whole process; any thread may call it. */
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);
/* The request that this thread serves now, put on each of its lines; NULL: none. Borrowed. */
void log_set_request(const char *request_id);
/*
 * Writes one line. `event` is a snake_case word; `format` makes the pairs ("path=%s status=%d") and may
 * be "". Bytes that would break the line (control characters) are written as '?'.
 */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
