/* Owns what a thread knows of the heads of queues. Never decides what a claim gets. */
#include "annotate-server/api/queue_head.h"

#include <stdlib.h>

#include "base/clock.h"

enum {
    HEADS = 4096, /* direct-mapped: a new one takes an older one's place (I9) */
    LOOK_EVERY_US = 100000,
    LOOK_SHARE = 20,  /* looks take at most a twentieth of the time */
    OPENED_SHARE = 2, /* half of it when something came */
    DEAR_US = 20000,  /* a look past that many dead entries is not made for everyone who asks */
};

void queue_heads_init(struct thread_ctx *c)
{
    c->queue_heads = calloc(HEADS, sizeof(*c->queue_heads));
    BUG_ON(!c->queue_heads);
}

static bool same(const struct queue_head *h, int64_t tenant, int64_t project, enum stage stage)
{
    return h->project == project && h->tenant == tenant && h->stage == stage;
}

static struct queue_head *slot(
    struct thread_ctx *c, int64_t tenant, int64_t project, enum stage stage)
{
    uint64_t n = (uint64_t)tenant * 0x9e3779b97f4a7c15U;

    n = (n ^ (uint64_t)project) * 0x9e3779b97f4a7c15U;
    n = (n ^ (uint64_t)stage) * 0x9e3779b97f4a7c15U;
    return &c->queue_heads[(n >> 32) % HEADS];
}

struct queue_head *queue_head_of(
    struct thread_ctx *c, int64_t tenant, int64_t project, enum stage stage)
{
    struct queue_head *h = slot(c, tenant, project, stage);

    if (!same(h, tenant, project, stage))
        *h = (struct queue_head){.tenant = tenant, .project = project, .stage = stage};
    return h;
}

static bool look_is_due(const struct queue_head *h, int64_t now_us)
{
    int64_t since = now_us - h->looked_us, share = LOOK_SHARE * h->cost_us;

    if (!h->known || h->wanted)
        return true;
    if (h->empty && h->cost_us < DEAR_US)
        return true;
    if (h->opened && (h->cost_us < DEAR_US || since >= OPENED_SHARE * h->cost_us))
        return true;
    return since >= (share > LOOK_EVERY_US ? share : LOOK_EVERY_US);
}

struct queue_place queue_head_start(struct queue_head *h, int64_t now_us, bool *look)
{
    *look = look_is_due(h, now_us);
    if (!*look)
        return (struct queue_place){h->rank, h->id};
    h->opened = h->wanted = false;
    return QUEUE_BEGINNING;
}

void queue_head_learn(struct queue_head *h, const struct queue_place *place, bool short_of,
    bool look, int64_t began_us, int64_t now_us)
{
    if (look) {
        h->looked_us = now_us;
        h->cost_us = now_us - began_us;
    }
    if (place) {
        h->rank = place->rank;
        h->id = place->id;
        h->known = true;
    }
    h->empty = short_of;
    if (look && !place && !short_of)
        h->wanted = true; /* own leases were enough: nobody has looked at the queue */
}

bool queue_head_again(struct queue_head *h, bool waits)
{
    h->wanted = h->wanted || !waits || look_is_due(h, clock_mono_us());
    return h->wanted;
}

void queue_head_opened(struct thread_ctx *c, int64_t tenant, int64_t project, enum stage stage)
{
    struct queue_head *h = c->queue_heads ? slot(c, tenant, project, stage) : NULL;

    if (h && same(h, tenant, project, stage))
        h->opened = true;
}

static void on_given_back(struct thread_ctx *c, int64_t tenant, int64_t project, int64_t stage)
{
    struct queue_head *h = c->queue_heads ? slot(c, tenant, project, (enum stage)stage) : NULL;

    if (h && same(h, tenant, project, (enum stage)stage))
        h->wanted = true;
}

void queue_head_given_back(struct server *s, int64_t tenant, int64_t project, enum stage stage)
{
    context_broadcast(s, on_given_back, tenant, project, stage);
}
