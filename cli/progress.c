/* Owns the progress line. Never writes to stdout, which belongs to results. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { TERMINAL_US = 200 * 1000, LOG_US = 5 * 1000 * 1000 };

void progress_begin(struct progress *p, const char *what, int64_t total)
{
    *p = (struct progress){.what = what, .total = total, .terminal = isatty(STDERR_FILENO)};
    p->start_us = p->shown_us = clock_mono_us();
}

static void print_amount(const struct progress *p, double n)
{
    if (strcmp(p->what, "bytes") == 0)
        fprintf(stderr, "%.1f MB", n / 1e6);
    else
        fprintf(stderr, "%.0f %s", n, p->what);
}

static void print_left(double seconds)
{
    int s = seconds < 359999 ? (int)(seconds + 0.5) : 359999;

    fprintf(stderr, ", %d:%02d:%02d left", s / 3600, s / 60 % 60, s % 60);
}

static void print(const struct progress *p, int64_t done, bool last)
{
    double elapsed = (double)(clock_mono_us() - p->start_us) / 1e6;
    double rate = elapsed > 0 ? (double)done / elapsed : 0;

    if (p->terminal)
        fputs("\r\033[K", stderr);
    print_amount(p, (double)done);
    if (p->total > 0)
        fprintf(stderr, " (%.0f %%)", 100.0 * (double)done / (double)p->total);
    fputs(", ", stderr);
    print_amount(p, rate);
    fputs("/s", stderr);
    if (last)
        fprintf(stderr, ", %.1f s", elapsed);
    else if (p->total > done && rate > 0)
        print_left((double)(p->total - done) / rate);
    if (last || !p->terminal)
        fputc('\n', stderr);
}

void progress_show(struct progress *p, int64_t done, int64_t total)
{
    int64_t now = clock_mono_us();

    p->total = total;
    if (now - p->shown_us < (p->terminal ? TERMINAL_US : LOG_US))
        return;
    p->shown_us = now;
    print(p, done, false);
}

void progress_end(struct progress *p, int64_t done)
{
    print(p, done, true);
}
