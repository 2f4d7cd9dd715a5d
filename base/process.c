/* Owns pid files and the stop flag. Never exits the program by itself. */
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static volatile sig_atomic_t stopping;

enum err process_pid_file(const char *path)
{
    char tmp[4096];
    FILE *f;

    if (!*path)
        return ERR_OK;
    if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
        return ERR_INVALID;
    f = fopen(tmp, "w");
    if (f) {
        fprintf(f, "%ld\n", (long)getpid());
        if (fclose(f) == 0 && rename(tmp, path) == 0)
            return ERR_OK;
    }
    log_error("pid_file", "%s: %s", path, strerror(errno));
    return ERR_IO;
}

void process_pid_remove(const char *path)
{
    if (*path)
        unlink(path);
}

static void on_signal(int sig)
{
    (void)sig;
    stopping = 1;
}

void process_catch_stop(void)
{
    struct sigaction a = {.sa_handler = on_signal};

    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool process_stopping(void)
{
    return stopping;
}

void process_sleep_ms(int64_t ms)
{
    int64_t until = clock_mono_us() + ms * 1000;

    while (!stopping && clock_mono_us() < until) {
        int64_t left = until - clock_mono_us();
        struct timespec t = {left / 1000000, left % 1000000 * 1000};
        if (left > 0)
            nanosleep(&t, NULL); /* a signal ends it */
    }
}
