/* Claims that wait for work: parked without a thread or a statement each, woken when work opens in
 * this process or, by notification (wake.h), in another one, and looked after once a second. First
 * come, first served within a thread: who was woken in vain keeps the place. */
#ifndef API_PARK_H
#define API_PARK_H

#include "annotate-server/context.h"
#include "core/workflow.h"

struct parked {                /* embedded in the claim */
    struct parked *next, **at; /* at: what points here; NULL = not parked */
    struct park_queue *queue;
    int64_t tenant, project, since_us, deadline_us;
    enum stage stage;
    /* Taken off the list. timed_out: answer with nothing, else try again. */
    void (*wake)(struct parked *p, bool timed_out);
};

/* Makes the waiting list of a thread. */
void park_init(struct thread_ctx *c);
/* False once the thread drains: nobody waits any more. */
bool park_add(struct thread_ctx *c, struct parked *p) MUSTCHECK;
void park_remove(struct thread_ctx *c, struct parked *p);

/* Work has opened in a project's stage: wakes the first who wait for it, in every thread. */
void park_opened(struct server *s, int64_t tenant, int64_t project, enum stage stage);
/* The same, and tells the other servers. */
void park_wake(struct server *s, int64_t tenant, int64_t project, enum stage stage);
/* One who was woken has found work, so there may be more: wakes the next, in this thread. */
void park_pass_on(struct thread_ctx *c, int64_t tenant, int64_t project, enum stage stage);
/* The thread drains: everyone is answered now. */
void park_drain(struct thread_ctx *c);

#endif
