/* Owns the arithmetic around the model, as its descriptor orders it. */
#include "workers/prelabel/tensor.h"

#include <math.h>

struct decode_spec tensor_spec(const struct model *m)
{
    return (struct decode_spec){(uint32_t)m->width, (uint32_t)m->height, (uint32_t)m->channels};
}

void tensor_fill(const struct model *m, const unsigned char *pixels, float *out)
{
    size_t channels = (size_t)m->channels, area = (size_t)m->width * (size_t)m->height;
    size_t step = m->layout == LAYOUT_NCHW ? 1 : channels;
    size_t plane = m->layout == LAYOUT_NCHW ? area : 1;

    for (size_t c = 0; c < channels; c++) {
        size_t from = m->bgr ? channels - 1 - c : c;
        float *to = out + c * plane;
        for (size_t i = 0; i < area; i++) {
            unsigned char v = pixels[i * channels + from];
            float x = (float)(m->invert ? 255 - v : v);
            to[i * step] = (x * m->scale - m->mean[c]) / m->std[c];
        }
    }
}

static void softmax(float *v, size_t n)
{
    float top = v[0], sum = 0;

    for (size_t i = 1; i < n; i++)
        top = fmaxf(top, v[i]);
    for (size_t i = 0; i < n; i++)
        sum += v[i] = expf(v[i] - top); /* minus the largest: no overflow */
    for (size_t i = 0; i < n; i++)
        v[i] /= sum;
}

static void sigmoid(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = 1 / (1 + expf(-v[i]));
}

enum err tensor_guess(const struct model *m, float *out, struct guess *guess)
{
    const float slack = 1e-4F; /* of a softmax in half precision */
    size_t n = model_out(m);

    for (size_t i = 0; i < n; i++)
        if (!isfinite(out[i]))
            return ERR_CORRUPT;
    if (m->activation == ACTIVATION_SOFTMAX)
        softmax(out, n);
    else if (m->activation == ACTIVATION_SIGMOID)
        sigmoid(out, n);
    *guess = (struct guess){0, out[0]};
    for (size_t i = 0; i < n; i++) {
        if (out[i] < -slack || out[i] > 1 + slack)
            return ERR_CORRUPT;
        if (out[i] > guess->score)
            *guess = (struct guess){(int)i, out[i]};
    }
    guess->score = fminf(guess->score, 1);
    return ERR_OK;
}
