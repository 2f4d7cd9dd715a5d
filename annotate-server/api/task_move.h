/* A manager's move of a task: what is to be known of it, what the workflow says, and the write,
 * under the task's version. */
#ifndef API_TASK_MOVE_H
#define API_TASK_MOVE_H

#include "annotate-server/http/request.h"
#include "core/workflow.h"

struct task_move {
    enum action action; /* in, with the facts that are the request's own */
    struct task_facts facts;
    struct decision decision; /* what write() is to apply, if the version still holds */
    void (*write)(struct req *r, struct task_move *m);
};

/* Of the task that the path names. Answers 404, 412 or 409 itself, or calls m->write(). m lies in
 * the request's arena and is r->user from now on. */
void task_move_start(struct req *r, struct task_move *m);

#endif
