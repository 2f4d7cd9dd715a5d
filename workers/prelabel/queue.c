/* Owns handing items from thread to thread. */
#include "workers/prelabel/queue.h"

#include <time.h>

void queue_init(struct queue *q)
{
    pthread_condattr_t attr;

    *q = (struct queue){.tail = NULL};
    q->tail = &q->head;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->more, &attr);
    pthread_condattr_destroy(&attr);
}

void queue_release(struct queue *q)
{
    BUG_ON(q->head);
    pthread_cond_destroy(&q->more);
    pthread_mutex_destroy(&q->lock);
}

void queue_put(struct queue *q, struct item *i)
{
    i->next = NULL;
    pthread_mutex_lock(&q->lock);
    *q->tail = i;
    q->tail = &i->next;
    q->n++;
    pthread_cond_signal(&q->more);
    pthread_mutex_unlock(&q->lock);
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->more);
    pthread_mutex_unlock(&q->lock);
}

static void linger(struct queue *q, size_t max, int delay_ms)
{
    struct timespec until;
    int timed_out = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += delay_ms % 1000 * 1000000L;
    until.tv_sec += delay_ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (q->n < max && !q->closed && !timed_out)
        timed_out = pthread_cond_timedwait(&q->more, &q->lock, &until);
}

size_t queue_take(struct queue *q, struct item **out, size_t max, int delay_ms,
    bool (*same)(const struct item *, const struct item *))
{
    size_t n = 0;

    pthread_mutex_lock(&q->lock);
    while (!q->head && !q->closed)
        pthread_cond_wait(&q->more, &q->lock);
    if (q->n < max && delay_ms > 0 && !q->closed)
        linger(q, max, delay_ms);
    while (n < max && q->head && (n == 0 || !same || same(out[0], q->head))) {
        out[n++] = q->head;
        q->head = q->head->next;
        q->n--;
    }
    if (!q->head)
        q->tail = &q->head;
    pthread_mutex_unlock(&q->lock);
    return n;
}
