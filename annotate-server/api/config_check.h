/* Holding what there is against a label config before it is a project's: which head labels and
 * drafts would break. Page by page along the tasks, each page judged on a work thread, within a
 * budget of time a request: `after` is where the next request goes on. */
#ifndef API_CONFIG_CHECK_H
#define API_CONFIG_CHECK_H

#include "annotate-server/http/request.h"
#include "core/label_config.h"

enum { CHECK_TASKS = 100, CHECK_REASONS = 20, CHECK_REASON_SIZE = 200 };

struct config_check {
    struct req *r;
    const struct label_config *config; /* the new one, as long as the request */
    int64_t after;                     /* the last task that was looked at; 0: none yet */
    bool end;                          /* there are no more */
    int64_t labels, drafts, broken;    /* broken: of both together */
    int64_t tasks[CHECK_TASKS];        /* the first that hold something broken */
    size_t ntasks, nreasons;
    struct {
        char text[CHECK_REASON_SIZE];
        int64_t n;
    } reasons[CHECK_REASONS]; /* the last also counts what has no place */
    void (*done)(struct req *r, struct config_check *c);
    int64_t deadline_us;
};

/* Looks at the project's tasks behind c->after until the time is spent or none are left, then calls
 * c->done. A statement that fails is answered here. */
void config_check_run(struct config_check *c);
/* What was found, as one JSON object. */
void config_check_print(const struct config_check *c, struct buf *out);

#endif
