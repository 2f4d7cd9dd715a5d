/* Owns reading where a bucket is, and the small piece of XML that its answers need. */
#include <stdio.h>

#include "base/log.h"
#include "base/utf8.h"
#include "io/http_multi.h"
#include "storage/blob.h"
#include "storage/s3_client.h"

enum { STALL_S = 30, STALL_MAX_S = 600, TRIES = 5, TRIES_MAX = 20 };
enum { COPY_MB = 5 << 10 }; /* what AWS copies in one request */

static bool copy(char *out, size_t size, struct str s)
{
    return s.n < size && snprintf(out, size, "%.*s", STR_FMT(s)) >= 0;
}

static bool only(struct str s, const char *allowed)
{
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr(allowed, s.p[i]))
            return false;
    return s.n > 0;
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool take_int(struct str value, int max, int *out)
{
    int64_t n;

    if (!str_int(value, &n) || n < 1 || n > max)
        return false;
    *out = (int)n;
    return true;
}

static bool take_copy_max(struct str value, int64_t *out)
{
    int mb;

    if (!take_int(value, COPY_MB, &mb) || mb < 5) /* parts are no smaller */
        return false;
    *out = (int64_t)mb << 20;
    return true;
}

static bool take_option(struct s3 *s, struct str name, struct str value)
{
    if (str_is(name, "region"))
        return only(value, LOWER DIGITS "-") && copy(s->region, sizeof(s->region), value);
    if (str_is(name, "style")) {
        s->bucket_in_host = str_is(value, "host");
        return s->bucket_in_host || str_is(value, "path");
    }
    if (str_is(name, "timeout_s"))
        return take_int(value, STALL_MAX_S, &s->stall_s);
    if (str_is(name, "copy_mb"))
        return take_copy_max(value, &s->copy_max);
    return str_is(name, "tries") && take_int(value, TRIES_MAX, &s->tries);
}

static bool take_options(struct s3 *s, struct str rest)
{
    struct str option, name;

    while (str_split(&rest, '&', &option)) {
        str_split(&option, '=', &name);
        if (!option.p || !take_option(s, name, option)) {
            log_error("blob_s3",
                "%.*s: no such option of s3:, or no value of it (region, style, "
                "timeout_s, tries, copy_mb)",
                STR_FMT(name));
            return false;
        }
    }
    return true;
}

static bool prefix_good(const char *prefix, bool foreign)
{
    struct str s = str_of(prefix);

    if (!foreign)
        return s.n == 0 || blob_key_valid(prefix);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return utf8_valid(s) == s.n;
}

/* scheme://host[:port]/bucket[/prefix] */
static bool take_place(struct s3 *s, struct str rest, bool foreign)
{
    struct str scheme, host, bucket;

    if (!str_split(&rest, ':', &scheme) || !rest.p ||
        (!str_is(scheme, "https") && !str_is(scheme, "http")) || !str_starts(rest, STR("//")))
        return false;
    rest = (struct str){rest.p + 2, rest.n - 2};
    if (!str_split(&rest, '/', &host) ||
        !only(host, LOWER DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:[]"))
        return false;
    if (!rest.p || !str_split(&rest, '/', &bucket) || bucket.n < 3 || bucket.n > 63 ||
        !only(bucket, LOWER DIGITS ".-"))
        return false;
    while (rest.n && rest.p[rest.n - 1] == '/')
        rest.n--;
    if (!copy(s->prefix, sizeof(s->prefix), rest) || !prefix_good(s->prefix, foreign))
        return false;
    return copy(s->scheme, sizeof(s->scheme), scheme) && copy(s->host, sizeof(s->host), host) &&
           copy(s->bucket, sizeof(s->bucket), bucket);
}

/* Asks for an object that is not there: that it is not is the right answer. What only a wrong
 * setting can cause ends the program now; an outage does not, as it may be over soon. */
static enum err check(struct s3 *s)
{
    static const char *const wrong[] = {"NoSuchBucket", "InvalidAccessKeyId",
        "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "PermanentRedirect",
        "RequestTimeTooSkewed", "InvalidToken", "ExpiredToken"};
    struct buf none;
    struct s3_call c = {.method = "GET", .key = "annotate-is-here", .into = &none};
    enum err e;

    buf_init(&none, 1);
    e = s3_send(s, &c);
    buf_release(&none);
    if (e == ERR_INVALID)
        return e;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (strcmp(c.code, wrong[i]) == 0)
            return ERR_INVALID;
    return ERR_OK;
}

static enum err read_spec(struct s3 *s, struct str spec, bool foreign)
{
    struct str rest = spec, place;

    *s = (struct s3){.region = "us-east-1",
        .stall_s = STALL_S,
        .tries = TRIES,
        .copy_max = (int64_t)COPY_MB << 20};
    str_split(&rest, '?', &place);
    if (rest.p && !take_options(s, rest))
        return ERR_INVALID;
    if (!take_place(s, place, foreign)) {
        log_error("blob_s3",
            "s3:%.*s: want s3:https://HOST[:PORT]/BUCKET[/PREFIX][?region=REGION&style=host]",
            STR_FMT(place));
        return ERR_INVALID;
    }
    return ERR_OK;
}

enum err s3_open(struct s3 *s, struct str spec)
{
    enum err e = read_spec(s, spec, false);

    if (e)
        return e;
    s->net = http_multi_new();
    return s->net ? check(s) : ERR_NO_MEMORY;
}

enum err s3_open_foreign(struct s3 *s, struct str spec, bool guarded)
{
    enum err e = read_spec(s, spec, true);

    if (e)
        return e;
    s->net = guarded ? http_multi_new_guarded() : http_multi_new();
    return s->net ? ERR_OK : ERR_NO_MEMORY;
}

void s3_close(struct s3 *s)
{
    http_multi_free(s->net);
    s->net = NULL;
}

/* ---- XML */

static void resolve(char *text)
{
    static const struct {
        const char *entity;
        char c;
    } rows[] = {{"&quot;", '"'}, {"&#34;", '"'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&apos;", '\''},
        {"&amp;", '&'}};
    char *to = text;

    for (const char *p = text; *p; to++) {
        size_t used = 1;
        *to = *p;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (strncmp(p, rows[i].entity, strlen(rows[i].entity)) == 0) {
                *to = rows[i].c;
                used = strlen(rows[i].entity);
                break;
            }
        p += used;
    }
    *to = '\0';
}

enum err s3_xml_text(struct str xml, const char *name, char *out, size_t size)
{
    char open[40], close[40];
    const char *from, *to;

    snprintf(open, sizeof(open), "<%s>", name);
    snprintf(close, sizeof(close), "</%s>", name);
    from = xml.n ? memmem(xml.p, xml.n, open, strlen(open)) : NULL;
    if (!from)
        return ERR_NOT_FOUND;
    from += strlen(open);
    to = memmem(from, xml.n - (size_t)(from - xml.p), close, strlen(close));
    if (!to || (size_t)(to - from) >= size)
        return ERR_FULL;
    snprintf(out, size, "%.*s", (int)(to - from), from);
    resolve(out);
    return ERR_OK;
}
