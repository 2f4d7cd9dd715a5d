/* One line of progress on stderr: how much, how fast, how long still. Redrawn on a terminal, a new
 * line each five seconds elsewhere. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "images"; "bytes" are shown as MB */
    int64_t total;    /* -1 = unknown */
    int64_t start_us, shown_us;
    bool terminal;
};

/* `what` is borrowed. */
void progress_begin(struct progress *p, const char *what, int64_t total);
/* done of total, both absolute; total may become known on the way. Cheap when nothing is due. */
void progress_show(struct progress *p, int64_t done, int64_t total);
/* The last state, and the line's end. */
void progress_end(struct progress *p, int64_t done);

#endif
