/* Owns uploads and downloads of media. Bytes pass through in pieces of CHUNK, written off the loop,
 * so memory does not grow with the file (I9); the row comes after the blob is durable (I6). The
 * type is our sniffer's. */
#include "annotate-server/api/assets.h"

#include "annotate-server/api/asset_stream.h"
#include "annotate-server/api/query.h"
#include "annotate-server/api/quota.h"
#include "storage/sniff.h"

enum { CHUNK = 256 << 10 };

struct upload {
    struct req *r;
    struct blob_upload *blob;
    struct buf filling, writing;    /* swapped: one gathers while the other is written */
    struct buf head;                /* the first bytes, for the sniffer */
    bool busy, ended, failed, gone; /* gone: the client; what is in flight ends it */
    enum err err;
    struct sha256 hash;
    int64_t bytes;
    struct media media;
    struct quota room; /* of bytes, as of the beginning */
    int64_t received;
};

static void release(void *arg)
{
    struct upload *u = arg;

    if (u->blob)
        blob_upload_abort(u->blob);
    buf_release(&u->filling);
    buf_release(&u->writing);
    buf_release(&u->head);
}

static void fail(struct upload *u, enum err e)
{
    if (u->failed)
        return;
    u->failed = true;
    req_fail(u->r, e, NULL, "the upload was not stored: %s", err_title(e));
}

/* Before it costs more than it must. The database has the last word, when the row is written. */
static bool has_room(struct upload *u, int64_t bytes)
{
    struct req *r = u->r;

    if (u->failed || quota_allows(&u->room, bytes))
        return !u->failed;
    u->failed = true;
    req_fail_extra(r, ERR_QUOTA, NULL, quota_members(r->arena, &u->room),
        "the tenant may store %lld bytes and stores %lld", (long long)u->room.limit,
        (long long)u->room.used);
    return false;
}

static void on_registered(struct req *r, const PGresult *res)
{
    const struct upload *u = r->user;
    char hex[SHA256_HEX + 1];
    struct buf out;

    (void)res;
    sha256_hex(u->hash, hex);
    buf_init(&out, BUF_MAX_JSON);
    buf_printf(&out, "{\"sha256\":\"%s\",\"bytes\":%lld,\"media_type\":\"%s\",", hex,
        (long long)u->bytes, u->media.type);
    if (u->media.width)
        buf_printf(&out, "\"width\":%d,\"height\":%d,", u->media.width, u->media.height);
    else
        buf_puts(&out, "\"width\":null,\"height\":null,");
    buf_printf(&out, "\"url\":\"/v1/assets/%s\"}", hex);
    req_reply_json(r, 201, &out);
    buf_release(&out);
}

static void commit(void *arg)
{
    struct upload *u = arg;

    u->err = blob_upload_commit(u->blob, u->r->who.tenant, &u->hash, &u->bytes);
    u->blob = NULL;
}

static void committed(void *arg)
{
    struct upload *u = arg;

    if (u->err) {
        fail(u, u->err);
        return;
    }
    u->media = sniff(buf_view(&u->head));
    struct query *q = query_new(u->r, STMT_asset_create, on_registered);
    query_bytes(q, u->hash.b, SHA256_LEN);
    query_text(q, str_of(u->media.type));
    query_int(q, u->bytes);
    if (u->media.width) {
        query_int(q, u->media.width);
        query_int(q, u->media.height);
    } else {
        query_null(q);
        query_null(q);
    }
    query_run(q);
}

static void advance(struct upload *u);

static void write_some(void *arg)
{
    struct upload *u = arg;

    u->err = u->blob ? ERR_OK : blob_upload_begin(&u->r->ctx->server->blobs, &u->blob);
    if (!u->err)
        u->err = blob_upload_write(u->blob, u->writing.p, u->writing.n);
}

static void written(void *arg)
{
    struct upload *u = arg;

    u->busy = false;
    buf_clear(&u->writing);
    if (u->err || u->gone) {
        fail(u, u->gone ? ERR_TIMEOUT : u->err);
        return;
    }
    if (!u->ended)
        req_body_resume(u->r);
    advance(u);
}

static void advance(struct upload *u)
{
    struct req *r = u->r;

    if (u->busy || u->failed)
        return;
    if (u->filling.n >= CHUNK || (u->ended && (u->filling.n || !u->blob))) {
        struct buf empty = u->writing;
        u->writing = u->filling;
        u->filling = empty;
        u->busy = true;
        work_submit(r->ctx->server->work, r->loop, write_some, written, u);
    } else if (u->ended) {
        u->busy = true;
        work_submit(r->ctx->server->work, r->loop, commit, committed, u);
    }
}

static void on_data(struct req *r, struct str data)
{
    struct upload *u = r->user;

    u->received += (int64_t)data.n;
    if (!has_room(u, u->received))
        return;
    if (u->head.n < SNIFF_BYTES) {
        size_t want = SNIFF_BYTES - u->head.n;
        buf_add(&u->head, data.p, data.n < want ? data.n : want);
    }
    buf_str(&u->filling, data);
    if (buf_err(&u->filling)) {
        fail(u, buf_err(&u->filling));
        return;
    }
    advance(u);
    if (u->busy && u->filling.n >= CHUNK)
        req_body_pause(r);
}

static void on_end(struct req *r)
{
    struct upload *u = r->user;

    u->ended = true;
    advance(u);
}

static void on_close(struct req *r)
{
    struct upload *u = r->user;

    u->gone = true;
    if (!u->busy)
        fail(u, ERR_TIMEOUT);
}

static void on_room(struct req *r, const PGresult *res)
{
    static const struct req_stream stream = {on_data, on_end};
    struct upload *u = r->user;

    u->busy = false;
    u->room = quota_room(res, 0, 0).bytes;
    if (u->gone)
        fail(u, ERR_TIMEOUT);
    else if (has_room(u, req_body_expect(r) > 0 ? req_body_expect(r) : 0))
        req_read_body(r, &stream);
}

void asset_create_handler(struct req *r)
{
    struct upload *u = arena_alloc(r->arena, sizeof(*u));

    u->r = r;
    buf_init(&u->filling, 4 * CHUNK + (1 << 20));
    buf_init(&u->writing, 4 * CHUNK + (1 << 20));
    buf_init(&u->head, SNIFF_BYTES);
    arena_defer(r->arena, release, u);
    r->user = u;
    r->on_close = on_close;
    u->busy = true;
    query_read(query_new(r, STMT_quota_room, on_room));
}

/* ---- download */

struct range { /* RFC 9110 §14: one range of bytes */
    int64_t from, length;
    bool partial;
};

/* ERR_RANGE when it lies outside; what is not one byte range is ignored, as the RFC asks. */
static enum err parse_range(struct str header, int64_t size, struct range *out)
{
    struct str unit, from, to;
    int64_t a = 0, b = 0;

    *out = (struct range){0, size, false};
    if (!header.p || !str_split(&header, '=', &unit) || !str_is(unit, "bytes") || !header.p ||
        memchr(header.p, ',', header.n))
        return ERR_OK;
    if (!str_split(&header, '-', &from) || !header.p)
        return ERR_OK;
    to = header;
    if ((from.n && (!str_int(from, &a) || a < 0)) || (to.n && (!str_int(to, &b) || b < 0)) ||
        (!from.n && !to.n) || (from.n && to.n && b < a))
        return ERR_OK;
    if (!from.n) { /* the last b bytes */
        a = b < size ? size - b : 0;
        b = size - 1;
    } else if (!to.n || b >= size) {
        b = size - 1;
    }
    if (a >= size || b < a)
        return ERR_RANGE;
    *out = (struct range){a, b - a + 1, true};
    return ERR_OK;
}

struct download {
    struct req *r;
    struct sha256 hash;
    struct media media;
    int64_t size;
    struct range range;
    char key[BLOB_KEY_MAX];
    int fd;
    enum err err;
};

static void open_blob(void *arg)
{
    struct download *d = arg;

    blob_asset_key(d->r->who.tenant, d->hash, d->key, sizeof(d->key));
    d->err = blob_open_fd(&d->r->ctx->server->blobs, d->key, &d->fd);
}

static void set_headers(const void *arg)
{
    const struct download *d = arg;
    struct req *r = d->r;

    req_set_header(r, "Accept-Ranges", "bytes");
    req_set_header(r, "Content-Security-Policy", "sandbox; default-src 'none'");
    req_set_header(r, "Cache-Control", "private, max-age=31536000, immutable");
    if (!d->media.inline_safe)
        req_set_header(r, "Content-Disposition", "attachment");
    if (d->range.partial)
        req_set_header(r, "Content-Range",
            arena_printf(r->arena, "bytes %lld-%lld/%lld", (long long)d->range.from,
                (long long)(d->range.from + d->range.length - 1), (long long)d->size));
}

static void opened(void *arg)
{
    struct download *d = arg;
    struct req *r = d->r;

    if (d->err && d->err != ERR_NOT_IMPLEMENTED) {
        req_fail(
            r, d->err == ERR_NOT_FOUND ? ERR_CORRUPT : d->err, NULL, "the media cannot be read");
        return;
    }
    if (d->err) { /* the storage has no local files */
        const struct asset_range range = {
            d->key, d->media.type, d->range.from, d->range.length, d->range.partial, set_headers};
        asset_stream(r, &range, d);
        return;
    }
    set_headers(d);
    req_reply_file(
        r, d->range.partial ? 206 : 200, d->media.type, d->fd, d->range.from, d->range.length);
}

static void on_asset(struct req *r, const PGresult *res)
{
    struct download *d = r->user;
    char *etag = arena_printf(r->arena, "\"%.*s\"", STR_FMT(r->arg[0]));

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such media");
        return;
    }
    if (req_not_modified(r, etag))
        return;
    d->media = media_of_type(db_get_str(res, 0, 0));
    d->size = db_get_int(res, 0, 1);
    if (parse_range(req_header(r, "range"), d->size, &d->range)) {
        req_set_header(
            r, "Content-Range", arena_printf(r->arena, "bytes */%lld", (long long)d->size));
        req_fail(r, ERR_RANGE, NULL, "the content has %lld bytes", (long long)d->size);
        return;
    }
    work_submit(r->ctx->server->work, r->loop, open_blob, opened, d);
}

void asset_get_handler(struct req *r)
{
    struct download *d = arena_alloc(r->arena, sizeof(*d));

    d->r = r;
    d->fd = -1;
    r->user = d;
    if (!sha256_parse(r->arg[0], &d->hash)) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such media");
        return;
    }
    struct query *q = query_new(r, STMT_asset_get, on_asset);
    query_bytes(q, d->hash.b, SHA256_LEN);
    query_run(q);
}
