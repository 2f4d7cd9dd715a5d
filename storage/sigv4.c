/* Owns the arithmetic of AWS Signature Version 4. Never keeps a key, reads a clock or sends. */
#include "storage/sigv4.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"

enum { TEXT_MAX = 64 << 10, TIME_SIZE = 17, DATE_LEN = 8 };

#define ALGORITHM "AWS4-HMAC-SHA256"

static bool unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void sigv4_encode(struct buf *out, struct str text, bool keep_slash)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (unreserved(c) || (c == '/' && keep_slash))
            buf_putc(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static struct str encoded(struct arena *a, struct str text)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    sigv4_encode(&out, text, false);
    BUG_ON(buf_err(&out)); /* keys and settings are far shorter */
    struct str copy = arena_str(a, buf_view(&out));
    buf_release(&out);
    return copy;
}

static int by_name_and_value(const void *a, const void *b)
{
    const struct sigv4_pair *x = a, *y = b;
    int order = str_cmp(x->name, y->name);

    return order ? order : str_cmp(x->value, y->value);
}

void sigv4_query(struct buf *out, const struct sigv4_pair *query, size_t n)
{
    struct sigv4_pair sorted[SIGV4_PAIRS];
    struct arena *a = arena_new();

    BUG_ON(n > SIGV4_PAIRS);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct sigv4_pair){encoded(a, query[i].name), encoded(a, query[i].value)};
    if (n)
        qsort(sorted, n, sizeof(*sorted), by_name_and_value);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(out, '&');
        buf_str(out, sorted[i].name);
        buf_putc(out, '=');
        buf_str(out, sorted[i].value);
    }
    arena_free(a);
}

/* ---- headers */

/* Sorted by name alone: values of one name keep their order. */
static size_t sort_headers(const struct sigv4_request *r, struct sigv4_pair *sorted)
{
    BUG_ON(r->nheader > SIGV4_PAIRS);
    for (size_t i = 0; i < r->nheader; i++) {
        size_t at = i;
        for (; at > 0 && str_cmp(sorted[at - 1].name, r->header[i].name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = r->header[i];
    }
    return r->nheader;
}

/* Without blanks around it, runs of blanks inside as one. */
static void put_value(struct buf *out, struct str value)
{
    struct str v = str_trim(value);

    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] != ' ' || v.p[i - 1] != ' ')
            buf_putc(out, v.p[i]);
}

static void put_headers(struct buf *out, const struct sigv4_pair *sorted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool again = i && str_eq(sorted[i].name, sorted[i - 1].name);
        if (again) {
            buf_chop(out, '\n');
            buf_putc(out, ',');
        } else {
            buf_str(out, sorted[i].name);
            buf_putc(out, ':');
        }
        put_value(out, sorted[i].value);
        buf_putc(out, '\n');
    }
}

static void put_names(struct buf *out, const struct sigv4_pair *sorted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i && str_eq(sorted[i].name, sorted[i - 1].name))
            continue;
        if (i)
            buf_putc(out, ';');
        buf_str(out, sorted[i].name);
    }
}

/* ---- what is signed, and by what */

void sigv4_canonical(struct buf *out, const struct sigv4_request *r)
{
    struct sigv4_pair sorted[SIGV4_PAIRS];
    size_t n = sort_headers(r, sorted);

    buf_str(out, r->method);
    buf_putc(out, '\n');
    sigv4_encode(out, r->path, true);
    buf_putc(out, '\n');
    sigv4_query(out, r->query, r->nquery);
    buf_putc(out, '\n');
    put_headers(out, sorted, n);
    buf_putc(out, '\n');
    put_names(out, sorted, n);
    buf_putc(out, '\n');
    buf_str(out, r->payload);
}

void sigv4_time(int64_t at, char *out, size_t size)
{
    time_t t = (time_t)at;
    struct tm tm;

    BUG_ON(!gmtime_r(&t, &tm) || strftime(out, size, "%Y%m%dT%H%M%SZ", &tm) != TIME_SIZE - 1);
}

static void put_credential_scope(struct buf *out, const struct sigv4_scope *s, const char *time)
{
    buf_printf(out, "%.*s/%.*s/%.*s/aws4_request", DATE_LEN, time, STR_FMT(s->region),
        STR_FMT(s->service));
}

static struct sha256 hmac(struct str key, struct str data)
{
    struct sha256 h;
    unsigned n = sizeof(h.b);

    BUG_ON(key.n > INT32_MAX ||
           !HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)data.p, data.n, h.b, &n));
    return h;
}

static struct str key_of(const struct sha256 *h)
{
    return (struct str){(const char *)h->b, sizeof(h->b)};
}

/* The key of a day, region and service. */
static struct sha256 signing_key(const struct sigv4_scope *s, const char *time)
{
    struct str steps[] = {{time, DATE_LEN}, s->region, s->service, STR("aws4_request")};
    struct buf secret;
    struct sha256 key;

    buf_init(&secret, TEXT_MAX);
    buf_puts(&secret, "AWS4");
    buf_str(&secret, s->secret);
    key = hmac(buf_view(&secret), steps[0]);
    OPENSSL_cleanse(secret.p, secret.n);
    buf_release(&secret);
    for (size_t i = 1; i < ARRAY_LEN(steps); i++)
        key = hmac(key_of(&key), steps[i]);
    return key;
}

static void put_signature(
    struct buf *out, const struct sigv4_scope *s, const struct sigv4_request *r, const char *time)
{
    struct sha256 key = signing_key(s, time), mac;
    char hex[SHA256_HEX + 1];
    struct buf text;

    buf_init(&text, 2 * TEXT_MAX);
    sigv4_canonical(&text, r);
    BUG_ON(buf_err(&text));
    sha256_hex(sha256_of(buf_view(&text)), hex);
    buf_clear(&text);
    buf_printf(&text, ALGORITHM "\n%s\n", time);
    put_credential_scope(&text, s, time);
    buf_printf(&text, "\n%s", hex);
    mac = hmac(key_of(&key), buf_view(&text));
    OPENSSL_cleanse(&key, sizeof(key));
    buf_release(&text);
    buf_hex(out, mac.b, sizeof(mac.b));
}

void sigv4_authorization(
    struct buf *out, const struct sigv4_scope *scope, const struct sigv4_request *r)
{
    struct sigv4_pair sorted[SIGV4_PAIRS];
    size_t n = sort_headers(r, sorted);
    char time[TIME_SIZE];

    sigv4_time(scope->at, time, sizeof(time));
    buf_puts(out, ALGORITHM " Credential=");
    buf_str(out, scope->access);
    buf_putc(out, '/');
    put_credential_scope(out, scope, time);
    buf_puts(out, ", SignedHeaders=");
    put_names(out, sorted, n);
    buf_puts(out, ", Signature=");
    put_signature(out, scope, r, time);
}

static struct str text_of(struct arena *a, void (*put)(struct buf *, const void *), const void *arg)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    put(&b, arg);
    BUG_ON(buf_err(&b));
    struct str copy = arena_str(a, buf_view(&b));
    buf_release(&b);
    return copy;
}

struct at_time {
    const struct sigv4_scope *scope;
    const char *time;
};

static void put_credential(struct buf *out, const void *arg)
{
    const struct at_time *t = arg;

    buf_str(out, t->scope->access);
    buf_putc(out, '/');
    put_credential_scope(out, t->scope, t->time);
}

static void put_signed_names(struct buf *out, const void *arg)
{
    struct sigv4_pair sorted[SIGV4_PAIRS];

    put_names(out, sorted, sort_headers(arg, sorted));
}

void sigv4_presign(struct buf *out, const struct sigv4_scope *scope, const struct sigv4_request *r,
    int64_t expires_s)
{
    struct sigv4_pair query[SIGV4_PAIRS];
    struct sigv4_request whole = *r;
    struct arena *a = arena_new();
    char time[TIME_SIZE];
    size_t n = r->nquery;

    BUG_ON(n + 6 > SIGV4_PAIRS);
    sigv4_time(scope->at, time, sizeof(time));
    for (size_t i = 0; i < n; i++)
        query[i] = r->query[i];
    const struct at_time when = {scope, time};
    query[n++] = (struct sigv4_pair){STR("X-Amz-Algorithm"), STR(ALGORITHM)};
    query[n++] = (struct sigv4_pair){STR("X-Amz-Credential"), text_of(a, put_credential, &when)};
    query[n++] = (struct sigv4_pair){STR("X-Amz-Date"), str_of(time)};
    query[n++] =
        (struct sigv4_pair){STR("X-Amz-Expires"), str_of(arena_printf(a, "%" PRId64, expires_s))};
    query[n++] = (struct sigv4_pair){STR("X-Amz-SignedHeaders"), text_of(a, put_signed_names, r)};
    if (scope->token.n)
        query[n++] = (struct sigv4_pair){STR("X-Amz-Security-Token"), scope->token};
    whole.query = query;
    whole.nquery = n;
    sigv4_query(out, query, n);
    buf_puts(out, "&X-Amz-Signature=");
    put_signature(out, scope, &whole, time);
    arena_free(a);
}
