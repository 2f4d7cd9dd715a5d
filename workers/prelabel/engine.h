/* What runs a model. An engine is a row of engines[]; a session is one model opened by it.
 *
 * A session is used by one thread at a time. Errors of infer() say what to do next:
 *   ERR_NO_MEMORY   the batch was too big: split it
 *   ERR_INVALID     an item or the model is at fault: bisect
 *   ERR_UNAVAILABLE the device is gone: this session will not work again */
#ifndef PRELABEL_ENGINE_H
#define PRELABEL_ENGINE_H

#include <stddef.h>

#include "base/err.h"
#include "workers/prelabel/model.h"

struct engine;

/* The head of each engine's own session. */
struct session {
    const struct engine *engine;
    const struct model *model;
    const char *provider; /* what really computes: "cpu", "cuda", "fake"; static */
};

struct engine_options {
    const char *ort_lib; /* path or soname of the ONNX Runtime library */
    const char *device;  /* "auto", "cpu", "cuda" */
    const char *models;  /* directory of the model files */
};

struct engine {
    const char *name;
    const char *prefix; /* of the model's name in what is posted: "" or "fake-" */
    /* Logs why when it fails. The model must outlive the session. */
    enum err (*open)(
        const struct engine_options *o, const struct model *m, struct session **out) MUSTCHECK;
    /* in: n * model_in() floats, out: n * model_out() floats; n >= 1. */
    enum err (*infer)(struct session *s, const float *in, size_t n, float *out) MUSTCHECK;
    void (*close)(struct session *s);
};

extern const struct engine engine_onnx, engine_fake;

/* NULL when there is no engine of that name. */
const struct engine *engine_find(const char *name);

#endif
