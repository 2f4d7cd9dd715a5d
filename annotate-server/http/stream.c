/* Owns answers that are written piece by piece: chunked, or up to the end of the connection for
 * HTTP/1.0. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "annotate-server/http/conn.h"

enum {
    FLUSH_FROM = 16 << 10,        /* pieces are gathered up to here within one turn of the loop */
    HARD_MAX = 16 * CONN_OUT_MAX, /* for a writer that does not wait when it is told to */
    USER_TIMEOUT_MS = 30000,
};

/* A peer that has silently vanished is noticed though we only ever write to it. */
static void watch_peer(struct conn *c)
{
    unsigned ms = USER_TIMEOUT_MS;

    setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

void req_stream_begin(struct req *r, int status, const char *type)
{
    struct exchange *x = exchange_of(r);
    struct conn *c = x->conn;

    if (c->state == CONN_CLOSED || x->broken) {
        x->streaming = true; /* req_stream_end() will end it */
        x->status = c->state == CONN_CLOSED ? 499 : 0;
        return;
    }
    if (!reply_begin(x, status))
        return;
    x->streaming = true;
    x->chunked = x->head.minor >= 1;
    if (!x->chunked || (!x->body_done && !x->stream))
        c->close = true;
    watch_peer(c);
    conn_write(c, reply_head(x, status, type, 0, REPLY_NO_LENGTH), (struct str){NULL, 0}, false);
}

static void add_chunk(struct evbuffer *out, struct str data, bool chunked)
{
    char size[24];
    int n = snprintf(size, sizeof(size), "%zx\r\n", data.n);

    if (chunked)
        evbuffer_add(out, size, (size_t)n);
    evbuffer_add(out, data.p, data.n);
    if (chunked)
        evbuffer_add(out, "\r\n", 2);
}

bool req_stream_write(struct req *r, struct str data, void (*on_drain)(struct req *))
{
    struct exchange *x = exchange_of(r);
    struct conn *c = x->conn;

    BUG_ON(!x->streaming || x->answered);
    if (c->state == CONN_CLOSED || x->broken || data.n == 0 || r->method == HTTP_M_HEAD)
        return true;
    add_chunk(c->out, data, x->chunked);
    size_t waiting = evbuffer_get_length(c->out);
    if (waiting > HARD_MAX) {
        conn_cut(c, true);
        return true;
    }
    if (waiting > FLUSH_FROM)
        conn_flush(c);
    else
        conn_wake(c);
    if (c->state == CONN_CLOSED || evbuffer_get_length(c->out) <= CONN_OUT_MAX)
        return true;
    x->on_drain = on_drain;
    return false;
}

void req_stream_end(struct req *r)
{
    struct exchange *x = exchange_of(r);
    struct conn *c = x->conn;

    BUG_ON(!x->streaming || x->answered);
    x->on_drain = NULL;
    if (x->broken && c->state != CONN_CLOSED) { /* nothing has been written yet, or too much */
        x->streaming = false;
        if (x->status)
            conn_cut(c, true);
        reply_begin(x, 0);
        return;
    }
    if (c->state != CONN_CLOSED) {
        exchange_settle(x);
        if (x->chunked && r->method != HTTP_M_HEAD)
            evbuffer_add(c->out, "0\r\n\r\n", 5);
        conn_flush(c);
    }
    exchange_answered(x);
}

void req_stream_abort(struct req *r)
{
    struct exchange *x = exchange_of(r);

    BUG_ON(!x->streaming || x->answered);
    x->on_drain = NULL;
    x->told = true; /* the handler itself ends it */
    x->status = x->status ? x->status : 499;
    conn_cut(x->conn, true);
    exchange_answered(x);
}
