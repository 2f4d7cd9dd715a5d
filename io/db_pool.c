/* Owns the connections of one loop thread and the queue before them. Never grows the queue past its
 * bound. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "io/db_conn.h"

enum {
    DEPTH = 4,      /* calls in flight on one connection */
    SWEEP_MS = 100, /* how late a deadline may be noticed */
    PLANS_US =
        30000000, /* how long a connection keeps its plans, half as long to half as much again */
    STUCK_US = 10000000, /* in flight so long past its deadline: the connection is given up */
};

struct line { /* calls that wait for a connection, oldest first */
    struct db_call *head, **tail;
};

struct db_pool {
    struct loop *loop;
    struct db_options options;
    struct db_owner owner; /* as its connections see the pool */
    struct line prompt, bulk;
    int queued;   /* in both lines */
    int bulk_out; /* connections that have a bulk call */
    _Atomic int64_t load_now, load_ever;
    struct timer sweep;
    bool closing, waking;
    int n;
    struct db_conn conns[];
};

bool db_pool_ready(const struct db_pool *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->conns[i].state == DB_READY)
            return true;
    return false;
}

void db_pool_load(const struct db_pool *p, struct db_load *sum)
{
    sum->now += atomic_load_explicit(&p->load_now, memory_order_relaxed);
    sum->ever += atomic_load_explicit(&p->load_ever, memory_order_relaxed);
}

static struct db_call *pop(struct db_pool *p, struct line *l)
{
    struct db_call *c = l->head;

    if (c) {
        l->head = c->next;
        if (!l->head)
            l->tail = &l->head;
        p->queued--;
    }
    return c;
}

static void push(struct db_pool *p, struct db_call *c)
{
    struct line *l = c->bulk ? &p->bulk : &p->prompt;

    c->next = NULL;
    *l->tail = c;
    l->tail = &c->next;
    p->queued++;
}

/* The one way out of the pool for a call that was let in. */
static void finish(struct db_pool *p, struct db_call *c, enum err e, const PGresult *res)
{
    if (!c->bulk)
        p->load_now--;
    c->done(c, e, res);
}

/* The ready connection with the fewest calls in flight. */
static struct db_conn *idlest(struct db_pool *p)
{
    struct db_conn *best = NULL;

    for (int i = 0; i < p->n; i++) {
        struct db_conn *c = &p->conns[i];
        if (c->state == DB_READY && !c->holding && c->inflight < DEPTH &&
            (!best || c->inflight < best->inflight))
            best = c;
    }
    return best;
}

/* What is short goes first, and never behind what is long. */
static void wake(void *arg)
{
    struct db_pool *p = arg;
    struct db_conn *c;

    if (p->closing || p->waking)
        return;
    p->waking = true; /* a send that loses its connection comes back here */
    while (p->prompt.head && (c = idlest(p)))
        db_conn_send(c, pop(p, &p->prompt));
    while (p->bulk.head && p->bulk_out < (p->n + 1) / 2 && (c = idlest(p)) && c->inflight == 0) {
        p->bulk_out++;
        db_conn_send(c, pop(p, &p->bulk));
    }
    p->waking = false;
}

static void call_done(void *arg, struct db_call *c, enum err e, const PGresult *res)
{
    struct db_pool *p = arg;

    if (c->stmt == STMT_plan_forget) { /* the pool's own, which never was in a line */
        c->done(c, e, res);
        return;
    }
    p->bulk_out -= c->bulk;
    if (e && res)
        log_debug("db_error", "%s: %s", statement_name(c->stmt), PQresultErrorMessage(res));
    /* Serialization failures and deadlocks: the whole group was rolled back, so once more is safe.
     */
    if (e == ERR_BUSY && res && !c->retried && !p->closing) {
        const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
        if (state && strncmp(state, "40", 2) == 0) {
            c->retried = true;
            push(p, c);
            return;
        }
    }
    if (e == ERR_INTERNAL && res)
        log_error("db_error", "%s: %s", statement_name(c->stmt), PQresultErrorMessage(res));
    finish(p, c, e, res);
}

static void forgotten(struct db_call *call, enum err e, const PGresult *res)
{
    (void)e;
    (void)res;
    container_of(call, struct db_conn, forget)->forgetting = false;
}

/* Each at a time of its own: planning all statements anew takes longer than most calls. */
static void forget_plans(const struct db_pool *p, struct db_conn *c, int64_t now)
{
    bool first = c->forget_us == 0;
    uint32_t jitter;

    if (c->state != DB_READY || c->holding || c->forgetting || c->forget_us > now ||
        !(statement_users(STMT_plan_forget) & p->options.users))
        return;
    random_bytes(&jitter, sizeof(jitter));
    c->forget_us = now + PLANS_US / 2 + jitter % PLANS_US;
    if (first)
        return;
    c->forgetting = true;
    db_call_init(&c->forget, STMT_plan_forget, 0, forgotten);
    c->forget.deadline_us = now + (int64_t)p->options.deadline_ms * 1000;
    db_conn_send(c, &c->forget);
}

static void give_up(struct db_pool *p, struct line *l, int64_t now)
{
    while (l->head && l->head->deadline_us < now)
        finish(p, pop(p, l), ERR_BUSY, NULL);
}

static void sweep(void *arg)
{
    struct db_pool *p = arg;
    int64_t now = clock_mono_us();

    give_up(p, &p->prompt, now);
    give_up(p, &p->bulk, now);
    for (int i = 0; i < p->n; i++)
        if (p->conns[i].head && p->conns[i].head->deadline_us + STUCK_US < now)
            db_conn_lose(&p->conns[i], "a statement did not answer in time");
        else
            forget_plans(p, &p->conns[i], now);
    timer_start(&p->sweep, SWEEP_MS);
}

struct db_pool *db_pool_new(struct loop *l, const struct db_options *o)
{
    struct db_pool *p = calloc(1, sizeof(*p) + (size_t)o->connections * sizeof(p->conns[0]));

    BUG_ON(!p);
    p->loop = l;
    p->options = *o;
    p->prompt.tail = &p->prompt.head;
    p->bulk.tail = &p->bulk.head;
    p->n = o->connections;
    p->owner = (struct db_owner){l, &p->options, p, wake, call_done};
    timer_init(&p->sweep, l, sweep, p);
    timer_start(&p->sweep, SWEEP_MS);
    for (int i = 0; i < p->n; i++)
        db_conn_init(&p->conns[i], &p->owner);
    return p;
}

void db_pool_free(struct db_pool *p)
{
    struct db_call *c;

    if (!p)
        return;
    p->closing = true;
    timer_release(&p->sweep);
    for (int i = 0; i < p->n; i++)
        db_conn_release(&p->conns[i]);
    while ((c = pop(p, &p->prompt)) || (c = pop(p, &p->bulk)))
        finish(p, c, ERR_UNAVAILABLE, NULL);
    free(p);
}

/* done is never called from inside db_submit: callers may still be building around it. */
static void refuse(void *arg)
{
    struct db_call *c = arg;

    c->done(c, ERR_BUSY, NULL);
}

void db_submit(struct db_pool *p, struct db_call *c)
{
    BUG_ON(c->nparams != statement_nparams(c->stmt));
    c->retried = false;
    c->deadline_us = clock_mono_us() + (int64_t)p->options.deadline_ms * 1000;
    if (p->queued >= p->options.max_queue) {
        loop_post(p->loop, refuse, c);
        return;
    }
    if (!c->bulk) {
        p->load_now++;
        p->load_ever++;
    }
    push(p, c);
    wake(p);
}
