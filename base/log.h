/* One JSON line per event on stderr. Never blocks on the reader longer than a write(2), never
 * prints secrets: callers pass ids, sizes and error slugs, not bodies, tokens or headers. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* `program` is kept, not copied. level: "debug", "info", "warn", "error". */
void log_init(const char *program, const char *level);
bool log_on(enum log_level level);

/* `event` is a short fixed name (the key to search for); the message says the rest. */
void log_msg(enum log_level level, const char *event, const char *fmt, ...) PRINTF(3, 4);
/* The same with a request id. */
void log_req(enum log_level level, const char *request_id, const char *event, const char *fmt, ...)
    PRINTF(4, 5);

#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)

#endif
