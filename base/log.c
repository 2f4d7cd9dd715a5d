/* Owns the log line. Never allocates past BUF_MAX_LINE. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static const char *const names[] = {"debug", "info", "warn", "error"};
static const char *program = "annotate";
static enum log_level threshold = LOG_INFO;

void log_init(const char *name, const char *level)
{
    program = name;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(str_of(level), names[i]))
            threshold = (enum log_level)i;
}

bool log_on(enum log_level level)
{
    return level >= threshold;
}

__attribute__((format(printf, 4, 0))) static void line(
    enum log_level level, const char *request_id, const char *event, const char *fmt, va_list ap)
{
    char at[32], msg[2048];
    struct buf b;

    clock_rfc3339(at, sizeof(at));
    vsnprintf(msg, sizeof(msg), fmt, ap);
    buf_init(&b, BUF_MAX_LINE);
    buf_printf(&b, "{\"at\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"event\":\"%s\"", at,
        names[level], program, event);
    if (request_id) {
        buf_puts(&b, ",\"request_id\":");
        buf_json(&b, str_of(request_id));
    }
    buf_puts(&b, ",\"msg\":");
    buf_json(&b, str_of(msg));
    buf_puts(&b, "}\n");
    if (b.p && write(STDERR_FILENO, b.p, b.n) < 0) {
        /* nowhere left to say it */
    }
    buf_release(&b);
}

void log_msg(enum log_level level, const char *event, const char *fmt, ...)
{
    va_list ap;

    if (!log_on(level))
        return;
    va_start(ap, fmt);
    line(level, NULL, event, fmt, ap);
    va_end(ap);
}

void log_req(enum log_level level, const char *request_id, const char *event, const char *fmt, ...)
{
    va_list ap;

    if (!log_on(level))
        return;
    va_start(ap, fmt);
    line(level, request_id, event, fmt, ap);
    va_end(ap);
}
