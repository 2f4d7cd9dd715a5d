/* Owns blobs as objects of an S3 bucket: key = object below the prefix. Never returns from a put
 * before the service has confirmed the bytes by their MD5 (I6), and never hands out a read that is
 * shorter, longer or elsewhere than asked for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "storage/blob.h"
#include "storage/s3_list.h"
#include "storage/s3_upload.h"

enum { PRESIGN_MAX_S = 7 * 24 * 3600 };

static enum err s3_blob_open(struct blob_store *st, struct str rest)
{
    struct s3 *s = calloc(1, sizeof(*s));

    BUG_ON(!s);
    st->state = s;
    return s3_open(s, rest);
}

static void s3_blob_close(struct blob_store *st)
{
    if (!st->state)
        return;
    s3_close(st->state);
    free(st->state);
    st->state = NULL;
}

static enum err put(struct blob_store *st, const char *key, const struct str *parts, size_t nparts)
{
    enum err e = s3_put(st->state, key, parts, nparts);

    return e == ERR_NOT_FOUND ? ERR_IO : e;
}

static enum err size(struct blob_store *st, const char *key, int64_t *bytes)
{
    struct s3_call c = {.method = "HEAD", .key = key};
    enum err e = s3_send(st->state, &c);

    if (e)
        return e;
    if (c.length < 0)
        return ERR_IO;
    *bytes = c.length;
    return ERR_OK;
}

/* "bytes FROM-TO/ALL" of an answer. */
static bool parse_range(const char *text, int64_t *from, int64_t *to, int64_t *all)
{
    struct str rest = str_of(text), unit, a, b;

    return str_split(&rest, ' ', &unit) && str_is(unit, "bytes") && str_split(&rest, '-', &a) &&
           str_split(&rest, '/', &b) && rest.p && str_int(a, from) && str_int(b, to) &&
           str_int(rest, all);
}

/* S3 cuts a range at the object's end; we refuse instead. len 0: to the end. */
static enum err check_range(const struct s3_call *c, int64_t off, int64_t len, int64_t got)
{
    int64_t from, to, all;

    if (c->status != 206 || !parse_range(c->range, &from, &to, &all) || from != off ||
        got != to - from + 1) {
        log_error("blob_s3", "%s: the answer to a range is none (status %d)", c->key, c->status);
        return ERR_IO;
    }
    if (len ? all - off < len : to != all - 1)
        return ERR_RANGE;
    return len && got != len ? ERR_IO : ERR_OK;
}

/* What S3 says of a range that begins at the end, we know better: it is empty, or too long. */
static enum err beyond(struct blob_store *st, const char *key, int64_t off, int64_t len)
{
    int64_t bytes;
    enum err e = size(st, key, &bytes);

    if (e)
        return e;
    return off == bytes && len == 0 ? ERR_OK : ERR_RANGE;
}

static enum err get(
    struct blob_store *st, const char *key, int64_t off, int64_t len, struct buf *out)
{
    struct s3_call c = {.method = "GET", .key = key, .into = out};
    size_t before = out->n;
    bool part = off > 0 || len > 0;
    char range[64];
    enum err e;

    if (len > 0 && off > INT64_MAX - len)
        return ERR_RANGE;
    if ((uint64_t)len > out->max - out->n)
        return ERR_FULL;
    if (len)
        snprintf(range, sizeof(range), "bytes=%" PRId64 "-%" PRId64, off, off + len - 1);
    else
        snprintf(range, sizeof(range), "bytes=%" PRId64 "-", off);
    c.header[0] = (struct sigv4_pair){STR("range"), str_of(range)};
    c.nheader = part ? 1 : 0;
    e = s3_send(st->state, &c);
    if (e == ERR_RANGE)
        return beyond(st, key, off, len);
    if (!e && part)
        e = check_range(&c, off, len, (int64_t)(out->n - before));
    return e;
}

static enum err remove_object(struct blob_store *st, const char *key)
{
    struct s3_call c = {.method = "DELETE", .key = key};
    enum err e = s3_send(st->state, &c);

    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* There is no remove_older: S3 cannot remove an object on the condition that it is an old one. */
static enum err list(struct blob_store *st, const char *prefix, const char *after, int most,
    void (*each)(void *arg, const struct blob_entry *entry), void *arg)
{
    return s3_list(st->state, prefix, after, most, each, arg);
}

static enum err put_begin(struct blob_store *st, void **upload)
{
    *upload = s3_upload_new(st->state);
    return ERR_OK;
}

static enum err put_write(struct blob_store *st, void *upload, const void *p, size_t n)
{
    (void)st;
    return s3_upload_write(upload, p, n);
}

static enum err put_commit(struct blob_store *st, void *upload, const char *key)
{
    enum err e = s3_upload_commit(upload, key);

    (void)st;
    return e == ERR_NOT_FOUND ? ERR_IO : e;
}

static void put_abort(struct blob_store *st, void *upload)
{
    (void)st;
    s3_upload_abort(upload);
}

static enum err presign(
    struct blob_store *st, const char *method, const char *key, int64_t expires_s, struct buf *url)
{
    if (expires_s < 1 || expires_s > PRESIGN_MAX_S)
        return ERR_INVALID;
    return s3_presign(st->state, method, key, expires_s, url);
}

const struct blob_backend blob_s3 = {
    .scheme = "s3",
    .open = s3_blob_open,
    .close = s3_blob_close,
    .put = put,
    .get = get,
    .size = size,
    .remove = remove_object,
    .list = list,
    .put_begin = put_begin,
    .put_write = put_write,
    .put_commit = put_commit,
    .put_abort = put_abort,
    .presign = presign,
};
