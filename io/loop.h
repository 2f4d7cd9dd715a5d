/* One event loop a thread (libevent). A loop owns its connections, its database pool and its
 * timers; other threads reach it by loop_post() only. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct event_base;
struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *l);
struct event_base *loop_base(struct loop *l);

/* Runs until loop_stop(); returns in the calling thread. */
void loop_run(struct loop *l);
/* From any thread. */
void loop_stop(struct loop *l);

/* Runs fn(arg) in the loop's thread, soon, in the order posted. From any thread. */
void loop_post(struct loop *l, void (*fn)(void *), void *arg);

/* A one-shot timer; embed it. timer_stop() on a stopped timer is fine. Loop thread only. */
struct timer {
    struct event *ev;
    void (*fn)(void *);
    void *arg;
};
void timer_init(struct timer *t, struct loop *l, void (*fn)(void *), void *arg);
void timer_start(struct timer *t, int64_t ms);
void timer_stop(struct timer *t);
void timer_release(struct timer *t);

#endif
