/* Owns the waiting list of a loop thread: a queue a (tenant, project, stage), which exists while
 * somebody waits in it. Never answers a request: wake() does. */
#include "annotate-server/api/park.h"

#include <stdlib.h>

#include "annotate-server/api/queue_head.h"
#include "annotate-server/wake.h"
#include "base/clock.h"

enum {
    BUCKETS = 1024,
    LOOK_MS = 1000,
    WAKE_FIRST = 32, /* not everyone: each asks the database. They pass it on if they find work */
    WAKE_NEXT = 2,
    EVERYONE = INT32_MAX,
};

struct park_queue {
    struct park_queue *next;
    int64_t tenant, project;
    enum stage stage;
    struct parked *head, **tail;
};

struct park {
    struct park_queue *buckets[BUCKETS];
    struct timer look;
    bool draining;
};

/* What points to the queue, or to where it would be. */
static struct park_queue **find(struct park *k, int64_t tenant, int64_t project, enum stage stage)
{
    uint64_t h = (uint64_t)tenant * 0x9e3779b97f4a7c15U;

    h = (h ^ (uint64_t)project) * 0x9e3779b97f4a7c15U;
    h = (h ^ (uint64_t)stage) * 0x9e3779b97f4a7c15U;
    struct park_queue **q = &k->buckets[(h >> 32) % BUCKETS];
    while (*q && ((*q)->tenant != tenant || (*q)->project != project || (*q)->stage != stage))
        q = &(*q)->next;
    return q;
}

/* Where p belongs by its arrival. Who was woken in vain comes back to the front, and who is new
 * goes to the end: so it is looked for from both ends at once. */
static struct parked **place(struct park_queue *q, const struct parked *p)
{
    struct parked **front = &q->head, **back = q->tail;

    while (*front && (*front)->since_us <= p->since_us) {
        struct parked *last = container_of(back, struct parked, next);
        if (last->since_us <= p->since_us)
            return back;
        front = &(*front)->next;
        back = last->at;
    }
    return front;
}

bool park_add(struct thread_ctx *c, struct parked *p)
{
    struct park_queue **at, *q;

    if (c->park->draining)
        return false;
    at = find(c->park, p->tenant, p->project, p->stage);
    q = *at;
    if (!q) {
        q = calloc(1, sizeof(*q));
        BUG_ON(!q);
        *q = (struct park_queue){.tenant = p->tenant, .project = p->project, .stage = p->stage};
        q->tail = &q->head;
        *at = q;
    }
    p->queue = q;
    p->at = place(q, p);
    p->next = *p->at;
    if (p->next)
        p->next->at = &p->next;
    else
        q->tail = &p->next;
    *p->at = p;
    return true;
}

void park_remove(struct thread_ctx *c, struct parked *p)
{
    struct park_queue *q = p->queue;

    if (!p->at)
        return;
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    else
        q->tail = p->at;
    p->at = NULL;
    if (!q->head) {
        *find(c->park, q->tenant, q->project, q->stage) = q->next;
        free(q);
    }
}

/* Moves up to n of a queue to the end of a list; what is woken may park again, so nobody is woken
 * before all have been taken. */
static struct parked **take(
    struct thread_ctx *c, const struct park_queue *q, int n, struct parked **tail)
{
    for (struct parked *p = q->head, *next; p && n > 0; p = next, n--) {
        next = p->next;
        park_remove(c, p); /* the last one's queue dies with it */
        p->next = NULL;
        *tail = p;
        tail = &p->next;
    }
    return tail;
}

static void wake_all(struct parked *list, bool timed_out)
{
    int64_t now = clock_mono_us();

    while (list) {
        struct parked *p = list;
        list = p->next;
        p->wake(p, timed_out || p->deadline_us <= now);
    }
}

static void wake_queue(
    struct thread_ctx *c, int64_t tenant, int64_t project, enum stage stage, int n)
{
    const struct park_queue *q = *find(c->park, tenant, project, stage);
    struct parked *list = NULL;

    if (q) {
        take(c, q, n, &list);
        wake_all(list, false);
    }
}

static void on_opened(struct thread_ctx *c, int64_t tenant, int64_t project, int64_t stage)
{
    queue_head_opened(c, tenant, project, (enum stage)stage);
    wake_queue(c, tenant, project, (enum stage)stage, WAKE_FIRST);
}

void park_opened(struct server *s, int64_t tenant, int64_t project, enum stage stage)
{
    context_broadcast(s, on_opened, tenant, project, stage);
}

void park_wake(struct server *s, int64_t tenant, int64_t project, enum stage stage)
{
    park_opened(s, tenant, project, stage);
    wake_tell(s, tenant, project, stage);
}

void park_pass_on(struct thread_ctx *c, int64_t tenant, int64_t project, enum stage stage)
{
    wake_queue(c, tenant, project, stage, WAKE_NEXT);
}

static void wake_everyone(struct thread_ctx *c, bool timed_out)
{
    struct parked *list = NULL, **tail = &list;

    for (int i = 0; i < BUCKETS; i++)
        for (struct park_queue *q = c->park->buckets[i], *next; q; q = next) {
            next = q->next;
            tail = take(c, q, EVERYONE, tail);
        }
    wake_all(list, timed_out);
}

static void look(void *arg)
{
    struct thread_ctx *c = arg;

    wake_everyone(c, false);
    timer_start(&c->park->look, LOOK_MS);
}

void park_drain(struct thread_ctx *c)
{
    c->park->draining = true;
    wake_everyone(c, true);
}

void park_init(struct thread_ctx *c)
{
    c->park = calloc(1, sizeof(*c->park));
    BUG_ON(!c->park);
    timer_init(&c->park->look, c->loop, look, c);
    timer_start(&c->park->look, LOOK_MS);
}
