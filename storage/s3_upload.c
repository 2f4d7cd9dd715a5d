/* Owns how bytes come to lie in a bucket, whole or not at all. Never shows an object under its key
 * before the service has confirmed all of it (I6). */
#include "storage/s3_upload.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "storage/s3_copy.h"
#include "storage/s3_parts.h"

enum {
    MD5_LEN = 16,
    KEY_SIZE = 48,
};

struct md5 {
    unsigned char b[MD5_LEN];
};

struct s3_upload {
    struct s3 *s;
    struct s3_parts parts;
    struct buf part;    /* not sent yet */
    struct buf md5s;    /* of the parts that are sent, back to back */
    EVP_MD_CTX *whole;  /* MD5 of all bytes */
    int64_t bytes;      /* sent */
    bool opaque;        /* ETags are no MD5s: the service encrypts with keys of its own */
    char key[KEY_SIZE]; /* where it goes meanwhile */
};

static void md5_hex(const unsigned char *b, char *out)
{
    for (size_t i = 0; i < MD5_LEN; i++)
        snprintf(out + 2 * i, 3, "%02x", b[i]);
}

static struct md5 md5_of(const struct str *parts, size_t n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    struct md5 h;

    BUG_ON(!c || EVP_DigestInit_ex(c, EVP_md5(), NULL) != 1);
    for (size_t i = 0; i < n; i++)
        BUG_ON(EVP_DigestUpdate(c, parts[i].p, parts[i].n) != 1);
    BUG_ON(EVP_DigestFinal_ex(c, h.b, NULL) != 1);
    EVP_MD_CTX_free(c);
    return h;
}

enum err s3_put(struct s3 *s, const char *key, const struct str *parts, size_t nparts)
{
    struct s3_call c = {.method = "PUT", .key = key, .parts = parts, .nparts = nparts};
    struct md5 md5 = md5_of(parts, nparts);

    md5_hex(md5.b, c.md5);
    return s3_send(s, &c);
}

/* ---- parts */

struct s3_upload *s3_upload_new(struct s3 *s)
{
    struct s3_upload *u = calloc(1, sizeof(*u));
    unsigned char id[16];

    BUG_ON(!u);
    u->s = s;
    buf_init(&u->part, S3_PART);
    buf_init(&u->md5s, (size_t)S3_PARTS_MAX * MD5_LEN);
    u->whole = EVP_MD_CTX_new();
    BUG_ON(!u->whole || EVP_DigestInit_ex(u->whole, EVP_md5(), NULL) != 1);
    random_bytes(id, sizeof(id));
    snprintf(u->key, sizeof(u->key), "joining/");
    md5_hex(id, u->key + strlen(u->key));
    s3_parts_init(&u->parts, s, u->key);
    return u;
}

static void release(struct s3_upload *u)
{
    s3_parts_release(&u->parts);
    buf_release(&u->part);
    buf_release(&u->md5s);
    EVP_MD_CTX_free(u->whole);
    free(u);
}

static enum err send_part(struct s3_upload *u)
{
    struct str body = buf_view(&u->part);
    struct md5 md5 = md5_of(&body, 1);
    struct s3_call c = {.parts = &body, .nparts = 1};
    enum err e = FAULT("s3.put.part");

    if (!e && !u->parts.id[0])
        e = s3_parts_begin(&u->parts);
    if (e)
        return e;
    md5_hex(md5.b, c.md5);
    e = s3_parts_add(&u->parts, &c);
    if (e)
        return e;
    u->opaque = u->opaque || strcasecmp(c.md5, c.etag) != 0;
    buf_add(&u->md5s, md5.b, MD5_LEN);
    BUG_ON(EVP_DigestUpdate(u->whole, body.p, body.n) != 1);
    u->bytes += (int64_t)body.n;
    buf_clear(&u->part);
    return ERR_OK;
}

enum err s3_upload_write(struct s3_upload *u, const void *p, size_t n)
{
    const char *from = p;
    enum err e;

    while (n > 0) {
        if (u->part.n == S3_PART && (e = send_part(u)))
            return e;
        size_t some = n < S3_PART - u->part.n ? n : S3_PART - u->part.n;
        buf_add(&u->part, from, some);
        from += some;
        n -= some;
    }
    return buf_err(&u->part);
}

/* ---- the end */

/* The ETag of an object in parts: the MD5 of their MD5s, a dash, their number. */
static void etag_of_parts(const struct s3_upload *u, char *out, size_t size)
{
    struct str md5s = buf_view(&u->md5s);
    struct md5 md5 = md5_of(&md5s, 1);
    char hex[2 * MD5_LEN + 1];

    md5_hex(md5.b, hex);
    snprintf(out, size, "%s-%d", hex, s3_parts_sent(&u->parts));
}

/* It must be ours, as an MD5 or as that of parts, unless it is neither here. */
static enum err check_etag(struct s3_upload *u, const char *etag)
{
    unsigned char md5[MD5_LEN];
    char whole[S3_ETAG_SIZE], parts[S3_ETAG_SIZE];
    struct str text = s3_bare_etag(str_of(etag));

    if (u->opaque)
        return ERR_OK;
    etag_of_parts(u, parts, sizeof(parts));
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    BUG_ON(!copy || EVP_MD_CTX_copy_ex(copy, u->whole) != 1 ||
           EVP_DigestFinal_ex(copy, md5, NULL) != 1);
    EVP_MD_CTX_free(copy);
    md5_hex(md5, whole);
    if (str_ieq(text, str_of(whole)) || str_ieq(text, str_of(parts)))
        return ERR_OK;
    log_error(
        "blob_s3", "%s: the ETag %.*s is neither %s nor %s", u->key, STR_FMT(text), whole, parts);
    return ERR_IO;
}

static enum err complete(struct s3_upload *u)
{
    char etag[S3_ETAG_SIZE];
    enum err e = s3_parts_complete(&u->parts, etag);

    if (e)
        return e;
    return etag[0] ? check_etag(u, etag) : s3_check_size(u->s, u->key, u->bytes);
}

static enum err copy_to(struct s3_upload *u, const char *key)
{
    char etag[S3_ETAG_SIZE];
    enum err e = FAULT("s3.put.copy");

    if (!e)
        e = s3_copy(u->s, u->key, key, u->bytes, etag);
    return !e && etag[0] ? check_etag(u, etag) : e;
}

static void remove_object(struct s3_upload *u)
{
    struct s3_call c = {.method = "DELETE", .key = u->key};

    if (s3_send(u->s, &c))
        log_warn("blob_s3", "%s: left over", u->key);
}

enum err s3_upload_commit(struct s3_upload *u, const char *key)
{
    struct str all = buf_view(&u->part);
    enum err e;

    if (!u->parts.id[0]) {
        e = s3_put(u->s, key, &all, 1);
        release(u);
        return e;
    }
    e = u->part.n ? send_part(u) : ERR_OK;
    if (!e)
        e = FAULT("s3.put.complete");
    if (!e)
        e = complete(u);
    if (!e) {
        e = copy_to(u, key);
        remove_object(u);
    }
    s3_upload_abort(u);
    return e;
}

void s3_upload_abort(struct s3_upload *u)
{
    s3_parts_drop(&u->parts);
    release(u);
}
