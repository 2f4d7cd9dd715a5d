/* Owns receiving one part of an upload. A part is acknowledged when its blob is durable and its row
 * says so (I6), never before; sending it again is always safe. */
#include "annotate-server/api/receive.h"
#include "annotate-server/api/uploads.h"
#include "base/base64url.h"
#include "base/fault.h"
#include "storage/upload_key.h"

enum { DIGEST_CHARS = 43 }; /* of base64 for 32 bytes, before its padding */

struct part {
    struct receive in;
    int64_t n;
    struct sha256 hash;
    bool has_hash;
    int64_t room; /* bytes that the upload's other parts leave */
};

static bool decode_digest(struct str text, struct sha256 *out)
{
    char url[DIGEST_CHARS];

    if (text.n != DIGEST_CHARS + 3 || text.p[0] != ':' ||
        memcmp(text.p + DIGEST_CHARS + 1, "=:", 2) != 0)
        return false;
    for (size_t i = 0; i < DIGEST_CHARS; i++) {
        char c = text.p[i + 1];
        url[i] = c == '+' ? '-' : c == '/' ? '_' : c == '-' || c == '_' ? '.' : c;
    }
    return base64url_decode((struct str){url, sizeof(url)}, out->b) == SHA256_LEN;
}

/* A dictionary of RFC 8941: names and byte sequences; other algorithms are passed over. */
bool upload_digest(struct str header, struct sha256 *out)
{
    struct str member, name;

    while (str_split(&header, ',', &member)) {
        member = str_trim(member);
        if (str_split(&member, '=', &name) && str_is(name, "sha-256"))
            return member.p && decode_digest(member, out);
    }
    return false;
}

static struct part *part_of(const struct req *r)
{
    return container_of((struct receive *)r->user, struct part, in);
}

static bool fits(struct receive *v, int64_t bytes)
{
    const struct part *p = container_of(v, const struct part, in);

    if (bytes <= PART_MAX && bytes <= p->room)
        return true;
    if (bytes > PART_MAX)
        req_fail(v->r, ERR_TOO_LARGE, NULL, "a part has at most %d bytes", PART_MAX);
    else
        req_fail(v->r, ERR_INVALID, NULL, "the other parts leave %lld bytes of what was announced",
            (long long)p->room);
    return false;
}

static void key_of(const struct part *p, char *out, size_t size)
{
    const struct req *r = p->in.r;

    upload_part_key(r->who.tenant, r->id_arg[0], p->n, p->hash, out, size);
}

static void commit(struct receive *v)
{
    const struct part *p = container_of(v, const struct part, in);
    char key[BLOB_KEY_MAX];

    key_of(p, key, sizeof(key));
    v->err = blob_upload_commit_as(v->blob, key, p->hash);
    if (!v->err)
        v->err = FAULT("part.stored");
}

static void refused(struct receive *v)
{
    if (v->err == ERR_CORRUPT)
        req_fail(v->r, ERR_INVALID, NULL, "the bytes do not have the SHA-256 of Repr-Digest");
    else
        receive_fail(v, v->err);
}

/* ---- after it */

static void remove_blob(void *arg)
{
    struct part *p = arg;
    char key[BLOB_KEY_MAX];

    key_of(p, key, sizeof(key));
    p->in.err = blob_remove(&p->in.r->ctx->server->blobs, key);
}

static void removed(void *arg)
{
    struct part *p = arg;

    req_fail(p->in.r, ERR_NOT_FOUND, NULL, "there is no such upload");
}

static void on_done(struct req *r, const PGresult *res)
{
    struct part *p = part_of(r);
    char hex[SHA256_HEX + 1];
    struct buf out;

    if (PQntuples(res) == 0) { /* it was given up meanwhile, and upkeep may have been here */
        work_submit(r->ctx->server->work, r->loop, remove_blob, removed, p);
        return;
    }
    sha256_hex(p->hash, hex);
    buf_init(&out, BUF_MAX_JSON);
    buf_printf(&out, "{\"n\":%lld,\"bytes\":%lld,\"sha256\":\"%s\"}", (long long)p->n,
        (long long)p->in.received, hex);
    req_reply_json(r, 200, &out);
    buf_release(&out);
}

static void on_not_done(struct req *r, enum err e)
{
    if (e == ERR_EXISTS)
        req_fail(r, e, NULL, "another content of this part has been stored");
    else
        query_fail(r, e);
}

static void stored(struct receive *v)
{
    const struct part *p = container_of(v, const struct part, in);
    struct query *q = query_new(v->r, STMT_upload_part_done, on_done);

    q->failed = on_not_done;
    query_int(q, v->r->id_arg[0]);
    query_int(q, p->n);
    query_bytes(q, p->hash.b, SHA256_LEN);
    query_int(q, v->received);
    query_run(q);
}

/* ---- before it */

static void on_begun(struct req *r, const PGresult *res)
{
    struct part *p = part_of(r);
    struct sha256 there;

    if (PQntuples(res) == 0)
        req_fail(r, ERR_NOT_FOUND, NULL, "there is no such upload");
    else if (!p->has_hash)
        req_fail(r, ERR_BAD_REQUEST, NULL,
            "Repr-Digest must give the part's SHA-256, as in sha-256=:BASE64:");
    else if (db_get_bytes(res, 0, 2, there.b, SHA256_LEN) && !sha256_eq(there, p->hash))
        req_fail(r, ERR_EXISTS, NULL, "another content of this part has been stored");
    else {
        p->room = db_get_int(res, 0, 0) - db_get_int(res, 0, 1);
        receive_start(&p->in);
    }
}

void upload_part_handler(struct req *r)
{
    struct part *p = arena_alloc(r->arena, sizeof(*p));

    if (!str_int(r->arg[1], &p->n) || p->n < 1 || p->n > PARTS_MAX) {
        req_fail(r, ERR_NOT_FOUND, NULL, "parts are numbered from 1 to %d", PARTS_MAX);
        return;
    }
    p->has_hash = upload_digest(req_header(r, "repr-digest"), &p->hash) ||
                  upload_digest(req_header(r, "content-digest"), &p->hash);
    p->in = (struct receive){
        .r = r, .allows = fits, .commit = commit, .stored = stored, .refused = refused};
    receive_init(&p->in);
    struct query *q = query_new(r, STMT_upload_part_begin, on_begun);
    query_int(q, r->id_arg[0]);
    query_int(q, r->who.user);
    query_int(q, p->n);
    if (p->has_hash)
        query_bytes(q, p->hash.b, SHA256_LEN);
    else
        query_null(q);
    query_read(q);
}
