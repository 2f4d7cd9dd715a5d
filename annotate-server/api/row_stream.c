/* Owns the pace of a streamed list. Never reads ahead of the socket. */
#include "annotate-server/api/row_stream.h"

static void next_page(struct row_stream *s);

static void go_on(struct row_stream *s)
{
    if (req_gone(s->r))
        req_stream_abort(s->r);
    else if (s->ended)
        req_stream_end(s->r);
    else
        next_page(s);
}

static void drained(struct req *r)
{
    struct row_stream *s = r->user;

    if (!s->full)
        return;
    s->full = false;
    go_on(s);
}

static void on_page(struct req *r, const PGresult *res)
{
    struct row_stream *s = r->user;
    struct buf out;

    if (!s->begun)
        req_stream_begin(r, 200, "application/x-ndjson");
    s->begun = true;
    buf_init(&out, BUF_MAX_REPLY);
    s->ended = !s->put(s, res, &out);
    if (buf_err(&out) || s->missing)
        req_stream_abort(r);
    else if (out.n && !req_stream_write(r, buf_view(&out), drained))
        s->full = true;
    else
        go_on(s);
    buf_release(&out);
}

static void on_page_failed(struct req *r, enum err e)
{
    struct row_stream *s = r->user;

    if (s->begun)
        req_stream_abort(r);
    else
        query_fail(r, e);
}

static void next_page(struct row_stream *s)
{
    struct query *q = query_new(s->r, s->stmt, on_page);

    q->failed = on_page_failed;
    s->bind(s, q);
    query_run(q);
}

void row_stream_run(struct row_stream *s, struct req *r)
{
    s->r = r;
    r->user = s;
    r->on_close = drained; /* nobody drains a socket that is gone */
    next_page(s);
}
