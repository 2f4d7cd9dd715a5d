/* Owns streaming a ready release to a client: a page of items, their documents, the format's bytes,
 * and on when the socket has taken them. Memory is one page, whatever the release's size (I9). The
 * order is the task's, so two runs give equal bytes. */
#include "annotate-server/api/content.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/releases.h"
#include "base/log.h"
#include "formats/format.h"

enum { PAGE_ITEMS = 200, PAGE_BYTES = 8 << 20 };

/* Columns of release_page. */
enum {
    COL_TASK,
    COL_DATA,
    COL_META,
    COL_EXTERNAL,
    COL_SPLIT,
    COL_LABEL,
    COL_SEQ,
    COL_KIND,
    COL_AUTHOR,
    COL_MODEL,
    COL_LEAD,
    COL_LABEL_AT,
    COL_SHA,
    COL_BYTES,
    COL_PACK,
    COL_OFF,
    COL_CREATED,
    COL_UPDATED,
    COL_PROJECT,
    COL_PREDICTIONS,
    COL_REGIONS
};

struct export
{
    struct req *r;
    struct exporter exporter;
    int64_t after;
    bool full; /* the socket's buffer: wait for on_drain */
    struct page *page;
};

struct page {
    struct export *x;
    struct arena *arena;
    PGresult *rows;
    struct content *contents;
    int n, total;
};

static void release(void *arg)
{
    struct export *x = arg;

    exporter_release(&x->exporter);
    if (x->page)
        arena_free(x->page->arena);
}

static void next_page(struct export *x);

static void drained(struct req *r)
{
    struct export *x = r->user;

    if (!x->full)
        return;
    x->full = false;
    next_page(x);
}

/* Nobody drains a socket that is gone: go on to the end, which ends the request. */
static void closed(struct req *r)
{
    drained(r);
}

static enum err to_client(void *arg, struct str bytes)
{
    struct export *x = arg;

    if (!req_stream_write(x->r, bytes, drained))
        x->full = true;
    return ERR_OK;
}

/* The client must see that the file is not whole. */
static void break_off(struct export *x, enum err e)
{
    log_req(LOG_ERROR, x->r->id, "export", "broken off after task %lld: %s", (long long)x->after,
        err_title(e));
    req_stream_abort(x->r);
}

/* "2026-11-24T…" of a JSON string column, without its quotes. */
static struct str bare(const PGresult *res, int row, int col)
{
    struct str s = db_get_str(res, row, col);

    return s.n >= 2 ? (struct str){s.p + 1, s.n - 2} : STR("");
}

static enum err print_item(struct export *x, const PGresult *res, int row, const struct content *c)
{
    char sha[SHA256_HEX + 1];

    sha256_hex(c->sha256, sha);
    struct export_item i = {.project = db_get_int(res, row, COL_PROJECT),
        .task = db_get_int(res, row, COL_TASK),
        .external_id = db_get_str(res, row, COL_EXTERNAL),
        .data = db_get_str(res, row, COL_DATA),
        .meta = db_get_str(res, row, COL_META),
        .created_at = bare(res, row, COL_CREATED),
        .updated_at = bare(res, row, COL_UPDATED),
        .split = db_get_str(res, row, COL_SPLIT),
        .predictions = db_get_int(res, row, COL_PREDICTIONS),
        .label = {.id = db_get_int(res, row, COL_LABEL),
            .seq = db_get_int(res, row, COL_SEQ),
            .author = db_get_int(res, row, COL_AUTHOR),
            .kind = db_get_str(res, row, COL_KIND),
            .model = db_get_str(res, row, COL_MODEL),
            .lead_time = db_is_null(res, row, COL_LEAD) ? -1 : db_get_float(res, row, COL_LEAD),
            .created_at = bare(res, row, COL_LABEL_AT),
            .sha256 = str_of(sha),
            .regions = db_get_int(res, row, COL_REGIONS),
            .result = buf_view(&c->text)}};
    return exporter_item(&x->exporter, &i);
}

static void contents_read(void *arg)
{
    struct page *p = arg;
    struct export *x = p->x;
    enum err e = ERR_OK;

    for (int row = 0; !e && row < p->n; row++) {
        e = p->contents[row].err;
        if (!e)
            e = print_item(x, p->rows, row, &p->contents[row]);
        if (!e)
            x->after = db_get_int(p->rows, row, COL_TASK);
    }
    bool last = p->n == p->total && p->total < PAGE_ITEMS;
    x->page = NULL;
    arena_free(p->arena);
    if (e) {
        break_off(x, e);
    } else if (last || req_gone(x->r)) {
        e = exporter_end(&x->exporter);
        if (e)
            break_off(x, e);
        else
            req_stream_end(x->r);
    } else if (!x->full) {
        next_page(x);
    }
}

static void clear(void *arg)
{
    PQclear(arg);
}

static void on_page(struct req *r, const PGresult *res)
{
    struct export *x = r->user;
    struct page *p;
    struct arena *a = arena_new();
    int64_t bytes = 0;

    p = arena_alloc(a, sizeof(*p));
    x->page = p;
    p->x = x;
    p->arena = a;
    p->rows = PQcopyResult(res, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    BUG_ON(!p->rows);
    arena_defer(a, clear, p->rows);
    p->total = PQntuples(res);
    p->contents = content_new(a, (size_t)p->total);
    for (; p->n < p->total && (p->n == 0 || bytes < PAGE_BYTES); p->n++) {
        struct content *c = &p->contents[p->n];
        if (!content_locate(c, p->rows, p->n, COL_SHA)) {
            break_off(x, ERR_CORRUPT);
            return;
        }
        bytes += c->bytes;
    }
    content_read(r->ctx, a, r->who.tenant, p->contents, (size_t)p->n, contents_read, p);
}

static void on_page_failed(struct req *r, enum err e)
{
    break_off(r->user, e);
}

static void next_page(struct export *x)
{
    struct query *q = query_new(x->r, STMT_release_page, on_page);

    q->failed = on_page_failed;
    query_int(q, x->r->id_arg[0]);
    query_int(q, x->after);
    query_int(q, PAGE_ITEMS);
    query_run(q);
}

static void on_release(struct req *r, const PGresult *res)
{
    struct export *x = r->user;
    const struct format *f = x->exporter.format;

    if (PQntuples(res) == 0 || !str_is(db_get_str(res, 0, 3), "ready")) {
        req_fail(r, ERR_CONFLICT, NULL, "the release is not ready");
        return;
    }
    req_set_header(r, "Content-Disposition",
        arena_printf(r->arena, "attachment; filename=\"release-%lld%s\"", (long long)r->id_arg[0],
            f->extension));
    req_stream_begin(r, 200, f->media_type);
    enum err e = exporter_begin(&x->exporter, f, (struct export_sink){to_client, x});
    if (e)
        break_off(x, e);
    else
        next_page(x);
}

void release_export_handler(struct req *r)
{
    struct str name = req_query(r, "format");
    const struct format *f = format_find(name.p ? name : STR("jsonl"));
    struct export *x;

    if (!f) {
        req_fail(r, ERR_INVALID, "/format", "is no export format");
        return;
    }
    x = arena_alloc(r->arena, sizeof(*x));
    x->r = r;
    x->exporter.format = f;
    arena_defer(r->arena, release, x);
    r->user = x;
    r->on_close = closed;
    struct query *q = query_new(r, STMT_release_get, on_release);
    query_int(q, r->id_arg[0]);
    query_run(q);
}
