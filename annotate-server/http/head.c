/* Owns the rules for request heads. Never repairs: what is not clearly right is refused. */
#include "annotate-server/http/head.h"

enum err head_find(const char *p, size_t n, size_t *at, size_t *len)
{
    *len = 0;
    while (*at < n) {
        const char *line = p + *at, *lf = memchr(line, '\n', n - *at);
        if (!lf)
            break;
        /* Nor may a carriage return stand alone: to llhttp one before any byte ends the head. */
        if (memchr(line, '\r', (size_t)(lf - line)) != lf - 1)
            return ERR_BAD_REQUEST;
        if (*at && (*line == ' ' || *line == '\t'))
            return ERR_BAD_REQUEST; /* obs-fold */
        size_t end = (size_t)(lf - p) + 1;
        bool empty = lf - line == 1, first = *at == 0;
        if (end > HEAD_MAX)
            return first ? ERR_URI_TOO_LONG : ERR_HEADERS;
        *at = end;
        if (empty && !first) { /* one empty line before the request line is allowed */
            *len = end;
            return ERR_OK;
        }
    }
    if (n > HEAD_MAX)
        return *at == 0 ? ERR_URI_TOO_LONG : ERR_HEADERS;
    return ERR_OK;
}

struct str head_get(const struct head *h, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < h->n; i++)
        if (h->header[i].name.n == n && memcmp(h->header[i].name.p, name, n) == 0)
            return h->header[i].value;
    return (struct str){NULL, 0};
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110 token; lowers its letters. */
static bool lower_token(struct str name)
{
    char *p = (char *)(uintptr_t)name.p; /* our own copy of the head: see parser_head() */

    for (size_t i = 0; i < name.n; i++) {
        if (!is_alnum(p[i]) && (p[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", p[i])))
            return false;
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + ('a' - 'A'));
    }
    return name.n > 0;
}

static bool is_value(struct str v)
{
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_host(struct str v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!is_alnum(v.p[i]) && (v.p[i] == '\0' || !strchr("-._~:[]%!$&'()*+,;=", v.p[i])))
            return false;
    return v.n > 0;
}

struct seen {
    int host, length, coding;
    unsigned once; /* bits of the table in is_second() */
};

/* Headers that decide something and mean one thing only: which of two would count? */
static bool is_second(struct str name, struct seen *seen)
{
    static const char *const once[] = {
        "authorization", "content-type", "if-match", "idempotency-key", "content-encoding"};

    for (size_t i = 0; i < ARRAY_LEN(once); i++) {
        if (!str_is(name, once[i]))
            continue;
        bool second = seen->once & 1u << i;
        seen->once |= 1u << i;
        return second;
    }
    return false;
}

static enum err check_header(struct head *h, const struct header *f, struct seen *seen)
{
    if (str_is(f->name, "host")) {
        seen->host++;
        return is_host(f->value) ? ERR_OK : ERR_BAD_REQUEST;
    }
    if (str_is(f->name, "content-length")) {
        seen->length++;
        bool digits = f->value.n && f->value.n <= 18 && f->value.p[0] != '-';
        return digits && str_int(f->value, &h->length) ? ERR_OK : ERR_BAD_REQUEST;
    }
    if (str_is(f->name, "transfer-encoding")) {
        seen->coding++;
        h->length = -1;
        return str_ieq(f->value, STR("chunked")) ? ERR_OK : ERR_BAD_REQUEST;
    }
    if (str_is(f->name, "expect")) {
        if (!str_ieq(f->value, STR("100-continue")))
            return ERR_EXPECTATION;
        h->expect_continue = h->minor >= 1;
    }
    return is_second(f->name, seen) ? ERR_BAD_REQUEST : ERR_OK;
}

enum err head_check(struct head *h, struct arena *a)
{
    struct seen seen = {0};

    if (h->major != 1 || h->minor > 1)
        return ERR_HTTP_VERSION;
    h->length = 0;
    for (size_t i = 0; i < h->n; i++) {
        struct header *f = &h->header[i];
        f->value = str_trim(f->value);
        if (!lower_token(f->name) || !is_value(f->value))
            return ERR_BAD_REQUEST;
        enum err e = check_header(h, f, &seen);
        if (e)
            return e;
    }
    if (seen.host > 1 || (seen.host == 0 && h->minor == 1))
        return ERR_BAD_REQUEST;
    if (seen.length + seen.coding > 1 || (seen.coding && h->minor == 0))
        return ERR_BAD_REQUEST;
    return uri_parse(a, h->target, &h->uri);
}
