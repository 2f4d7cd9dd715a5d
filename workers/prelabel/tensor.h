/* Around the model, pure: pixels to the input tensor, the output tensor to a guess. */
#ifndef PRELABEL_TENSOR_H
#define PRELABEL_TENSOR_H

#include "workers/prelabel/decode.h"
#include "workers/prelabel/model.h"

/* The pixels that a model wants decoded. */
struct decode_spec tensor_spec(const struct model *m);
/* pixels: decode_size(tensor_spec()) bytes; out: model_in() floats. */
void tensor_fill(const struct model *m, const unsigned char *pixels, float *out);

struct guess {
    int label;   /* index of the likeliest label; the first of equals */
    float score; /* its probability */
};

/* `out` (model_out() floats) is turned into probabilities in place. ERR_CORRUPT for what is no
 * probability (NaN, infinite, outside 0..1): the model is at fault then, and nothing is a label. */
enum err tensor_guess(const struct model *m, float *out, struct guess *guess) MUSTCHECK;

#endif
