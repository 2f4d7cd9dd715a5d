/* Owns what is said to an S3 service and what its answers mean. Never logs a key, a signature or a
 * body. */
#include "storage/s3_client.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "io/http_multi.h"
#include "storage/s3_key.h"

enum {
    CONNECT_MS = 5000,
    SLOWEST = 50, /* bytes/ms: what the whole of a request may take, beyond the stall */
    PAUSE_MS = 100,
    PAUSE_MAX_MS = 10000,
    RETRY_AFTER_MAX_S = 10,
    URL_MAX = 8 << 10,
    MOST_HEADERS = 16,
};

/* ---- one try */

enum { FIELD_ETAG, FIELD_RANGE, FIELD_ENCRYPTION, FIELD_CUSTOMER, FIELD_RETRY, FIELD_COUNT };

struct attempt {
    struct arena *arena;
    struct sigv4_pair header[MOST_HEADERS]; /* all that is signed */
    size_t nheader;
    const char *lines[MOST_HEADERS + 2];
    struct http_field fields[FIELD_COUNT];
    struct buf refusal;
    char time[17], hash[SHA256_HEX + 1];
};

static void put_path(const struct s3 *s, const char *key, struct buf *out)
{
    if (!s->bucket_in_host)
        buf_printf(out, "/%s", s->bucket);
    if (!key)
        return;
    if (s->prefix[0])
        buf_printf(out, "/%s", s->prefix);
    buf_printf(out, "/%s", key);
}

static const char *path_of(struct arena *a, const struct s3 *s, const char *key)
{
    struct buf out;

    buf_init(&out, URL_MAX);
    put_path(s, key, &out);
    const char *path = arena_copy(a, out.n ? out.p : "/", out.n ? out.n : 1);
    buf_release(&out);
    return path;
}

static const char *host_of(struct arena *a, const struct s3 *s)
{
    return s->bucket_in_host ? arena_printf(a, "%s.%s", s->bucket, s->host)
                             : arena_printf(a, "%s", s->host);
}

void s3_copy_source(const struct s3 *s, const char *key, struct buf *out)
{
    struct buf path;

    buf_init(&path, URL_MAX);
    buf_printf(&path, "/%s", s->bucket);
    if (s->prefix[0])
        buf_printf(&path, "/%s", s->prefix);
    buf_printf(&path, "/%s", key);
    sigv4_encode(out, buf_view(&path), true);
    buf_release(&path);
}

static struct sigv4_scope scope_of(const struct s3 *s, const struct s3_key *k, int64_t at)
{
    return (struct sigv4_scope){
        str_of(k->access), str_of(k->secret), str_of(k->token), str_of(s->region), STR("s3"), at};
}

static void add(struct attempt *t, const char *name, const char *value)
{
    BUG_ON(t->nheader == MOST_HEADERS);
    t->header[t->nheader++] = (struct sigv4_pair){str_of(name), str_of(value)};
}

static const char *content_md5(struct arena *a, const char *hex)
{
    unsigned char raw[16], text[25];

    for (size_t i = 0; i < sizeof(raw); i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        raw[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    EVP_EncodeBlock(text, raw, sizeof(raw));
    return arena_printf(a, "%s", (char *)text);
}

/* All headers that are signed, and then the signature over them. */
static void sign(const struct s3 *s, const struct s3_call *c, const struct s3_key *k,
    struct attempt *t, const char *path)
{
    int64_t now = clock_unix();
    struct sigv4_scope scope = scope_of(s, k, now);
    struct buf signature;

    sigv4_time(now, t->time, sizeof(t->time));
    sha256_hex(sha256_parts(c->parts, c->nparts), t->hash);
    add(t, "host", host_of(t->arena, s));
    add(t, "x-amz-content-sha256", t->hash);
    add(t, "x-amz-date", t->time);
    if (k->token[0])
        add(t, "x-amz-security-token", k->token);
    if (c->md5[0])
        add(t, "content-md5", content_md5(t->arena, c->md5));
    for (size_t i = 0; i < c->nheader; i++)
        t->header[t->nheader++] = c->header[i];
    const struct sigv4_request r = {.method = str_of(c->method),
        .path = str_of(path),
        .query = c->query,
        .nquery = c->nquery,
        .header = t->header,
        .nheader = t->nheader,
        .payload = str_of(t->hash)};
    buf_init(&signature, URL_MAX);
    sigv4_authorization(&signature, &scope, &r);
    for (size_t i = 0; i < t->nheader; i++)
        t->lines[i] = arena_printf(
            t->arena, "%.*s: %.*s", STR_FMT(t->header[i].name), STR_FMT(t->header[i].value));
    t->lines[t->nheader] = arena_printf(t->arena, "Authorization: %s", signature.p);
    buf_release(&signature);
}

static const char *url_of(struct arena *a, const struct s3 *s, const char *path, struct str query)
{
    struct buf url;

    buf_init(&url, URL_MAX);
    buf_printf(&url, "%s://%s", s->scheme, host_of(a, s));
    sigv4_encode(&url, str_of(path), true);
    if (query.n) {
        buf_putc(&url, '?');
        buf_str(&url, query);
    }
    const char *copy = buf_err(&url) ? NULL : arena_copy(a, url.p, url.n);
    buf_release(&url);
    return copy;
}

static int64_t bytes_of(const struct s3_call *c)
{
    int64_t n = 0;

    for (size_t i = 0; i < c->nparts; i++)
        n += (int64_t)c->parts[i].n;
    return n;
}

static enum err exchange(struct s3 *s, struct s3_call *c, struct attempt *t, const char *url)
{
    static const char *const names[] = {"ETag", "Content-Range", "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-customer-algorithm", "Retry-After"};
    int64_t most = bytes_of(c);

    if (c->into && !most)
        most = (int64_t)(c->into->max - c->into->n);
    struct http_exchange x = {.method = c->method,
        .url = url,
        .headers = t->lines,
        .parts = c->parts,
        .nparts = c->nparts,
        .connect_ms = CONNECT_MS,
        .stall_s = s->stall_s,
        .total_ms = 1000 * (int64_t)s->stall_s + most / SLOWEST,
        .fields = t->fields,
        .nfields = FIELD_COUNT,
        .into = c->into,
        .refusal = &t->refusal};
    for (size_t i = 0; i < FIELD_COUNT; i++)
        t->fields[i].name = names[i];
    enum err e = http_multi_call(s->net, &x);
    c->status = x.status;
    c->length = x.length;
    snprintf(c->code, sizeof(c->code), "%.*s", (int)sizeof(c->code) - 1, e ? x.why : "");
    return e;
}

/* ---- what an answer means */

struct str s3_bare_etag(struct str s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        s = (struct str){s.p + 1, s.n - 2};
    return s;
}

static void take_etag(struct s3_call *c, const char *value)
{
    struct str s = s3_bare_etag(str_of(value));

    snprintf(c->etag, sizeof(c->etag), "%.*s", STR_FMT(s));
}

/* Codes go into logs: letters and digits only. */
static void take_code(struct s3_call *c, struct str xml)
{
    if (s3_xml_text(xml, "Code", c->code, sizeof(c->code)))
        c->code[0] = '\0';
    for (char *p = c->code; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '?';
}

/* The ETag is no MD5 where the service's or the customer's key encrypts. */
static bool etag_is_md5(const struct attempt *t)
{
    return strncmp(t->fields[FIELD_ENCRYPTION].value, "aws:kms", 7) != 0 &&
           !t->fields[FIELD_CUSTOMER].value[0];
}

static void forget(struct buf *b, size_t n)
{
    if (!b || !b->p)
        return;
    b->n = n;
    b->p[n] = '\0';
}

static enum err judge_good(struct s3_call *c, const struct attempt *t, size_t before)
{
    if (c->xml && c->into) {
        struct str body = {buf_view(c->into).p + before, c->into->n - before};
        char code[8];
        if (s3_xml_text(body, "Error", code, sizeof(code)) != ERR_NOT_FOUND) {
            take_code(c, body); /* CompleteMultipartUpload and copies fail this way */
            forget(c->into, before);
            return ERR_UNAVAILABLE;
        }
    }
    if (c->md5[0] && etag_is_md5(t) && strcasecmp(c->md5, c->etag) != 0) {
        snprintf(c->code, sizeof(c->code), "the ETag is not that of what was sent");
        return ERR_UNAVAILABLE; /* somebody's bytes were stored: send ours again */
    }
    return ERR_OK;
}

/* ERR_UNAVAILABLE: try again. */
static enum err judge(struct s3_call *c, const struct attempt *t, size_t before)
{
    static const char *const passing[] = {"RequestTimeout", "SlowDown", "InternalError",
        "BadDigest", "XAmzContentSHA256Mismatch", "OperationAborted", "IncompleteBody"};

    take_etag(c, t->fields[FIELD_ETAG].value);
    snprintf(c->range, sizeof(c->range), "%.*s", (int)sizeof(c->range) - 1,
        t->fields[FIELD_RANGE].value);
    if (c->status >= 200 && c->status < 300)
        return judge_good(c, t, before);
    take_code(c, buf_view(&t->refusal));
    if (c->status == 404)
        return strcmp(c->code, "NoSuchBucket") == 0 ? ERR_IO : ERR_NOT_FOUND;
    if (c->status == 416)
        return ERR_RANGE;
    if (c->status == 429 || c->status >= 500)
        return ERR_UNAVAILABLE;
    for (size_t i = 0; i < ARRAY_LEN(passing); i++)
        if (strcmp(c->code, passing[i]) == 0)
            return ERR_UNAVAILABLE;
    return ERR_IO;
}

static enum err attempt(struct s3 *s, struct s3_call *c, int64_t *retry_after_s)
{
    struct attempt t = {.arena = arena_new()};
    size_t before = c->into ? c->into->n : 0;
    const char *path = path_of(t.arena, s, c->key), *url;
    struct s3_key key;
    struct buf query;
    enum err e = s3_key_read(&key);

    buf_init(&t.refusal, S3_REFUSAL_MAX);
    buf_init(&query, URL_MAX);
    *retry_after_s = 0;
    if (!e) {
        sign(s, c, &key, &t, path);
        sigv4_query(&query, c->query, c->nquery);
        url = url_of(t.arena, s, path, buf_view(&query));
        e = url ? exchange(s, c, &t, url) : ERR_INVALID;
        if (e == ERR_TIMEOUT)
            e = ERR_UNAVAILABLE;
        else if (!e)
            e = judge(c, &t, before);
        if (!str_int(str_of(t.fields[FIELD_RETRY].value), retry_after_s))
            *retry_after_s = 0;
    }
    OPENSSL_cleanse(&key, sizeof(key));
    buf_release(&query);
    buf_release(&t.refusal);
    arena_free(t.arena);
    return e;
}

/* ---- tries */

/* Grows by doubling; a random half of it, so that many do not come back at once. */
static void pause_before(int tried, int64_t retry_after_s)
{
    int64_t ms = (int64_t)PAUSE_MS << (tried < 10 ? tried : 10);
    uint32_t dice;

    random_bytes(&dice, sizeof(dice));
    if (ms > PAUSE_MAX_MS)
        ms = PAUSE_MAX_MS;
    ms = ms / 2 + (int64_t)(dice % (uint64_t)(ms / 2 + 1));
    if (retry_after_s > 0 && retry_after_s <= RETRY_AFTER_MAX_S && retry_after_s * 1000 > ms)
        ms = retry_after_s * 1000;
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void tell(const struct s3 *s, const struct s3_call *c, enum err e)
{
    log_error("blob_s3", "%s %s/%s: %s (status %d %s, %d tries)", c->method, s->bucket,
        c->key ? c->key : "", err_title(e), c->status, c->code, c->tried);
}

enum err s3_send(struct s3 *s, struct s3_call *c)
{
    int64_t retry_after_s;
    enum err e;

    for (c->tried = 1;; c->tried++) {
        e = FAULT("s3.send");
        if (!e)
            e = attempt(s, c, &retry_after_s);
        if (e != ERR_UNAVAILABLE || c->tried >= s->tries)
            break;
        log_debug("blob_s3", "%s %s: again after status %d %s", c->method, c->key ? c->key : "",
            c->status, c->code);
        pause_before(c->tried - 1, retry_after_s);
    }
    if (e && e != ERR_NOT_FOUND && e != ERR_RANGE && e != ERR_FULL)
        tell(s, c, e);
    return e;
}

enum err s3_presign(
    struct s3 *s, const char *method, const char *key, int64_t expires_s, struct buf *url)
{
    struct arena *a = arena_new();
    const char *path = path_of(a, s, key), *text;
    const struct sigv4_pair host = {STR("host"), str_of(host_of(a, s))};
    const struct sigv4_request r = {.method = str_of(method),
        .path = str_of(path),
        .header = &host,
        .nheader = 1,
        .payload = SIGV4_UNSIGNED};
    struct s3_key k;
    struct buf query;
    enum err e = s3_key_read(&k);

    buf_init(&query, URL_MAX);
    if (!e) {
        struct sigv4_scope scope = scope_of(s, &k, clock_unix());
        sigv4_presign(&query, &scope, &r, expires_s);
        text = url_of(a, s, path, buf_view(&query));
        buf_puts(url, text ? text : "");
        e = text ? buf_err(url) : ERR_INVALID;
    }
    OPENSSL_cleanse(&k, sizeof(k));
    buf_release(&query);
    arena_free(a);
    return e;
}
