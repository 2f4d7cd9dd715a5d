/* Owns the second stage: batches of one model's items through its session. */
#include <stdlib.h>

#include "base/log.h"
#include "workers/prelabel/worker.h"

enum { DELAY_MS = 5 }; /* an item waits so long for company */

/* The largest batch's memory, kept between batches. */
struct scratch {
    struct item *items[MODEL_BATCH];
    enum err fate[MODEL_BATCH];
    float *in, *out;
    size_t nin, nout; /* floats */
};

static bool same_lane(const struct item *a, const struct item *b)
{
    return a->route->lane == b->route->lane;
}

static bool grow(float **p, size_t *have, size_t want)
{
    if (*have >= want)
        return true;
    float *more = realloc(*p, want * sizeof(*more));
    if (!more)
        return false;
    *p = more;
    *have = want;
    return true;
}

static enum err run(struct lane *l, struct scratch *s, size_t n)
{
    size_t in = model_in(l->model), out = model_out(l->model);
    size_t bad = 0;

    if (!grow(&s->in, &s->nin, n * in) || !grow(&s->out, &s->nout, n * out))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        memcpy(s->in + i * in, s->items[i]->tensor, in * sizeof(*s->in));
    enum err e = batch_run(&l->batcher, s->in, n, s->out, s->fate);
    if (e)
        return e;
    for (size_t i = 0; i < n; i++) {
        struct item *it = s->items[i];
        if (s->fate[i] == ERR_NO_MEMORY)
            item_fail(it, "too-large");
        else if (s->fate[i] || tensor_guess(l->model, s->out + i * out, &it->guess))
            item_fail(it, "model");
        bad += it->fate == FATE_FAILED && it->error[0] == 'm';
    }
    return bad == n && n > 1 ? ERR_CORRUPT : ERR_OK; /* nothing but NaN: the model, not the items */
}

static void settle(struct worker *w, struct lane *l, struct scratch *s, size_t n, enum err e)
{
    bool back = e == ERR_UNAVAILABLE || e == ERR_NO_MEMORY || (e && lane_fault(l));

    if (!e)
        l->faults = 0;
    if (e == ERR_UNAVAILABLE) {
        log_error("model", "%s: the device is gone", l->name);
        atomic_store(&w->broken, true);
    }
    for (size_t i = 0; i < n; i++) {
        struct item *it = s->items[i];
        free(it->tensor);
        it->tensor = NULL;
        if (e && back)
            it->fate = FATE_RELEASE;
        else if (e)
            item_fail(it, "model");
        queue_put(&w->post, it);
    }
}

void *infer_thread(void *arg)
{
    struct worker *w = ((struct stage *)arg)->w;
    struct scratch *s = calloc(1, sizeof(*s));
    size_t n;

    BUG_ON(!s); /* at start */
    while ((n = queue_take(&w->infer, s->items, w->batch, DELAY_MS, same_lane)) > 0) {
        struct lane *l = s->items[0]->route->lane;
        settle(w, l, s, n, run(l, s, n));
    }
    free(s->in);
    free(s->out);
    free(s);
    return NULL;
}
