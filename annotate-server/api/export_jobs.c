/* Owns ordering, showing, cancelling and fetching exports. Never makes one: that is
 * annotate-export's work. */
#include "annotate-server/api/export_jobs.h"

#include "annotate-server/api/blob_stream.h"
#include "annotate-server/api/export_order.h"
#include "annotate-server/api/listing.h"
#include "annotate-server/http/byte_range.h"
#include "storage/export_key.h"

/* Columns of export_job_get; the attempt is the last. */
static const struct column columns[] = {{"id", put_int}, {"release", put_int}, {"format", put_str},
    {"container", put_str}, {"media", put_bool}, {"labelled", put_bool}, {"state", put_str},
    {"done", put_int}, {"items", put_int}, {"bytes", put_int}, {"sha256", put_str},
    {"error", put_str}, {"created_at", put_raw}, {"ended_at", put_raw}, {"expires_at", put_raw}};

enum {
    COL_RELEASE = 1,
    COL_FORMAT,
    COL_CONTAINER,
    COL_STATE = 6,
    COL_BYTES = 9,
    COL_SHA256,
    COL_ATTEMPT = ARRAY_LEN(columns)
};

static void reply_job(struct req *r, const PGresult *res, int status)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    listing_put(&out, columns, ARRAY_LEN(columns), res, 0, 0);
    req_reply_json(r, status, &out);
    buf_release(&out);
}

/* ---- ordering */

/* false: answered. */
static bool read_order(struct req *r, struct export_order *o)
{
    static const char *const members[] = {"format", "container", "media", "labelled"};
    struct str format = {NULL, 0}, container = {NULL, 0};

    *o = (struct export_order){.media = false};
    return body_only(r, members, ARRAY_LEN(members)) && body_str(r, "format", false, 64, &format) &&
           body_str(r, "container", false, 16, &container) && body_bool(r, "media", &o->media) &&
           body_bool(r, "labelled", &o->labelled) && export_order_set(r, o, format, container);
}

static void on_ordered(struct req *r, const PGresult *res)
{
    if (PQntuples(res))
        reply_job(r, res, 202);
    else
        req_fail(r, ERR_CONFLICT, NULL, "the release is not ready");
}

void export_job_create_handler(struct req *r)
{
    struct export_order o;

    if (!read_order(r, &o))
        return;
    struct query *q = query_new(r, STMT_export_job_create, on_ordered);
    query_int(q, r->id_arg[0]);
    query_text(q, str_of(o.format->name));
    query_text(q, str_of(container_name(o.container)));
    query_bool(q, o.media);
    query_bool(q, o.labelled);
    query_int(q, r->who.user);
    query_run(q);
}

/* ---- showing */

void export_job_list_handler(struct req *r)
{
    struct query *q =
        listing_new(r, STMT_export_job_list, "exports", columns, ARRAY_LEN(columns), 0);

    query_int(q, r->id_arg[0]);
    query_run(q);
}

static void not_there(struct req *r)
{
    req_fail(r, ERR_NOT_FOUND, NULL, "there is no such export");
}

static void on_job(struct req *r, const PGresult *res)
{
    if (PQntuples(res))
        reply_job(r, res, 200);
    else
        not_there(r);
}

static void ask(struct req *r, enum statement s, void (*then)(struct req *, const PGresult *))
{
    struct query *q = query_new(r, s, then);

    query_int(q, r->id_arg[0]);
    query_run(q);
}

void export_job_get_handler(struct req *r)
{
    ask(r, STMT_export_job_get, on_job);
}

static void on_cancelled(struct req *r, const PGresult *res)
{
    if (PQntuples(res))
        req_reply_empty(r, 204);
    else
        req_fail(r, ERR_CONFLICT, NULL, "the export has ended");
}

void export_job_cancel_handler(struct req *r)
{
    ask(r, STMT_export_job_cancel, on_cancelled);
}

/* ---- the content */

struct download {
    struct req *r;
    char key[BLOB_KEY_MAX];
    const char *type, *name;
    int64_t size;
    struct byte_range range;
    int fd;
    enum err err;
};

static void open_blob(void *arg)
{
    struct download *d = arg;

    d->err = blob_open_fd(&d->r->ctx->server->blobs, d->key, &d->fd);
}

static void set_headers(const void *arg)
{
    const struct download *d = arg;

    byte_range_headers(d->r, d->size, &d->range);
    req_set_header(d->r, "Content-Disposition",
        arena_printf(d->r->arena, "attachment; filename=\"%s\"", d->name));
}

static const char expired[] = "the export has expired";

static void opened(void *arg)
{
    struct download *d = arg;
    struct req *r = d->r;

    if (d->err == ERR_NOT_IMPLEMENTED) { /* the storage has no local files */
        const struct blob_range range = {d->key, d->type, d->range.from, d->range.length,
            d->range.partial, set_headers, expired};
        blob_stream(r, &range, d);
        return;
    }
    if (d->err) {
        req_fail(r, d->err, NULL, d->err == ERR_NOT_FOUND ? expired : "the export cannot be read");
        return;
    }
    set_headers(d);
    req_reply_file(r, d->range.partial ? 206 : 200, d->type, d->fd, d->range.from, d->range.length);
}

static void describe(struct download *d, const PGresult *res)
{
    struct arena *a = d->r->arena;
    const struct format *f = format_find(db_get_str(res, 0, COL_FORMAT));
    enum container_kind kind = CONTAINER_FILE;
    bool known = container_find(db_get_str(res, 0, COL_CONTAINER), &kind) && f;
    const char *extension = container_extension(kind);

    d->type = container_media_type(kind);
    if (kind == CONTAINER_FILE) {
        d->type = known ? f->media_type : "application/octet-stream";
        extension = known ? f->extension : "";
    }
    d->name =
        arena_printf(a, "release-%lld%s", (long long)db_get_int(res, 0, COL_RELEASE), extension);
    d->size = db_get_int(res, 0, COL_BYTES);
    export_key(d->r->who.tenant, db_get_int(res, 0, 0), db_get_int(res, 0, COL_ATTEMPT), d->key,
        sizeof(d->key));
}

static void on_content(struct req *r, const PGresult *res)
{
    struct download *d;

    if (PQntuples(res) == 0) {
        not_there(r);
        return;
    }
    if (!str_is(db_get_str(res, 0, COL_STATE), "done")) {
        req_fail(
            r, ERR_CONFLICT, NULL, "the export is %.*s", STR_FMT(db_get_str(res, 0, COL_STATE)));
        return;
    }
    if (req_not_modified(
            r, arena_printf(r->arena, "\"%.*s\"", STR_FMT(db_get_str(res, 0, COL_SHA256)))))
        return;
    d = arena_alloc(r->arena, sizeof(*d));
    d->r = r;
    d->fd = -1;
    describe(d, res);
    if (byte_range_read(r, d->size, &d->range))
        work_submit(r->ctx->server->work, r->loop, open_blob, opened, d);
}

void export_job_content_handler(struct req *r)
{
    ask(r, STMT_export_job_get, on_content);
}
