/* Owns the engine without a model file: labels drawn from the hash of the input, so that everything
 * around inference can be tried on a machine without a library. Its posts say "fake-NAME@VERSION".
 */
#include "workers/prelabel/engine.h"

#include <stdlib.h>

static enum err fake_open(
    const struct engine_options *o, const struct model *m, struct session **out)
{
    (void)o;
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return ERR_NO_MEMORY;
    **out = (struct session){&engine_fake, m, "fake"};
    return ERR_OK;
}

static enum err fake_infer(struct session *s, const float *in, size_t n, float *out)
{
    size_t size = model_in(s->model), classes = model_out(s->model);

    for (size_t i = 0; i < n; i++) {
        struct sha256 h =
            sha256_of((struct str){(const char *)(in + i * size), size * sizeof(*in)});
        size_t top = sha256_u64(h) % classes;
        float score = 0.5F + (float)h.b[31] / 512; /* 0.5 .. 0.998 */
        for (size_t k = 0; k < classes; k++)
            out[i * classes + k] = k == top ? score : (1 - score) / (float)(classes - 1);
    }
    return ERR_OK;
}

static void fake_close(struct session *s)
{
    free(s);
}

const struct engine engine_fake = {"fake", "fake-", fake_open, fake_infer, fake_close};
