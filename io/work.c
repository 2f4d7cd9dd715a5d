/* Owns the threads for blocking work. Never runs `done` on any thread but the asker's loop. */
#include "io/work.h"

#include <pthread.h>
#include <stdlib.h>

struct job {
    struct job *next;
    struct loop *loop;
    void (*run)(void *), (*done)(void *);
    void *arg;
};

struct work_pool {
    pthread_mutex_t lock; /* guards head, tail, stopping */
    pthread_cond_t wake;
    struct job *head, **tail;
    bool stopping;
    int nthreads;
    pthread_t threads[];
};

static struct job *take(struct work_pool *p)
{
    struct job *j;

    pthread_mutex_lock(&p->lock);
    while (!p->head && !p->stopping)
        pthread_cond_wait(&p->wake, &p->lock);
    j = p->head;
    if (j) {
        p->head = j->next;
        if (!p->head)
            p->tail = &p->head;
    }
    pthread_mutex_unlock(&p->lock);
    return j;
}

static void *worker(void *arg)
{
    struct work_pool *p = arg;
    struct job *j;

    while ((j = take(p))) {
        j->run(j->arg);
        loop_post(j->loop, j->done, j->arg);
        free(j);
    }
    return NULL;
}

struct work_pool *work_pool_new(int threads)
{
    struct work_pool *p = calloc(1, sizeof(*p) + (size_t)threads * sizeof(p->threads[0]));

    BUG_ON(!p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->tail = &p->head;
    p->nthreads = threads;
    for (int i = 0; i < threads; i++)
        BUG_ON(pthread_create(&p->threads[i], NULL, worker, p) != 0);
    return p;
}

void work_pool_free(struct work_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->nthreads; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void work_submit(
    struct work_pool *p, struct loop *l, void (*run)(void *), void (*done)(void *), void *arg)
{
    struct job *j = calloc(1, sizeof(*j));

    BUG_ON(!j);
    *j = (struct job){.loop = l, .run = run, .done = done, .arg = arg};
    pthread_mutex_lock(&p->lock);
    *p->tail = j;
    p->tail = &j->next;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
}
