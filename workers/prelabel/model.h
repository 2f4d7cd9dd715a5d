/* A model as its descriptor says (models/NAME.json beside NAME.onnx): what goes in, what comes out,
 * what the labels are. The descriptor pins the model file by SHA-256: a flipped bit in weights
 * loads without complaint otherwise. Never runs a model. */
#ifndef PRELABEL_MODEL_H
#define PRELABEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

enum {
    MODEL_NAME = 63,      /* bytes of a model's, tensor's or file's name */
    MODEL_LABELS = 1000,  /* classes */
    MODEL_LABEL = 200,    /* bytes of one label */
    MODEL_SIDE = 4096,    /* pixels of an input's side */
    MODEL_CHANNELS = 3,   /* gray or RGB */
    MODEL_BATCH = 4096,   /* items */
    MODEL_BYTES = 1 << 30 /* of the model file */
};

enum layout { LAYOUT_NCHW, LAYOUT_NHWC };
enum activation { ACTIVATION_NONE, ACTIVATION_SOFTMAX, ACTIVATION_SIGMOID };

struct model {
    char name[MODEL_NAME + 1];
    int version;
    char file[MODEL_NAME + 1]; /* in the descriptor's directory */
    struct sha256 sha256;      /* of the file */
    char input[MODEL_NAME + 1], output[MODEL_NAME + 1];
    int width, height, channels;
    enum layout layout;
    bool bgr, invert; /* invert: 255 - v, before scaling */
    float scale;      /* value = (v * scale - mean) / std */
    float mean[MODEL_CHANNELS], std[MODEL_CHANNELS];
    enum activation activation; /* to apply to the output, to make it probabilities */
    int nlabels;
    char **labels;
    int max_batch;
};

/* Reads a descriptor's text. On ERR_INVALID or ERR_BAD_JSON, `why` (>= 160 bytes) says which member
 * is wrong. Release with model_release() whatever came back. */
enum err model_parse(struct model *m, struct str json, char *why) MUSTCHECK;
void model_release(struct model *m);

/* The whole model file, checked against the descriptor's digest: ERR_NOT_FOUND, ERR_IO,
 * ERR_TOO_LARGE, ERR_CORRUPT (another digest). The caller releases `out`. */
enum err model_read(const struct model *m, const char *directory, struct buf *out) MUSTCHECK;

/* Numbers of one item: of the input tensor and of the output. */
static inline size_t model_in(const struct model *m)
{
    return (size_t)m->width * (size_t)m->height * (size_t)m->channels;
}

static inline size_t model_out(const struct model *m)
{
    return (size_t)m->nlabels;
}

/* All models of a directory (*.json). */
struct model_set {
    struct model **models;
    size_t n;
};

/* Descriptors that are not valid are logged and left out; ERR_NOT_FOUND when none is left. */
enum err model_set_load(struct model_set *s, const char *directory) MUSTCHECK;
void model_set_release(struct model_set *s);

#endif
