/* A claimed task on its way through the worker. One thread owns it at a time; it moves by queues
 * (queue.h), and is known to the heartbeats (held.h) from claim to end. */
#ifndef PRELABEL_ITEM_H
#define PRELABEL_ITEM_H

#include <stdatomic.h>

#include "workers/prelabel/route.h"
#include "workers/prelabel/tensor.h"

/* What is to be told to the server when the item ends. */
enum fate {
    FATE_LABEL,   /* the guess */
    FATE_FAILED,  /* no pre-label, ever: `error` says why; people go on */
    FATE_RELEASE, /* not now: somebody may try again */
};

struct item {
    struct item *next;            /* in a queue */
    struct item *prev_h, *next_h; /* among the held */
    int64_t assignment, version, task;
    struct route *route;
    char *address; /* of the picture; NULL when the task has none */
    float *tensor; /* model_in(); NULL before decoding and after inference */
    struct guess guess;
    enum fate fate;
    const char *error; /* FATE_FAILED: a short word; static */
    atomic_bool lost;  /* the lease is another's: drop it */
};

/* NULL when out of memory. address is copied. */
struct item *item_new(
    struct route *r, int64_t assignment, int64_t version, int64_t task, struct str address);
void item_free(struct item *i);
void item_fail(struct item *i, const char *error);

/* Bytes that an item of this route takes while in flight, for the credits. */
size_t item_bytes(const struct route *r);

#endif
