/* log.c - see log.h. Must not know where stderr leads. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1024

static _Atomic int lowest = LOG_INFO;
static _Thread_local const char *current_request;

void
log_set_level(enum log_level level)
{
    atomic_store_explicit(&lowest, (int)level, memory_order_relaxed);
}

bool
log_wants(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

void
log_set_request(const char *request_id)
{
    current_request = request_id;
}

/* Appends as much as fits; the last byte stays free for the newline. */
static void __attribute__((format(printf, 3, 0)))
append(char *line, size_t *n, const char *format, va_list args)
{
    size_t room = LINE_BYTES - *n;
    int wrote = vsnprintf(line + *n, room, format, args);

    if (wrote > 0)
        *n += (size_t)wrote < room ? (size_t)wrote : room - 1;
}

static void __attribute__((format(printf, 3, 4))) appendf(char *line, size_t *n, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    append(line, n, format, args);
    va_end(args);
}

void
log_event(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char line[LINE_BYTES];
    size_t n = 0;
    struct timeval now;
    struct tm utc;
    va_list args;

    if (!log_wants(level))
        return;
    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &utc);
    appendf(line, &n, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ level=%s pid=%d event=%s", utc.tm_year + 1900,
            utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(now.tv_usec / 1000),
            names[level], (int)getpid(), event);
    if (current_request != NULL)
        appendf(line, &n, " request_id=%s", current_request);
    if (format[0] != '\0') {
        appendf(line, &n, " ");
        va_start(args, format);
        append(line, &n, format, args);
        va_end(args);
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[n++] = '\n';
    /* A failed write to stderr cannot be reported anywhere. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}
