/* Owns pixel work between decoder and model. Never looks at file bytes. */
#include "workers/prelabel/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void image_release(struct image *im)
{
    free(im->pixels);
    *im = (struct image){0};
}

static size_t count(const struct image *im)
{
    return (size_t)im->width * (size_t)im->height;
}

void image_channels(struct image *im, int channels)
{
    size_t n = count(im);
    unsigned char *p = im->pixels;

    if (im->channels == 3 && channels == 1) {
        for (size_t i = 0; i < n; i++) {
            const unsigned char *rgb = p + 3 * i;
            p[i] = (unsigned char)((299U * rgb[0] + 587U * rgb[1] + 114U * rgb[2] + 500U) / 1000U);
        }
        im->channels = 1;
    }
    /* Gray to RGB is left to the decoders, which do it while they decode. */
    BUG_ON(im->channels != channels);
}

void image_from_cmyk(struct image *im)
{
    size_t n = count(im);

    for (size_t i = 0; i < n; i++) {
        const unsigned char *cmyk = im->pixels + 4 * i;
        unsigned k = cmyk[3];
        for (size_t c = 0; c < 3; c++)
            im->pixels[3 * i + c] = (unsigned char)(cmyk[c] * k / 255);
    }
    im->channels = 3;
}

enum err image_orient(struct image *im, int orientation)
{
    int w = im->width, h = im->height, c = im->channels;

    if (orientation < 2 || orientation > 8)
        return ERR_OK;
    bool transposed = orientation >= 5;
    bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    unsigned char *turned = malloc(count(im) * (size_t)c);
    if (!turned)
        return ERR_NO_MEMORY;
    struct image to = {transposed ? h : w, transposed ? w : h, c, turned};
    for (int y = 0; y < to.height; y++) {
        for (int x = 0; x < to.width; x++) {
            int from_x = transposed ? y : x, from_y = transposed ? x : y;
            from_x = flip_x ? w - 1 - from_x : from_x;
            from_y = flip_y ? h - 1 - from_y : from_y;
            size_t from = ((size_t)from_y * (size_t)w + (size_t)from_x) * (size_t)c;
            memcpy(turned + ((size_t)y * (size_t)to.width + (size_t)x) * (size_t)c,
                im->pixels + from, (size_t)c);
        }
    }
    free(im->pixels);
    *im = to;
    return ERR_OK;
}

/* Resizing */

/* The source pixels that make up target `i`: first, n, and their weights (which add up to 1). */
struct window {
    int first, n;
    float *weights;
};

/* One axis: `to` windows over `from` pixels, weights in one block. */
struct axis {
    struct window *windows;
    float *weights;
};

static void axis_release(struct axis *a)
{
    free(a->windows);
    free(a->weights);
}

static enum err axis_init(struct axis *a, int from, int to)
{
    float scale = (float)from / (float)to;
    float support = scale > 1 ? scale : 1;
    size_t most = 2 * (size_t)ceilf(support) + 2;

    a->windows = calloc((size_t)to, sizeof(*a->windows));
    a->weights = calloc((size_t)to * most, sizeof(*a->weights));
    if (!a->windows || !a->weights)
        return ERR_NO_MEMORY;
    for (int i = 0; i < to; i++) {
        float centre = ((float)i + 0.5F) * scale - 0.5F, sum = 0;
        int first = (int)floorf(centre - support) + 1, last = (int)ceilf(centre + support) - 1;
        first = first < 0 ? 0 : first;
        last = last >= from ? from - 1 : last;
        struct window *w = &a->windows[i];
        *w = (struct window){first, last - first + 1, a->weights + (size_t)i * most};
        for (int k = 0; k < w->n; k++) {
            w->weights[k] = 1 - fabsf((float)(first + k) - centre) / support;
            sum += w->weights[k];
        }
        for (int k = 0; k < w->n; k++)
            w->weights[k] /= sum;
    }
    return ERR_OK;
}

/* Adds `share` of one source row, squeezed to the target width, to acc. */
static void add_row(
    const struct image *im, int y, const struct axis *xs, int width, float share, float *acc)
{
    size_t c = (size_t)im->channels;
    const unsigned char *row = im->pixels + (size_t)y * (size_t)im->width * c;

    for (int x = 0; x < width; x++) {
        const struct window *w = &xs->windows[x];
        for (size_t ch = 0; ch < c; ch++) {
            const unsigned char *p = row + (size_t)w->first * c + ch;
            float v = 0;
            for (int k = 0; k < w->n; k++)
                v += w->weights[k] * (float)p[(size_t)k * c];
            acc[(size_t)x * c + ch] += share * v;
        }
    }
}

enum err image_resize(const struct image *im, int width, int height, unsigned char *out)
{
    size_t row = (size_t)width * (size_t)im->channels;
    struct axis xs = {0}, ys = {0};

    if (im->width == width && im->height == height) {
        memcpy(out, im->pixels, row * (size_t)height);
        return ERR_OK;
    }
    float *acc = malloc(row * sizeof(*acc));
    enum err e = acc ? axis_init(&xs, im->width, width) : ERR_NO_MEMORY;
    if (!e)
        e = axis_init(&ys, im->height, height);
    for (int y = 0; !e && y < height; y++) {
        const struct window *w = &ys.windows[y];
        memset(acc, 0, row * sizeof(*acc));
        for (int k = 0; k < w->n; k++)
            add_row(im, w->first + k, &xs, width, w->weights[k], acc);
        for (size_t i = 0; i < row; i++)
            out[(size_t)y * row + i] = (unsigned char)fminf(fmaxf(acc[i] + 0.5F, 0), 255);
    }
    axis_release(&xs);
    axis_release(&ys);
    free(acc);
    return e;
}
