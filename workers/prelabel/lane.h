/* A model ready to run: its session, its batches, its name as posted, and how it has behaved. The
 * infer thread runs it; others read what is constant and `blocked_until_us`. */
#ifndef PRELABEL_LANE_H
#define PRELABEL_LANE_H

#include <stdatomic.h>

#include "workers/prelabel/batch.h"

enum { LANE_FAULTS = 3 }; /* in a row; then the model's items go on to people without a label */

struct lane {
    const struct model *model;
    struct session *session;
    struct batcher batcher;
    char name[MODEL_NAME + 32]; /* "fashion@1" */
    int faults;                 /* batches in a row that the model spoilt */
    _Atomic int64_t blocked_until_us;
};

struct lanes {
    struct lane *v;
    size_t n;
};

/* Opens a session for each model of the set; those that cannot be opened are logged and left out.
 * ERR_NOT_FOUND when none could. The set must outlive the lanes. */
enum err lanes_open(struct lanes *l, const struct model_set *set, const struct engine *engine,
    const struct engine_options *o) MUSTCHECK;
void lanes_close(struct lanes *l);

/* The model spoilt a whole batch. True: give the tasks back, the lane is blocked for a while;
 * false: it has had its chances, let people go on without it. */
bool lane_fault(struct lane *l);

#endif
