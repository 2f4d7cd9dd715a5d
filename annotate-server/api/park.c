/* Owns the waiting list of a loop thread. Never answers a request: wake() does. */
#include "annotate-server/api/park.h"

#include "base/clock.h"

enum { LOOK_MS = 1000 };

void park_add(struct thread_ctx *c, struct parked *p)
{
    struct parked **at = &c->parked;

    while (*at)
        at = &(*at)->next;
    p->next = NULL;
    p->at = at;
    *at = p;
}

void park_remove(struct parked *p)
{
    if (!p->at)
        return;
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    p->at = NULL;
}

/* Moves off the list what `pick` chooses before any of it is woken: waking may park again. */
static void wake_some(
    struct thread_ctx *c, bool (*pick)(const struct parked *, const void *), const void *arg)
{
    int64_t now = clock_mono_us();
    struct parked *chosen = NULL, **tail = &chosen;

    for (struct parked *p = c->parked, *next; p; p = next) {
        next = p->next;
        if (!pick(p, arg))
            continue;
        park_remove(p);
        p->next = NULL;
        *tail = p;
        tail = &p->next;
    }
    while (chosen) {
        struct parked *p = chosen;
        chosen = p->next;
        p->wake(p, p->deadline_us <= now);
    }
}

struct opened {
    int64_t tenant, project, stage;
};

static bool waits_for(const struct parked *p, const void *arg)
{
    const struct opened *o = arg;

    return p->project == o->project && p->tenant == o->tenant && (int64_t)p->stage == o->stage;
}

static void on_opened(struct thread_ctx *c, int64_t tenant, int64_t project, int64_t stage)
{
    struct opened o = {tenant, project, stage};

    if (c->parked)
        wake_some(c, waits_for, &o);
}

void park_wake(struct server *s, int64_t tenant, int64_t project, enum stage stage)
{
    context_broadcast(s, on_opened, tenant, project, stage);
}

static bool anyone(const struct parked *p, const void *arg)
{
    (void)p;
    (void)arg;
    return true;
}

static void look(void *arg)
{
    struct thread_ctx *c = arg;

    if (c->parked)
        wake_some(c, anyone, NULL);
    timer_start(&c->park_timer, LOOK_MS);
}

void park_init(struct thread_ctx *c)
{
    timer_init(&c->park_timer, c->loop, look, c);
    timer_start(&c->park_timer, LOOK_MS);
}
