/* Claims that wait for work: parked without a thread or a statement each, woken when work opens in
 * this process, and looked after once a second for what other servers opened. First come, first
 * woken. */
#ifndef API_PARK_H
#define API_PARK_H

#include "annotate-server/context.h"
#include "core/workflow.h"

struct parked {                /* embedded in the claim */
    struct parked *next, **at; /* at: what points here; NULL = not parked */
    int64_t tenant, project, deadline_us;
    enum stage stage;
    /* Taken off the list. timed_out: answer with nothing, else try again. */
    void (*wake)(struct parked *p, bool timed_out);
};

void park_init(struct thread_ctx *c);
void park_add(struct thread_ctx *c, struct parked *p);
void park_remove(struct parked *p);

/* Work has opened in a project's stage: wakes who waits for it, in every thread. */
void park_wake(struct server *s, int64_t tenant, int64_t project, enum stage stage);

#endif
