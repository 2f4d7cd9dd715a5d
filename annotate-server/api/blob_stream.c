/* Owns sending objects that lie in a storage without local files. One piece is read while the
 * socket takes the one before; memory is a piece and the socket's buffer (I9). */
#include "annotate-server/api/blob_stream.h"

#include "annotate-server/context.h"
#include "base/log.h"
#include "storage/blob.h"

enum { PIECE = 1 << 20 };

struct stream {
    struct req *r;
    struct blob_range range;
    const void *arg; /* of range.headers */
    int64_t at, end;
    struct buf piece;
    enum err err;
    bool begun, full; /* full: the socket's buffer; wait for on_drain */
};

static void release(void *arg)
{
    struct stream *s = arg;

    buf_release(&s->piece);
}

static void read_piece(void *arg)
{
    struct stream *s = arg;
    int64_t n = s->end - s->at < PIECE ? s->end - s->at : PIECE;

    s->err =
        n ? blob_get(&s->r->ctx->server->blobs, s->range.key, s->at, n, NULL, &s->piece) : ERR_OK;
}

static void piece_read(void *arg);

static void go_on(struct stream *s)
{
    struct req *r = s->r;

    if (req_gone(r))
        req_stream_abort(r);
    else if (s->begun && s->at == s->end)
        req_stream_end(r);
    else
        work_submit(r->ctx->server->work, r->loop, read_piece, piece_read, s);
}

static void drained(struct req *r)
{
    struct stream *s = r->user;

    if (!s->full)
        return;
    s->full = false;
    go_on(s);
}

static void failed(struct stream *s)
{
    if (!s->begun && s->err == ERR_NOT_FOUND && s->range.gone) {
        req_fail(s->r, s->err, NULL, "%s", s->range.gone);
        return;
    }
    log_req(LOG_ERROR, s->r->id, "storage", "%s from %lld on: %s", s->range.key, (long long)s->at,
        err_title(s->err));
    if (s->begun)
        req_stream_abort(s->r);
    else
        req_fail(s->r, s->err == ERR_NOT_FOUND || s->err == ERR_RANGE ? ERR_CORRUPT : s->err, NULL,
            "what is stored cannot be read");
}

static void piece_read(void *arg)
{
    struct stream *s = arg;

    if (s->err) {
        failed(s);
        return;
    }
    if (!s->begun) {
        s->range.headers(s->arg);
        req_stream_begin(s->r, s->range.partial ? 206 : 200, s->range.type);
        s->begun = true;
    }
    s->at += (int64_t)s->piece.n;
    if (s->piece.n && !req_stream_write(s->r, buf_view(&s->piece), drained))
        s->full = true;
    buf_clear(&s->piece);
    if (!s->full)
        go_on(s);
}

void blob_stream(struct req *r, const struct blob_range *range, const void *arg)
{
    struct stream *s = arena_alloc(r->arena, sizeof(*s));

    s->r = r;
    s->range = *range;
    s->arg = arg;
    s->at = range->from;
    s->end = range->from + range->length;
    buf_init(&s->piece, PIECE);
    arena_defer(r->arena, release, s);
    r->user = s;
    r->on_close = drained; /* nobody drains a socket that is gone */
    go_on(s);
}
