/* Owns uploads in one piece and downloads of media. The row comes after the blob is durable (I6).
 * The type is our sniffer's. */
#include "annotate-server/api/assets.h"

#include "annotate-server/api/blob_stream.h"
#include "annotate-server/api/quota.h"
#include "annotate-server/api/receive.h"
#include "annotate-server/auth/media_link.h"
#include "annotate-server/http/byte_range.h"
#include "base/clock.h"

struct upload {
    struct receive in;
    struct quota room; /* of bytes, as of the beginning */
    struct asset asset;
};

/* Before it costs more than it must. The database has the last word, when the row is written. */
static bool has_room(struct receive *v, int64_t bytes)
{
    const struct upload *u = container_of(v, const struct upload, in);
    struct req *r = v->r;

    if (quota_allows(&u->room, bytes))
        return true;
    req_fail_extra(r, ERR_QUOTA, NULL, quota_members(r->arena, &u->room),
        "the tenant may store %lld bytes and stores %lld", (long long)u->room.limit,
        (long long)u->room.used);
    return false;
}

struct looking {
    struct blob_store *store;
    char key[BLOB_KEY_MAX];
};

static enum err read_blob(void *arg, int64_t off, size_t n, struct buf *out)
{
    const struct looking *l = arg;

    return blob_get(l->store, l->key, off, (int64_t)n, NULL, out);
}

void asset_look(struct blob_store *s, int64_t tenant, struct str head, struct asset *a)
{
    struct looking l = {.store = s};
    struct facts_source source = {read_blob, &l, a->bytes};

    a->media = sniff(head);
    blob_asset_key(tenant, a->hash, l.key, sizeof(l.key));
    a->facts = facts_read(a->media.type, &source);
}

static void put_number(struct buf *out, const char *name, int32_t v)
{
    if (v)
        buf_printf(out, "\"%s\":%d,", name, v);
    else
        buf_printf(out, "\"%s\":null,", name);
}

void asset_print(struct buf *out, const struct asset *a)
{
    char hex[SHA256_HEX + 1];

    sha256_hex(a->hash, hex);
    buf_printf(out, "{\"sha256\":\"%s\",\"bytes\":%lld,\"media_type\":\"%s\",", hex,
        (long long)a->bytes, a->media.type);
    put_number(out, "width", a->facts.width);
    put_number(out, "height", a->facts.height);
    buf_printf(out, "\"url\":\"/v1/assets/%s\"}", hex);
}

static void on_registered(struct req *r, const PGresult *res)
{
    const struct upload *u = container_of((struct receive *)r->user, const struct upload, in);
    struct buf out;

    (void)res;
    buf_init(&out, BUF_MAX_JSON);
    asset_print(&out, &u->asset);
    req_reply_json(r, 201, &out);
    buf_release(&out);
}

static void bind_known(struct query *q, int64_t v)
{
    if (v)
        query_int(q, v);
    else
        query_null(q);
}

void asset_bind(struct query *q, const struct asset *a)
{
    query_bytes(q, a->hash.b, SHA256_LEN);
    query_text(q, str_of(a->media.type));
    query_int(q, a->bytes);
    bind_known(q, a->facts.width);
    bind_known(q, a->facts.height);
    bind_known(q, a->facts.duration_ms);
    bind_known(q, a->facts.sample_rate);
    bind_known(q, a->facts.channels);
    bind_known(q, a->facts.pages);
}

static void commit(struct receive *v)
{
    struct asset *a = &container_of(v, struct upload, in)->asset;
    int64_t tenant = v->r->who.tenant;

    v->err = blob_upload_commit(v->blob, tenant, &a->hash, &a->bytes);
    if (!v->err)
        asset_look(&v->r->ctx->server->blobs, tenant, buf_view(&v->head), a);
}

static void stored(struct receive *v)
{
    struct query *q = query_new(v->r, STMT_asset_create, on_registered);

    asset_bind(q, &container_of(v, struct upload, in)->asset);
    query_run(q);
}

static void on_room(struct req *r, const PGresult *res)
{
    struct upload *u = container_of((struct receive *)r->user, struct upload, in);

    u->room = quota_room(res, 0, 0).bytes;
    receive_start(&u->in);
}

void asset_create_handler(struct req *r)
{
    struct upload *u = arena_alloc(r->arena, sizeof(*u));

    u->in = (struct receive){.r = r, .allows = has_room, .commit = commit, .stored = stored};
    receive_init(&u->in);
    query_read(query_new(r, STMT_quota_room, on_room));
}

/* ---- download */

struct download {
    struct req *r;
    struct sha256 hash;
    struct media media;
    int64_t size;
    struct byte_range range;
    char key[BLOB_KEY_MAX];
    int fd;
    enum err err;
    bool linked; /* by a signed link, this one; who has it may be a page of another origin */
    struct media_link link;
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
    long long age = d->linked ? d->link.expires - clock_unix() : 31536000;

    req_set_header(r, "Content-Security-Policy", "sandbox; default-src 'none'");
    req_set_header(r, "Cache-Control",
        arena_printf(r->arena, "private, max-age=%lld, immutable", age > 0 ? age : 0));
    if (d->linked)
        req_set_header(r, "Cross-Origin-Resource-Policy", "cross-origin");
    if (!d->media.inline_safe || d->link.attachment)
        req_set_header(r, "Content-Disposition", "attachment");
    byte_range_headers(r, d->size, &d->range);
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
        const struct blob_range range = {d->key, d->media.type, d->range.from, d->range.length,
            d->range.partial, set_headers, NULL};
        blob_stream(r, &range, d);
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
    if (!byte_range_read(r, d->size, &d->range))
        return;
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
    d->linked = media_link_asked(r) && media_link_read(r, &d->link);
    struct query *q = query_new(r, STMT_asset_get, on_asset);
    query_bytes(q, d->hash.b, SHA256_LEN);
    query_run(q);
}

/* ---- what is known of it */

static void on_info(struct req *r, const PGresult *res)
{
    struct buf out;

    if (PQntuples(res) == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such media");
        return;
    }
    buf_init(&out, BUF_MAX_JSON);
    buf_str(&out, db_get_str(res, 0, 0));
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

void asset_info_handler(struct req *r)
{
    struct sha256 *hash = arena_alloc(r->arena, sizeof(*hash));

    if (!sha256_parse(r->arg[0], hash)) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such media");
        return;
    }
    struct query *q = query_new(r, STMT_asset_info, on_info);
    query_bytes(q, hash->b, SHA256_LEN);
    query_run(q);
}
