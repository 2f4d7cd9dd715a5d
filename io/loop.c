/* Owns one libevent base a thread, its mail box and its timers. Never touches another loop but by
 * loop_post. */
#include "io/loop.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <stdlib.h>

struct post {
    struct post *next;
    void (*fn)(void *);
    void *arg;
};

struct loop {
    struct event_base *base;
    struct event *mail;
    pthread_mutex_t lock; /* guards head, tail */
    struct post *head, **tail;
};

static void deliver(int fd, short what, void *arg)
{
    struct loop *l = arg;
    struct post *list;

    (void)fd;
    (void)what;
    pthread_mutex_lock(&l->lock);
    list = l->head;
    l->head = NULL;
    l->tail = &l->head;
    pthread_mutex_unlock(&l->lock);
    while (list) {
        struct post *p = list;
        list = p->next;
        p->fn(p->arg);
        free(p);
    }
}

static void threads_once(void)
{
    BUG_ON(evthread_use_pthreads() != 0);
}

struct loop *loop_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct loop *l = calloc(1, sizeof(*l));

    BUG_ON(!l);
    pthread_once(&once, threads_once);
    l->base = event_base_new();
    BUG_ON(!l->base);
    l->mail = event_new(l->base, -1, 0, deliver, l);
    BUG_ON(!l->mail);
    l->tail = &l->head;
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    deliver(-1, 0, l);
    event_free(l->mail);
    event_base_free(l->base);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

void loop_run(struct loop *l)
{
    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *l)
{
    event_base_loopexit(l->base, NULL);
}

void loop_post(struct loop *l, void (*fn)(void *), void *arg)
{
    struct post *p = calloc(1, sizeof(*p));

    BUG_ON(!p);
    p->fn = fn;
    p->arg = arg;
    pthread_mutex_lock(&l->lock);
    bool first = !l->head;
    *l->tail = p;
    l->tail = &p->next;
    pthread_mutex_unlock(&l->lock);
    if (first)
        event_active(l->mail, EV_TIMEOUT, 0);
}

static void fire(int fd, short what, void *arg)
{
    struct timer *t = arg;

    (void)fd;
    (void)what;
    t->fn(t->arg);
}

void timer_init(struct timer *t, struct loop *l, void (*fn)(void *), void *arg)
{
    t->fn = fn;
    t->arg = arg;
    t->ev = evtimer_new(l->base, fire, t);
    BUG_ON(!t->ev);
}

void timer_start(struct timer *t, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    evtimer_add(t->ev, &tv);
}

void timer_stop(struct timer *t)
{
    if (t->ev)
        evtimer_del(t->ev);
}

void timer_release(struct timer *t)
{
    if (t->ev)
        event_free(t->ev);
    t->ev = NULL;
}
