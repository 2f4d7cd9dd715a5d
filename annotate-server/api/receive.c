/* Owns the flow of a body into a blob upload. Never holds more than two pieces of CHUNK, and never
 * knows what the bytes are for. */
#include "annotate-server/api/receive.h"

#include "storage/sniff.h"

enum { CHUNK = 256 << 10 };

static void release(void *arg)
{
    struct receive *v = arg;

    if (v->blob)
        blob_upload_abort(v->blob);
    buf_release(&v->filling);
    buf_release(&v->writing);
    buf_release(&v->head);
}

void receive_fail(struct receive *v, enum err e)
{
    if (v->failed)
        return;
    v->failed = true;
    req_fail(v->r, e, NULL, "the upload was not stored: %s", err_title(e));
}

static bool allowed(struct receive *v, int64_t bytes)
{
    if (!v->failed && v->allows && !v->allows(v, bytes))
        v->failed = true;
    return !v->failed;
}

static void commit(void *arg)
{
    struct receive *v = arg;

    v->commit(v);
    v->blob = NULL;
}

static void committed(void *arg)
{
    struct receive *v = arg;

    if (!v->err)
        v->stored(v);
    else if (v->refused)
        v->refused(v);
    else
        receive_fail(v, v->err);
}

static void advance(struct receive *v);

static void write_some(void *arg)
{
    struct receive *v = arg;

    v->err = v->blob ? ERR_OK : blob_upload_begin(&v->r->ctx->server->blobs, &v->blob);
    if (!v->err)
        v->err = blob_upload_write(v->blob, v->writing.p, v->writing.n);
}

static void written(void *arg)
{
    struct receive *v = arg;

    v->busy = false;
    buf_clear(&v->writing);
    v->err = v->err ? v->err : buf_err(&v->filling);
    if (v->err || v->gone) {
        receive_fail(v, v->gone ? ERR_TIMEOUT : v->err);
        return;
    }
    if (!allowed(v, v->received))
        return;
    if (!v->ended)
        req_body_resume(v->r);
    advance(v);
}

static void advance(struct receive *v)
{
    struct req *r = v->r;

    if (v->busy || v->failed)
        return;
    if (v->filling.n >= CHUNK || (v->ended && (v->filling.n || !v->blob))) {
        struct buf empty = v->writing;
        v->writing = v->filling;
        v->filling = empty;
        v->busy = true;
        work_submit(r->ctx->server->work, r->loop, write_some, written, v);
    } else if (v->ended) {
        v->busy = true;
        work_submit(r->ctx->server->work, r->loop, commit, committed, v);
    }
}

/* An answer ends the request, and v with it: while a work thread writes of v, what is wrong with
 * the body waits for written(). */
static void on_data(struct req *r, struct str data)
{
    struct receive *v = r->user;

    v->received += (int64_t)data.n;
    if (v->failed || (!v->busy && !allowed(v, v->received)))
        return;
    if (v->head.n < SNIFF_BYTES) {
        size_t want = SNIFF_BYTES - v->head.n;
        buf_add(&v->head, data.p, data.n < want ? data.n : want);
    }
    buf_str(&v->filling, data);
    if (buf_err(&v->filling)) {
        if (!v->busy)
            receive_fail(v, buf_err(&v->filling));
        return;
    }
    advance(v);
    if (v->busy && v->filling.n >= CHUNK)
        req_body_pause(r);
}

static void on_end(struct req *r)
{
    struct receive *v = r->user;

    v->ended = true;
    advance(v);
}

static void on_close(struct req *r)
{
    struct receive *v = r->user;

    v->gone = true;
    if (!v->busy)
        receive_fail(v, ERR_TIMEOUT);
}

void receive_init(struct receive *v)
{
    buf_init(&v->filling, 4 * CHUNK + (1 << 20));
    buf_init(&v->writing, 4 * CHUNK + (1 << 20));
    buf_init(&v->head, SNIFF_BYTES);
    arena_defer(v->r->arena, release, v);
    v->r->user = v;
    v->r->on_close = on_close;
    v->busy = true;
}

void receive_start(struct receive *v)
{
    static const struct req_stream stream = {on_data, on_end};
    int64_t expect = req_body_expect(v->r);

    v->busy = false;
    if (v->gone)
        receive_fail(v, ERR_TIMEOUT);
    else if (allowed(v, expect > 0 ? expect : 0))
        req_read_body(v->r, &stream);
}
