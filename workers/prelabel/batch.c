/* Owns splitting, bisecting and the size of batches. */
#include "workers/prelabel/batch.h"

void batcher_init(struct batcher *b, struct session *s, size_t max)
{
    *b = (struct batcher){.session = s, .max = max, .max_now = max};
}

static enum err infer(struct batcher *b, const float *in, size_t n, float *out)
{
    b->runs++;
    return b->session->engine->infer(b->session, in, n, out);
}

static void shrink(struct batcher *b, size_t failed)
{
    b->max_now = failed / 2;
    b->clean = 0;
    b->oom_splits++;
}

static void grow(struct batcher *b)
{
    if (b->max_now < b->max && ++b->clean >= BATCH_CLEAN) {
        b->max_now++;
        b->clean = 0;
    }
}

/* One run, and after a failure its halves, down to single items. */
static enum err run_range(struct batcher *b, const float *in, size_t n, float *out, enum err *fate)
{
    const struct model *m = b->session->model;
    enum err e = infer(b, in, n, out);

    if (e == ERR_UNAVAILABLE)
        return e;
    if (e == ERR_OK) {
        for (size_t i = 0; i < n; i++)
            fate[i] = ERR_OK;
        b->ever_good = true;
        grow(b);
        return ERR_OK;
    }
    if (n == 1) {
        fate[0] = e == ERR_NO_MEMORY ? e : ERR_INVALID;
        b->poison += e != ERR_NO_MEMORY;
        return ERR_OK;
    }
    if (e == ERR_NO_MEMORY)
        shrink(b, n);
    size_t half = n / 2;
    e = run_range(b, in, half, out, fate);
    if (!e)
        e = run_range(b, in + half * model_in(m), n - half, out + half * model_out(m), fate + half);
    return e;
}

enum err batch_run(struct batcher *b, const float *in, size_t n, float *out, enum err *fate)
{
    const struct model *m = b->session->model;
    bool good_before = b->ever_good;
    size_t invalid = 0;

    for (size_t i = 0, now; i < n; i += now) {
        now = n - i < b->max_now ? n - i : b->max_now;
        enum err e = run_range(b, in + i * model_in(m), now, out + i * model_out(m), fate + i);
        if (e)
            return e;
    }
    for (size_t i = 0; i < n; i++)
        invalid += fate[i] == ERR_INVALID;
    return invalid == n && (n > 1 || !good_before) ? ERR_CORRUPT : ERR_OK;
}
