/* Requests of one kind that go to the database together (docs/design.md §6): while one batch of a
 * key is at work, what arrives waits, and goes out as the next batch. No timer: a lone request goes
 * at once. One set a loop thread.
 *
 * Life: batch_add() hands an item over; kind->run() gets a batch of them, owns them from then on,
 * and ends with batch_end(), which frees the batch and its arena and starts the next. */
#ifndef IO_BATCH_H
#define IO_BATCH_H

#include "base/arena.h"

struct batch_set;

struct batch_item { /* embedded in the request's own struct */
    struct batch_item *next;
    int weight; /* at least 1 */
};

struct batch;
struct batch_kind {
    const char *name;
    int max_weight; /* of one batch; a heavier item goes alone */
    /* Whether `item` may join what the batch holds; NULL: always. One that may not waits for the
     * next. */
    bool (*fits)(const struct batch *b, const struct batch_item *item);
    void (*run)(struct batch *b);
};

struct batch_key {
    const struct batch_kind *kind;
    int64_t tenant, project, extra;
};

struct batch {
    struct batch_key key;
    struct batch_item *items; /* in order of arrival */
    int n;
    struct arena *arena;
    void *ctx;  /* of the set */
    void *user; /* the kind's own */
    struct batch_set *set;
};

struct batch_set *batch_set_new(void *ctx);
/* Only when nothing is at work any more. */
void batch_set_free(struct batch_set *s);

void batch_add(struct batch_set *s, const struct batch_key *key, struct batch_item *item);
void batch_end(struct batch *b);

#endif
