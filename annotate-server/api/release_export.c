/* Owns streaming a ready release to a client: a page of items, their documents, the format's bytes,
 * and on when the socket has taken them. The format works on a work thread, a piece of CHUNK bytes
 * at a time, so memory is one page and one piece, whatever the release's size (I9), and the loop
 * never waits for a disk. The order is the task's, so two runs give equal bytes,
 * and who has the beginning of them is given the rest (?skip=). */
#include <string.h>

#include "annotate-server/api/content.h"
#include "annotate-server/api/export_order.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/releases.h"
#include "base/log.h"
#include "formats/export_row.h"
#include "formats/exporter.h"

enum { PAGE_ITEMS = 200, PAGE_BYTES = 8 << 20, CHUNK = 1 << 20, CHUNK_MAX = 48 << 20 };

/* Columns of release_export. */
enum { COL_STATE, COL_NAME, COL_ROOT, COL_ITEMS, COL_CONFIG };

struct page {
    struct arena *arena;
    PGresult *rows;
    struct content *contents;
    int n, total, at; /* at: the next to be written */
};

struct export
{
    struct req *r;
    struct export_options options;
    struct label_config *config; /* that the release was built under */
    struct exporter exporter;
    struct buf chunk; /* what the work thread wrote */
    struct page *page;
    int64_t after;
    int64_t left;          /* of the release's items */
    int64_t skip, dropped; /* bytes the client has; those of them that have been made again */
    struct sha256 before;  /* what it says their sum is */
    struct sha256_ctx *sum;
    size_t written;                /* in this turn of work() */
    bool begun, last, ended, idle; /* last: there are no more pages */
    bool streaming;                /* the answer has begun */
    bool full;                     /* the socket's buffer: wait for on_drain */
};

static void drop_page(struct export *x)
{
    if (x->page)
        arena_free(x->page->arena);
    x->page = NULL;
}

static void release(void *arg)
{
    struct export *x = arg;

    if (x->begun)
        exporter_release(&x->exporter);
    if (x->sum)
        (void)sha256_end(x->sum);
    label_config_free(x->config);
    buf_release(&x->chunk);
    drop_page(x);
}

/* ---- on a work thread */

static enum err gather(void *arg, struct str bytes)
{
    struct export *x = arg;
    int64_t left = x->skip - x->dropped;
    size_t n = (int64_t)bytes.n < left ? bytes.n : (size_t)left;

    if (n > 0)
        sha256_add(x->sum, bytes.p, n);
    x->dropped += (int64_t)n;
    x->written += bytes.n;
    buf_add(&x->chunk, bytes.p + n, bytes.n - n);
    return buf_err(&x->chunk);
}

static enum err read_media(
    void *arg, const struct export_asset *asset, int64_t off, size_t n, struct buf *out)
{
    struct export *x = arg;
    char key[BLOB_KEY_MAX];

    blob_asset_key(x->r->who.tenant, asset->sha256, key, sizeof(key));
    return blob_get(&x->r->ctx->server->blobs, key, off, (int64_t)n, NULL, out);
}

static enum err write_item(struct export *x)
{
    struct page *p = x->page;
    const struct content *c = &p->contents[p->at];
    struct arena *a = arena_new();
    struct export_item item;
    bool erased = c->err == ERR_GONE;
    enum err e = erased ? ERR_OK : c->err;

    if (!e)
        e = export_row_read(p->rows, p->at, buf_view(&c->text), a, &item);
    if (!e && erased)
        exporter_erased(&x->exporter);
    else if (!e)
        e = exporter_item(&x->exporter, &item);
    if (!e)
        x->after = item.task;
    x->left--;
    p->at++;
    arena_free(a);
    return e;
}

/* Until there is a piece for the socket, or nothing more to do with what is here. */
static void work(void *arg)
{
    struct export *x = arg;
    enum err e = ERR_OK;

    x->written = 0;
    if (!x->begun) {
        x->begun = true;
        e = exporter_begin(&x->exporter, &x->options, (struct export_sink){gather, x});
    }
    while (!e && x->written < CHUNK) {
        if (!x->idle) {
            e = exporter_pump(&x->exporter, &x->idle);
        } else if (x->page && x->page->at < x->page->n) {
            x->idle = false;
            e = write_item(x);
        } else if (x->last && !x->ended) {
            x->idle = false;
            x->ended = true;
            /* Some are left when the release is deleted meanwhile. */
            e = x->left ? ERR_CONFLICT : exporter_end(&x->exporter);
        } else {
            break;
        }
    }
    if (e && !x->exporter.err)
        x->exporter.err = e;
}

/* ---- on the loop */

static void go_on(struct export *x);

static void drained(struct req *r)
{
    struct export *x = r->user;

    if (!x->full)
        return;
    x->full = false;
    go_on(x);
}

/* Nobody drains a socket that is gone: go on, which ends the request. */
static void closed(struct req *r)
{
    drained(r);
}

/* The client must see that the file is not whole. */
static void give_up(struct export *x, enum err e)
{
    if (x->streaming)
        req_stream_abort(x->r);
    else
        req_fail(x->r, e, NULL, NULL);
}

static void break_off(struct export *x, enum err e)
{
    log_req(LOG_ERROR, x->r->id, "export", "broken off after task %lld: %s", (long long)x->after,
        err_title(e));
    give_up(x, e);
}

static void begin_stream(struct export *x)
{
    const struct export_options *o = &x->options;
    bool bare = o->container == CONTAINER_FILE;

    req_set_header(x->r, "Content-Disposition",
        arena_printf(x->r->arena, "attachment; filename=\"release-%lld%s\"", (long long)o->release,
            bare ? o->format->extension : container_extension(o->container)));
    req_stream_begin(x->r, 200, bare ? o->format->media_type : container_media_type(o->container));
    x->streaming = true;
}

/* What the client has must be the beginning of what is sent: else nothing is. False: answered. */
static bool check_beginning(struct export *x)
{
    bool all = x->ended && x->idle;
    struct sha256 sum;

    if (x->streaming || (x->dropped < x->skip && !all))
        return true;
    if (x->skip == 0) {
        begin_stream(x);
        return true;
    }
    sum = sha256_end(x->sum);
    x->sum = NULL;
    if (x->dropped < x->skip || !sha256_eq(sum, x->before)) {
        req_fail(x->r, ERR_CONFLICT, "/skip", "the export does not begin with these bytes");
        return false;
    }
    begin_stream(x);
    return true;
}

static void worked(void *arg)
{
    struct export *x = arg;

    if (x->exporter.err && *x->exporter.why && !x->streaming) {
        req_fail(x->r, ERR_INVALID, "/format", "%s", x->exporter.why);
        return;
    }
    if (x->exporter.err) {
        break_off(x, x->exporter.err);
        return;
    }
    if (!check_beginning(x))
        return;
    if (x->chunk.n > 0 && !req_stream_write(x->r, buf_view(&x->chunk), drained))
        x->full = true;
    buf_clear(&x->chunk);
    if (!x->full)
        go_on(x);
}

static void submit(struct export *x)
{
    const struct thread_ctx *ctx = x->r->ctx;

    work_submit(ctx->server->work, ctx->loop, work, worked, x);
}

static void contents_read(void *arg)
{
    submit(arg);
}

static void clear(void *arg)
{
    PQclear(arg);
}

static void on_page(struct req *r, const PGresult *res)
{
    struct export *x = r->user;
    struct arena *a = arena_new();
    struct page *p = arena_alloc(a, sizeof(*p));
    int64_t bytes = 0;

    x->page = p;
    p->arena = a;
    p->rows = PQcopyResult(res, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    BUG_ON(!p->rows);
    arena_defer(a, clear, p->rows);
    p->total = PQntuples(res);
    p->contents = content_new(a, (size_t)p->total);
    for (; p->n < p->total && (p->n == 0 || bytes < PAGE_BYTES); p->n++) {
        struct content *c = &p->contents[p->n];
        if (!content_locate(c, p->rows, p->n, EXPORT_ROW_SHA)) {
            break_off(x, ERR_CORRUPT);
            return;
        }
        bytes += c->bytes;
    }
    x->last = p->n == p->total && p->total < PAGE_ITEMS;
    content_read(r->ctx, a, r->who.tenant, p->contents, (size_t)p->n, contents_read, x);
}

static void on_page_failed(struct req *r, enum err e)
{
    break_off(r->user, e);
}

static void next_page(struct export *x)
{
    struct query *q = query_new(x->r, STMT_release_page, on_page);

    drop_page(x);
    q->failed = on_page_failed;
    query_int(q, x->r->id_arg[0]);
    query_int(q, x->after);
    query_int(q, PAGE_ITEMS);
    query_run(q);
}

static void go_on(struct export *x)
{
    bool more = !x->idle || (x->page && x->page->at < x->page->n) || (x->last && !x->ended);

    if (req_gone(x->r))
        give_up(x, ERR_UNAVAILABLE);
    else if (more)
        submit(x);
    else if (x->ended)
        req_stream_end(x->r);
    else
        next_page(x);
}

/* ---- the request */

static void on_release(struct req *r, const PGresult *res)
{
    struct export *x = r->user;
    char why[LABEL_CONFIG_WHY];

    if (PQntuples(res) == 0 || !str_is(db_get_str(res, 0, COL_STATE), "ready")) {
        req_fail(r, ERR_CONFLICT, NULL, "the release is not ready");
        return;
    }
    if (label_config_parse(db_get_str(res, 0, COL_CONFIG), &x->config, why)) {
        log_req(LOG_ERROR, r->id, "export", "the label config: %s", why);
        req_fail(r, ERR_CORRUPT, NULL, NULL);
        return;
    }
    x->options.config = x->config;
    x->options.release = r->id_arg[0];
    x->options.name = arena_str(r->arena, db_get_str(res, 0, COL_NAME));
    x->options.root = arena_str(r->arena, db_get_str(res, 0, COL_ROOT));
    x->left = db_get_int(res, 0, COL_ITEMS);
    x->idle = true;
    next_page(x);
}

/* false: answered. */
static bool options_read(struct req *r, struct export_options *o)
{
    struct export_order w = {.media = false};

    if (!flag_param(r, "media", &w.media) || !flag_param(r, "labelled", &w.labelled) ||
        !export_order_set(r, &w, req_query(r, "format"), req_query(r, "container")))
        return false;
    o->format = w.format;
    o->container = w.container;
    o->labelled_only = w.labelled;
    if (w.media)
        o->media.read = read_media;
    return true;
}

/* false: answered. */
static bool skip_read(struct export *x)
{
    struct str hex = req_query(x->r, "sha256");

    if (!req_query_int(x->r, "skip", 0, 0, INT64_MAX, &x->skip))
        return false;
    if (x->skip > 0 && !sha256_parse(hex, &x->before)) {
        req_fail(x->r, ERR_INVALID, "/sha256", "must be the SHA-256 of the bytes to skip, in hex");
        return false;
    }
    if (x->skip > 0)
        x->sum = sha256_new();
    return true;
}

void release_export_handler(struct req *r)
{
    struct export *x = arena_alloc(r->arena, sizeof(*x));

    x->r = r;
    if (!options_read(r, &x->options) || !skip_read(x))
        return;
    x->options.media.arg = x;
    buf_init(&x->chunk, CHUNK_MAX);
    arena_defer(r->arena, release, x);
    r->user = x;
    r->on_close = closed;
    struct query *q = query_new(r, STMT_release_export, on_release);
    query_int(q, r->id_arg[0]);
    query_run(q);
}
