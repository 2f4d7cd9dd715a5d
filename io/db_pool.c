/* Owns the connections of one loop thread and the queue before them. Never grows the queue past its
 * bound. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/db_conn.h"

enum {
    DEPTH = 4,           /* calls in flight on one connection */
    SWEEP_MS = 100,      /* how late a deadline may be noticed */
    PLANS_US = 10000000, /* how long a connection keeps its plans */
    STUCK_US = 10000000, /* in flight so long past its deadline: the connection is given up */
};

struct db_pool {
    struct loop *loop;
    struct db_options options;
    struct db_owner owner;        /* as its connections see the pool */
    struct db_call *head, **tail; /* waiting, oldest first */
    int queued;
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

static struct db_call *pop(struct db_pool *p)
{
    struct db_call *c = p->head;

    if (c) {
        p->head = c->next;
        if (!p->head)
            p->tail = &p->head;
        p->queued--;
    }
    return c;
}

static void push(struct db_pool *p, struct db_call *c)
{
    c->next = NULL;
    *p->tail = c;
    p->tail = &c->next;
    p->queued++;
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

static void wake(void *arg)
{
    struct db_pool *p = arg;
    struct db_conn *c;

    if (p->closing || p->waking)
        return;
    p->waking = true; /* a send that loses its connection comes back here */
    while (p->head && (c = idlest(p)))
        db_conn_send(c, pop(p));
    p->waking = false;
}

static void call_done(void *arg, struct db_call *c, enum err e, const PGresult *res)
{
    struct db_pool *p = arg;

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
    c->done(c, e, res);
}

static void forgotten(struct db_call *call, enum err e, const PGresult *res)
{
    (void)e;
    (void)res;
    container_of(call, struct db_conn, forget)->forgetting = false;
}

static void forget_plans(const struct db_pool *p, struct db_conn *c, int64_t now)
{
    if (c->state != DB_READY || c->holding || c->forgetting || c->planned_us + PLANS_US > now ||
        !(statement_users(STMT_plan_forget) & p->options.users))
        return;
    c->forgetting = true;
    c->planned_us = now;
    db_call_init(&c->forget, STMT_plan_forget, 0, forgotten);
    c->forget.deadline_us = now + (int64_t)p->options.deadline_ms * 1000;
    db_conn_send(c, &c->forget);
}

static void sweep(void *arg)
{
    struct db_pool *p = arg;
    int64_t now = clock_mono_us();

    while (p->head && p->head->deadline_us < now) {
        struct db_call *c = pop(p);
        c->done(c, ERR_BUSY, NULL);
    }
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
    p->tail = &p->head;
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
    while ((c = pop(p)))
        c->done(c, ERR_UNAVAILABLE, NULL);
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
    push(p, c);
    wake(p);
}
