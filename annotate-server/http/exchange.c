/* Owns a request from its first byte to after its answer: what it holds, who is told, when it is
 * over. Never decides what happens to it (dispatch.c) and never writes to the socket. */
#include "annotate-server/http/conn.h"

#include "base/clock.h"
#include "base/log.h"

/* xorshift128+: request ids need to differ, not to be secret. */
static uint64_t next_random(uint64_t s[2])
{
    uint64_t a = s[0], b = s[1];

    s[0] = b;
    a ^= a << 23;
    s[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return s[1] + b;
}

static void new_id(struct http_server *sv, char out[33])
{
    static const char hex[] = "0123456789abcdef";

    for (int half = 0; half < 2; half++) {
        uint64_t v = next_random(sv->rng);
        for (int i = 0; i < 16; i++, v >>= 4)
            out[half * 16 + i] = hex[v & 15];
    }
    out[32] = '\0';
}

struct exchange *exchange_new(struct conn *c)
{
    struct arena *a = arena_new();
    struct exchange *x = arena_alloc(a, sizeof(*x));

    BUG_ON(c->x);
    x->conn = c;
    x->r.arena = a;
    x->r.ctx = c->sv->o.ctx;
    x->r.loop = c->sv->loop;
    x->r.start_us = clock_mono_us();
    buf_init(&x->body, 0);
    buf_init(&x->extra, HEAD_MAX);
    new_id(c->sv, x->r.id);
    c->x = x;
    c->served++;
    metrics_in_flight(c->sv->metrics, 1);
    return x;
}

void exchange_free(struct exchange *x)
{
    struct conn *c = x->conn;

    c->x = NULL;
    metrics_in_flight(c->sv->metrics, -1);
    buf_release(&x->body);
    buf_release(&x->extra);
    arena_free(x->r.arena);
}

/* --- the end of an exchange --- */

void exchange_tell(struct exchange *x)
{
    if (x->told || x->answered)
        return;
    if (x->passed && !x->handled) { /* nobody else would answer it */
        x->status = 499;
        exchange_answered(x);
        return;
    }
    if (!x->handled)
        return;
    void (*on_drain)(struct req *) = x->on_drain;
    x->on_drain = NULL;
    x->told = x->r.on_close || on_drain;
    if (x->r.on_close)
        x->r.on_close(&x->r);
    else if (on_drain)
        on_drain(&x->r);
}

void exchange_answered(struct exchange *x)
{
    struct conn *c = x->conn;
    int64_t us = clock_mono_us() - x->r.start_us;

    x->answered = true;
    if (x->handled && c->sv->o.after)
        c->sv->o.after(&x->r, x->status);
    metrics_request(c->sv->metrics, x->r.route, x->status, us);
    if (x->status >= 500)
        log_req(LOG_WARN, x->r.id, "request", "%s %d in %lld us",
            x->r.route ? x->r.route->name : "none", x->status, (long long)us);
    else if (log_on(LOG_DEBUG))
        log_req(LOG_DEBUG, x->r.id, "request", "%s %d in %lld us",
            x->r.route ? x->r.route->name : "none", x->status, (long long)us);
    conn_wake(c);
}

/* A small rest of a body is read over, so that the connection can be kept. */
void exchange_settle(struct exchange *x)
{
    struct conn *c = x->conn;
    int64_t left = x->head.length - x->received;

    if (x->body_done || x->discard)
        return;
    if (x->head.length >= 0 && left <= CONN_DISCARD_MAX && !x->head.expect_continue && !c->close &&
        !c->sv->draining) {
        x->discard = true;
        x->paused_us = 0;
        if (!x->body_us)
            x->body_us = clock_mono_us();
        c->state = CONN_BODY;
        conn_expect_body(c);
        return;
    }
    c->close = true;
    c->state = CONN_HELD;
    c->input_us = 0;
}

/* --- the flow of its body --- */

void req_body_pause(struct req *r)
{
    struct exchange *x = exchange_of(r);

    if (x->paused_us || x->body_done || x->answered)
        return;
    x->paused_us = clock_mono_us();
    x->conn->input_us = 0;
}

void req_body_resume(struct req *r)
{
    struct exchange *x = exchange_of(r);

    if (!x->paused_us)
        return;
    x->body_us += clock_mono_us() - x->paused_us; /* the client is not to blame for that time */
    x->paused_us = 0;
    if (x->conn->state == CONN_BODY)
        conn_expect_body(x->conn);
    conn_wake(x->conn);
}

int64_t req_body_expect(const struct req *r)
{
    return exchange_of(r)->head.length;
}
