/* What every long-running program does around its work: a pid file, and stopping on SIGTERM or
 * SIGINT. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Writes our process id, by rename; "" = no file. Logs why it failed. */
enum err process_pid_file(const char *path) MUSTCHECK;
void process_pid_remove(const char *path);

/* For workers that loop: after process_catch_stop(), SIGTERM and SIGINT only make
 * process_stopping() true. */
void process_catch_stop(void);
bool process_stopping(void);
/* Sleeps, less when a stop is asked for. */
void process_sleep_ms(int64_t ms);

#endif
