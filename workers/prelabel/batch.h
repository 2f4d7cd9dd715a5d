/* Runs many items through a session and tells the fate of each. When memory runs out the batch is
 * halved, and grows again by one after BATCH_CLEAN clean runs; when a run fails otherwise the batch
 * is bisected down to the items that make it fail. Knows nothing of tasks. */
#ifndef PRELABEL_BATCH_H
#define PRELABEL_BATCH_H

#include "workers/prelabel/engine.h"

enum { BATCH_CLEAN = 50 };

struct batcher {
    struct session *session;
    size_t max;     /* items a run may have at most */
    size_t max_now; /* ... at present */
    int clean;      /* runs since memory last ran out or max_now last grew */
    bool ever_good; /* some item has passed: the model works as such */
    int64_t oom_splits, poison, runs;
};

void batcher_init(struct batcher *b, struct session *s, size_t max);

/* in: n * model_in() floats, out: n * model_out(), fate: n. fate[i] is ERR_OK, ERR_INVALID (the
 * item cannot be inferred) or ERR_NO_MEMORY (too big for this machine even alone).
 * Returns ERR_OK; ERR_CORRUPT when every item failed and none ever passed before or n > 1: it is
 * the model, not the items; ERR_UNAVAILABLE when the device is gone. After an error fate and out
 * mean nothing. */
enum err batch_run(
    struct batcher *b, const float *in, size_t n, float *out, enum err *fate) MUSTCHECK;

#endif
