/* Owns joining an upload's parts to an asset. Reads a piece at a time (I9), a part a turn of the
 * work threads, so that others get theirs; holds every part against its hash, and the whole. The
 * asset's row comes after its blob (I6); the parts stay until upkeep sees that row. */
#include "annotate-server/api/assets.h"
#include "annotate-server/api/uploads.h"
#include "base/fault.h"
#include "storage/upload_key.h"

enum { PIECE = 1 << 20 };

struct piece {
    int64_t n, bytes;
    struct sha256 hash;
};

struct join {
    struct req *r;
    int64_t bytes;
    struct sha256 expect;
    bool has_hash, again;
    struct piece *parts;
    int n, at;
    struct blob_upload *blob;
    struct buf head, buf;
    int64_t received;
    enum err err;
    struct asset asset;
};

static void start(struct join *j);

static void release(void *arg)
{
    struct join *j = arg;

    if (j->blob)
        blob_upload_abort(j->blob);
    buf_release(&j->head);
    buf_release(&j->buf);
}

static void reply_asset(struct req *r, struct str json)
{
    struct buf out;

    buf_init(&out, BUF_MAX_JSON);
    buf_str(&out, json);
    req_reply_json(r, 201, &out);
    buf_release(&out);
}

static void on_registered(struct req *r, const PGresult *res)
{
    const struct join *j = r->user;
    struct buf out;

    (void)res;
    buf_init(&out, BUF_MAX_JSON);
    asset_print(&out, &j->asset);
    reply_asset(r, buf_view(&out));
    buf_release(&out);
}

static void enter(struct join *j)
{
    struct query *q = query_new(j->r, STMT_upload_complete, on_registered);

    asset_bind(q, &j->asset);
    query_int(q, j->r->id_arg[0]);
    query_run(q);
}

/* A part that is gone: the upload was given up, or another call of the same has joined it. */
static void fail(struct join *j)
{
    if (j->err == ERR_NOT_FOUND && !j->again) {
        j->again = true;
        start(j);
    } else if (j->err == ERR_CORRUPT && j->at == j->n) {
        req_fail(j->r, ERR_INVALID, NULL, "the whole does not have the SHA-256 that was announced");
    } else {
        req_fail(j->r, j->err == ERR_NOT_FOUND ? ERR_CORRUPT : j->err, NULL,
            "the parts cannot be joined: %s", err_title(j->err));
    }
}

/* ---- on a work thread */

static enum err add_piece(
    struct join *j, const char *key, int64_t off, int64_t len, struct sha256_ctx *hash)
{
    struct blob_store *s = &j->r->ctx->server->blobs;

    buf_clear(&j->buf);
    enum err e = blob_get(s, key, off, len, NULL, &j->buf);
    if (e)
        return e;
    struct str got = buf_view(&j->buf);
    sha256_add(hash, got.p, got.n);
    if (j->head.n < SNIFF_BYTES)
        buf_add(&j->head, got.p, got.n < SNIFF_BYTES - j->head.n ? got.n : SNIFF_BYTES - j->head.n);
    j->received += (int64_t)got.n;
    return blob_upload_write(j->blob, got.p, got.n);
}

static void join_part(void *arg)
{
    struct join *j = arg;
    const struct piece *p = &j->parts[j->at];
    struct sha256_ctx *hash = sha256_new();
    char key[BLOB_KEY_MAX];

    upload_part_key(j->r->who.tenant, j->r->id_arg[0], p->n, p->hash, key, sizeof(key));
    j->err = j->blob ? ERR_OK : blob_upload_begin(&j->r->ctx->server->blobs, &j->blob);
    for (int64_t off = 0; !j->err && off < p->bytes; off += PIECE)
        j->err = add_piece(j, key, off, p->bytes - off < PIECE ? p->bytes - off : PIECE, hash);
    if (!sha256_eq(sha256_end(hash), p->hash) && !j->err)
        j->err = ERR_CORRUPT;
    if (!j->err)
        j->err = FAULT("upload.joined");
}

static void commit(void *arg)
{
    struct join *j = arg;
    int64_t tenant = j->r->who.tenant;
    char key[BLOB_KEY_MAX];

    if (j->has_hash) {
        j->asset.hash = j->expect;
        j->asset.bytes = j->received;
        blob_asset_key(tenant, j->expect, key, sizeof(key));
        j->err = blob_upload_commit_as(j->blob, key, j->expect);
    } else {
        j->err = blob_upload_commit(j->blob, tenant, &j->asset.hash, &j->asset.bytes);
    }
    j->blob = NULL;
    if (!j->err)
        asset_look(&j->r->ctx->server->blobs, tenant, buf_view(&j->head), &j->asset);
    if (!j->err)
        j->err = FAULT("upload.committed");
}

/* ---- on the loop */

static void committed(void *arg)
{
    struct join *j = arg;

    if (j->err)
        fail(j);
    else
        enter(j);
}

static void part_joined(void *arg)
{
    struct join *j = arg;
    struct server *s = j->r->ctx->server;

    if (j->err)
        fail(j);
    else if (++j->at < j->n)
        work_submit(s->work, j->r->loop, join_part, part_joined, j);
    else
        work_submit(s->work, j->r->loop, commit, committed, j);
}

/* Are all parts there, and as they must be? Answers when not. */
static bool whole(const struct join *j)
{
    struct req *r = j->r;
    int64_t sum = 0;

    for (int i = 0; i < j->n; i++) {
        const struct piece *p = &j->parts[i];
        if (p->n != i + 1) {
            req_fail(r, ERR_CONFLICT, NULL, "part %d is missing", i + 1);
            return false;
        }
        if (p->bytes < PART_MIN && i + 1 < j->n) {
            req_fail(r, ERR_CONFLICT, NULL, "part %d has less than %d bytes and is not the last",
                i + 1, PART_MIN);
            return false;
        }
        sum += p->bytes;
    }
    if (sum == j->bytes)
        return true;
    req_fail(
        r, ERR_CONFLICT, NULL, "%lld of %lld bytes are there", (long long)sum, (long long)j->bytes);
    return false;
}

static void on_parts(struct req *r, const PGresult *res)
{
    struct join *j = r->user;
    int n = PQntuples(res);

    if (n == 0) {
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such upload");
        return;
    }
    if (!db_is_null(res, 0, 2)) { /* joined before: the same answer */
        reply_asset(r, db_get_str(res, 0, 2));
        return;
    }
    j->bytes = db_get_int(res, 0, 0);
    j->has_hash = db_get_bytes(res, 0, 1, j->expect.b, SHA256_LEN);
    j->n = db_is_null(res, 0, 3) ? 0 : n;
    j->parts = arena_array(r->arena, (size_t)n, sizeof(*j->parts));
    for (int i = 0; i < j->n; i++) {
        j->parts[i].n = db_get_int(res, i, 3);
        j->parts[i].bytes = db_get_int(res, i, 4);
        if (!db_get_bytes(res, i, 5, j->parts[i].hash.b, SHA256_LEN))
            j->parts[i].n = 0;
    }
    if (whole(j))
        work_submit(r->ctx->server->work, r->loop, join_part, part_joined, j);
}

static void start(struct join *j)
{
    if (j->blob)
        blob_upload_abort(j->blob);
    j->blob = NULL;
    j->at = 0;
    j->received = 0;
    buf_clear(&j->head);
    struct query *q = query_new(j->r, STMT_upload_join, on_parts);
    query_int(q, j->r->id_arg[0]);
    query_int(q, j->r->who.user);
    query_read(q);
}

void upload_complete_handler(struct req *r)
{
    struct join *j = arena_alloc(r->arena, sizeof(*j));

    j->r = r;
    buf_init(&j->head, SNIFF_BYTES);
    buf_init(&j->buf, PIECE);
    arena_defer(r->arena, release, j);
    r->user = j;
    start(j);
}
