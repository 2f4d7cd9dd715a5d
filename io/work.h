/* Blocking work (fsync, password hashing, blob reads) on a few threads, results back on the asking
 * loop. One pool a process. */
#ifndef IO_WORK_H
#define IO_WORK_H

#include "io/loop.h"

struct work_pool;

struct work_pool *work_pool_new(int threads);
/* Finishes what is queued, joins the threads. */
void work_pool_free(struct work_pool *p);

/* Runs run(arg) on a pool thread, then done(arg) on the loop `l`. `arg` must stay valid until done
 * returns. */
void work_submit(
    struct work_pool *p, struct loop *l, void (*run)(void *), void (*done)(void *), void *arg);

#endif
