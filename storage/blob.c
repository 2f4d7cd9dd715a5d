/* Owns the blob interface of blob.h: the table of backends, the key rules, hashing on the way in
 * and checking on the way out. Never touches a file or a socket itself. */
#include "storage/blob.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static const struct blob_backend *const blob_backends[] = {&blob_fs, &blob_s3};

enum err blob_open(struct blob_store *s, const char *spec)
{
    struct str rest = str_of(spec), scheme;

    *s = (struct blob_store){0};
    if (str_split(&rest, ':', &scheme)) {
        for (size_t i = 0; i < ARRAY_LEN(blob_backends); i++) {
            if (!str_is(scheme, blob_backends[i]->scheme))
                continue;
            s->backend = blob_backends[i];
            enum err e = s->backend->open(s, rest);
            if (e)
                blob_close(s);
            return e;
        }
    }
    log_error("blob_open", "%s: no such kind of blob storage", spec);
    return ERR_INVALID;
}

void blob_close(struct blob_store *s)
{
    if (s->backend)
        s->backend->close(s);
    *s = (struct blob_store){0};
}

static bool segment_valid(struct str seg)
{
    if (seg.n == 0 || seg.p[0] == '.')
        return false;
    for (size_t i = 0; i < seg.n; i++) {
        char c = seg.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

bool blob_key_valid(const char *key)
{
    struct str rest = str_of(key), seg;

    if (rest.n == 0 || rest.n > BLOB_KEY_MAX || rest.p[rest.n - 1] == '/')
        return false;
    while (str_split(&rest, '/', &seg))
        if (!segment_valid(seg))
            return false;
    return true;
}

enum err blob_put(struct blob_store *s, const char *key, const struct str *parts, size_t nparts)
{
    if (!blob_key_valid(key))
        return ERR_INVALID;
    return s->backend->put(s, key, parts, nparts);
}

enum err blob_get(struct blob_store *s, const char *key, int64_t off, int64_t len,
    const struct sha256 *expect, struct buf *out)
{
    size_t before = out->n;
    enum err e;

    if (!blob_key_valid(key))
        return ERR_INVALID;
    if (off < 0 || len < 0)
        return ERR_RANGE;
    e = s->backend->get(s, key, off, len, out);
    if (!e && expect) {
        struct str got = {buf_view(out).p + before, out->n - before};
        if (!sha256_eq(sha256_of(got), *expect)) {
            log_error("blob_corrupt", "%s: %zu bytes at %" PRId64 " do not match their hash", key,
                got.n, off);
            e = ERR_CORRUPT;
        }
    }
    if (e && out->p) {
        /* Nobody gets to see what could not be read whole or is not what was stored (I6). */
        out->n = before;
        out->p[before] = '\0';
    }
    return e;
}

enum err blob_open_fd(struct blob_store *s, const char *key, int *fd)
{
    if (!blob_key_valid(key))
        return ERR_INVALID;
    return s->backend->open_fd ? s->backend->open_fd(s, key, fd) : ERR_NOT_IMPLEMENTED;
}

enum err blob_size(struct blob_store *s, const char *key, int64_t *bytes)
{
    if (!blob_key_valid(key))
        return ERR_INVALID;
    return s->backend->size(s, key, bytes);
}

enum err blob_remove(struct blob_store *s, const char *key)
{
    if (!blob_key_valid(key))
        return ERR_INVALID;
    return s->backend->remove(s, key);
}

enum err blob_remove_older(struct blob_store *s, const char *key, int64_t before, bool *removed)
{
    *removed = false;
    if (!blob_key_valid(key))
        return ERR_INVALID;
    return s->backend->remove_older ? s->backend->remove_older(s, key, before, removed)
                                    : ERR_NOT_IMPLEMENTED;
}

enum err blob_list(struct blob_store *s, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg)
{
    if (!blob_key_valid(prefix) || (after && !blob_key_valid(after)))
        return ERR_INVALID;
    return s->backend->list ? s->backend->list(s, prefix, after, most, each, arg)
                            : ERR_NOT_IMPLEMENTED;
}

enum err blob_presign(
    struct blob_store *s, const char *method, const char *key, int64_t expires_s, struct buf *url)
{
    if (!blob_key_valid(key))
        return ERR_INVALID;
    return s->backend->presign ? s->backend->presign(s, method, key, expires_s, url)
                               : ERR_NOT_IMPLEMENTED;
}

struct blob_upload {
    struct blob_store *store;
    void *upload; /* the backend's own */
    struct sha256_ctx *hash;
    int64_t bytes;
    enum err err; /* of the first write that failed: such an upload is never committed */
};

enum err blob_upload_begin(struct blob_store *s, struct blob_upload **out)
{
    struct blob_upload *u = calloc(1, sizeof(*u));
    enum err e;

    BUG_ON(!u);
    e = s->backend->put_begin(s, &u->upload);
    if (e) {
        free(u);
        return e;
    }
    u->store = s;
    u->hash = sha256_new();
    *out = u;
    return ERR_OK;
}

enum err blob_upload_write(struct blob_upload *u, const void *p, size_t n)
{
    if (u->err)
        return u->err;
    sha256_add(u->hash, p, n);
    u->bytes += (int64_t)n;
    u->err = u->store->backend->put_write(u->store, u->upload, p, n);
    return u->err;
}

enum err blob_upload_commit(
    struct blob_upload *u, int64_t tenant, struct sha256 *hash, int64_t *bytes)
{
    char key[BLOB_KEY_MAX];
    enum err e = u->err;

    if (e) {
        blob_upload_abort(u);
        return e;
    }
    *hash = sha256_end(u->hash);
    *bytes = u->bytes;
    blob_asset_key(tenant, *hash, key, sizeof(key));
    e = u->store->backend->put_commit(u->store, u->upload, key);
    free(u);
    return e;
}

enum err blob_upload_commit_as(struct blob_upload *u, const char *key, struct sha256 expect)
{
    enum err e = u->err ? u->err : blob_key_valid(key) ? ERR_OK : ERR_INVALID;

    if (e) {
        blob_upload_abort(u);
        return e;
    }
    if (sha256_eq(sha256_end(u->hash), expect)) {
        e = u->store->backend->put_commit(u->store, u->upload, key);
    } else {
        u->store->backend->put_abort(u->store, u->upload);
        e = ERR_CORRUPT;
    }
    free(u);
    return e;
}

void blob_upload_abort(struct blob_upload *u)
{
    if (!u)
        return;
    u->store->backend->put_abort(u->store, u->upload);
    (void)sha256_end(u->hash);
    free(u);
}

void blob_asset_key(int64_t tenant, struct sha256 hash, char *out, size_t size)
{
    char hex[SHA256_HEX + 1];

    sha256_hex(hash, hex);
    snprintf(out, size, "assets/%" PRId64 "/%.2s/%s", tenant, hex, hex);
}
