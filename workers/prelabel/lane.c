/* Owns the opened models. Never runs them. */
#include "workers/prelabel/lane.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum { BLOCKED_MS = 2000 };

static void lane_init(struct lane *l, const struct model *m, struct session *s)
{
    l->model = m;
    l->session = s;
    l->faults = 0;
    batcher_init(&l->batcher, s, (size_t)m->max_batch);
    snprintf(l->name, sizeof(l->name), "%s%s@%d", s->engine->prefix, m->name, m->version);
    log_info("model", "%s: %d labels, %dx%dx%d, batches of up to %d, provider %s", l->name,
        m->nlabels, m->width, m->height, m->channels, m->max_batch, s->provider);
}

enum err lanes_open(struct lanes *l, const struct model_set *set, const struct engine *engine,
    const struct engine_options *o)
{
    *l = (struct lanes){calloc(set->n, sizeof(*l->v)), 0};
    if (!l->v)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < set->n; i++) {
        struct session *s = NULL;
        enum err e = engine->open(o, set->models[i], &s);
        if (e)
            log_error("model", "%s@%d is left out: %s", set->models[i]->name,
                set->models[i]->version, err_slug(e));
        else
            lane_init(&l->v[l->n++], set->models[i], s);
    }
    return l->n ? ERR_OK : ERR_NOT_FOUND;
}

void lanes_close(struct lanes *l)
{
    for (size_t i = 0; i < l->n; i++)
        l->v[i].session->engine->close(l->v[i].session);
    free(l->v);
    *l = (struct lanes){0};
}

bool lane_fault(struct lane *l)
{
    log_error("model", "%s spoilt a whole batch, %d in a row", l->name, ++l->faults);
    if (l->faults >= LANE_FAULTS)
        return false;
    atomic_store(&l->blocked_until_us, clock_mono_us() + (BLOCKED_MS * 1000LL << l->faults));
    return true;
}
