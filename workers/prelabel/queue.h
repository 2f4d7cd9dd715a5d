/* A first-in first-out queue of items between threads. Not bounded of itself: what can be in all
 * queues together is bounded by the credits at the claim (held.h), so no stage ever waits on a full
 * queue while holding what the next one needs. */
#ifndef PRELABEL_QUEUE_H
#define PRELABEL_QUEUE_H

#include <pthread.h>

#include "workers/prelabel/item.h"

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct item *head, **tail;
    size_t n;
    bool closed;
};

void queue_init(struct queue *q);
void queue_release(struct queue *q); /* must be empty */

void queue_put(struct queue *q, struct item *i);
/* The first item and those directly behind it for which same(first, item) holds, at most max. Waits
 * for the first; then until max are there, or delay_ms have passed. 0: closed and empty. */
size_t queue_take(struct queue *q, struct item **out, size_t max, int delay_ms,
    bool (*same)(const struct item *, const struct item *));
/* What is in it may still be taken. */
void queue_close(struct queue *q);

#endif
