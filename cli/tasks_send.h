/* Tasks with external ids, sent to a project as lines of NDJSON. */
#ifndef CLI_TASKS_SEND_H
#define CLI_TASKS_SEND_H

#include "cli/api.h"

struct tasks_sent {
    int64_t created, skipped; /* the latter: known to the project already */
};

/* path: "/v1/projects/7/tasks". External ids make this safe to send again, which is done. Adds to
 * the sums; false after saying why not. */
bool tasks_send(
    struct api *a, const char *path, struct str lines, struct tasks_sent *sent) MUSTCHECK;
/* Adds the answer that a holds to the sums. */
bool tasks_count(struct api *a, struct tasks_sent *sent) MUSTCHECK;

#endif
