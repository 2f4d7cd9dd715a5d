/* Owns heads of answers and answers that are given in one piece. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "annotate-server/http/conn.h"
#include "annotate-server/http/problem.h"

#include "base/clock.h"

enum { GZIP_FROM = 1 << 10 };

static struct str reason_of(int status)
{
    static const struct {
        int status;
        struct str reason;
    } reasons[] = {
#define REASON(status, text)                                                                       \
    {                                                                                              \
        status,                                                                                    \
        {                                                                                          \
            text, sizeof(text) - 1                                                                 \
        }                                                                                          \
    }
        REASON(200, "OK"),
        REASON(201, "Created"),
        REASON(202, "Accepted"),
        REASON(204, "No Content"),
        REASON(206, "Partial Content"),
        REASON(302, "Found"),
        REASON(304, "Not Modified"),
        REASON(400, "Bad Request"),
        REASON(401, "Unauthorized"),
        REASON(403, "Forbidden"),
        REASON(404, "Not Found"),
        REASON(405, "Method Not Allowed"),
        REASON(408, "Request Timeout"),
        REASON(409, "Conflict"),
        REASON(412, "Precondition Failed"),
        REASON(413, "Content Too Large"),
        REASON(414, "URI Too Long"),
        REASON(415, "Unsupported Media Type"),
        REASON(416, "Range Not Satisfiable"),
        REASON(417, "Expectation Failed"),
        REASON(422, "Unprocessable Content"),
        REASON(428, "Precondition Required"),
        REASON(429, "Too Many Requests"),
        REASON(431, "Request Header Fields Too Large"),
        REASON(500, "Internal Server Error"),
        REASON(501, "Not Implemented"),
        REASON(503, "Service Unavailable"),
        REASON(505, "HTTP Version Not Supported"),
#undef REASON
    };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return STR("Other");
}

/* Sent with every answer unless the handler has set a header of that name itself. */
static const struct {
    const char *name; /* lower case */
    struct str api, page;
} defaults[] = {
#define LINE(name, value)                                                                          \
    {                                                                                              \
        name ": " value "\r\n", sizeof(name ": " value "\r\n") - 1                                 \
    }
#define SAME(name, value)                                                                          \
    {                                                                                              \
        name, LINE(name, value), LINE(name, value)                                                 \
    }
#define BOTH(name, value, page)                                                                    \
    {                                                                                              \
        name, LINE(name, value), LINE(name, page)                                                  \
    }
#define PAGE(name, value)                                                                          \
    {                                                                                              \
        name, {"", 0}, LINE(name, value)                                                           \
    }
    SAME("x-content-type-options", "nosniff"),
    SAME("referrer-policy", "no-referrer"),
    BOTH("cache-control", "no-store", "no-cache"),
    BOTH("content-security-policy", "default-src 'none'; frame-ancestors 'none'",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; font-src 'self'; media-src 'self' blob:; worker-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types label-config"),
    SAME("cross-origin-resource-policy", "same-origin"),
    PAGE("cross-origin-opener-policy", "same-origin"),
    PAGE("permissions-policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), "
                               "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "
                               "usb=()"),
#undef LINE
#undef SAME
#undef BOTH
#undef PAGE
};

/* --- headers of the handler --- */

void req_set_header(struct req *r, const char *name, const char *value)
{
    struct exchange *x = exchange_of(r);

    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        if (str_ieq(str_of(name), str_of(defaults[i].name)))
            x->replaced |= 1u << i;
    buf_puts(&x->extra, name);
    buf_puts(&x->extra, ": ");
    for (; *value; value++) /* no value may end the header it stands in */
        buf_putc(&x->extra, (unsigned char)*value < 0x20 || *value == 0x7f ? ' ' : *value);
    buf_puts(&x->extra, "\r\n");
}

void req_set_etag(struct req *r, int64_t version)
{
    char tag[32];

    snprintf(tag, sizeof(tag), "\"%lld\"", (long long)version);
    req_set_header(r, "etag", tag);
}

static struct str opaque(struct str tag)
{
    tag = str_trim(tag);
    return str_starts(tag, STR("W/")) ? (struct str){tag.p + 2, tag.n - 2} : tag;
}

bool req_not_modified(struct req *r, const char *etag)
{
    struct str rest = req_header(r, "if-none-match"), tag;

    req_set_header(r, "etag", etag);
    while (str_split(&rest, ',', &tag)) {
        if (!str_eq(opaque(tag), opaque(str_of(etag))) && !str_is(str_trim(tag), "*"))
            continue;
        req_reply_empty(r, 304);
        return true;
    }
    return false;
}

void reply_allow(struct exchange *x, unsigned allow)
{
    struct buf b;

    buf_init(&b, 256);
    for (int m = 0; m < HTTP_M_COUNT; m++)
        if (allow & 1u << m)
            buf_printf(&b, "%s%s", b.n ? ", " : "", method_name((enum http_method)m));
    req_set_header(&x->r, "allow", b.n ? b.p : "");
    buf_release(&b);
}

/* --- the head --- */

static void add_date(struct http_server *sv)
{
    int64_t now = clock_unix();

    if (now != sv->date_at) {
        struct tm tm;
        time_t t = (time_t)now;
        gmtime_r(&t, &tm);
        strftime(sv->date, sizeof(sv->date), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
        sv->date_at = now;
    }
    buf_puts(&sv->head, sv->date);
}

static void add_connection(struct buf *h, const struct exchange *x)
{
    if (x->conn->close || x->conn->sv->draining)
        buf_str(h, STR("connection: close\r\n"));
    else if (x->head.minor == 0)
        buf_str(h, STR("connection: keep-alive\r\n"));
}

struct str reply_head(
    struct exchange *x, int status, const char *type, int64_t length, unsigned flags)
{
    struct http_server *sv = x->conn->sv;
    struct buf *h = &sv->head;

    buf_clear(h);
    buf_str(h, STR("HTTP/1.1 "));
    buf_int(h, status);
    buf_putc(h, ' ');
    buf_str(h, reason_of(status));
    buf_str(h, STR("\r\n"));
    add_date(sv);
    buf_str(h, STR("x-request-id: "));
    buf_puts(h, x->r.id);
    if (type) {
        buf_str(h, STR("\r\ncontent-type: "));
        buf_puts(h, type);
    }
    if (!(flags & REPLY_NO_LENGTH)) {
        buf_str(h, STR("\r\ncontent-length: "));
        buf_int(h, length);
    }
    buf_str(h, STR("\r\n"));
    if (x->chunked)
        buf_str(h, STR("transfer-encoding: chunked\r\n"));
    add_connection(h, x);
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        if (!(x->replaced & 1u << i))
            buf_str(h, x->page ? defaults[i].page : defaults[i].api);
    buf_str(h, buf_view(&x->extra));
    buf_str(h, STR("\r\n"));
    return buf_view(h);
}

/* In place of what the handler said. */
static void reply_problem(struct exchange *x, enum err e)
{
    const struct problem p = {.err = e, .request_id = x->r.id};
    struct buf b;

    buf_init(&b, BUF_MAX_LINE);
    problem_print(&b, &p);
    req_reply(&x->r, err_status(e), PROBLEM_TYPE, buf_view(&b));
    buf_release(&b);
}

bool reply_begin(struct exchange *x, int status)
{
    BUG_ON(x->answered || x->streaming);
    if (x->conn->state == CONN_CLOSED) {
        x->status = 499;
        exchange_answered(x);
        return false;
    }
    if (x->broken) {
        enum err e = x->broken;
        x->broken = ERR_OK;
        buf_clear(&x->extra);
        x->replaced = 0;
        reply_problem(x, e);
        return false;
    }
    x->status = status;
    return true;
}

/* --- whole answers --- */

static void send_whole(
    struct exchange *x, int status, const char *type, struct str body, unsigned flags)
{
    struct str head;

    exchange_settle(x);
    if (status == 204 || status == 304)
        flags |= REPLY_NO_LENGTH;
    head = reply_head(x, status, type, (int64_t)body.n, flags);
    if (x->r.method == HTTP_M_HEAD || flags & REPLY_NO_LENGTH)
        body.n = 0;
    conn_write(x->conn, head, body, flags & REPLY_KEEP);
    exchange_answered(x);
}

/* A reply of some size is compressed for a client that asked for it. */
static struct str compress(struct exchange *x, const char *type, struct str body)
{
    if (body.n < GZIP_FROM || !gzip_type(str_of(type)))
        return body;
    req_set_header(&x->r, "vary", "accept-encoding");
    if (!gzip_accepted(req_header(&x->r, "accept-encoding")))
        return body;
    struct str small = gzip_body(x->conn->sv->gzip, x->r.arena, body);
    if (!small.p)
        return body;
    req_set_header(&x->r, "content-encoding", "gzip");
    return small;
}

static bool capture(struct req *r, int status, const char *type, struct str body)
{
    if (!r->capture)
        return false;
    BUG_ON(r->capture->given);
    *r->capture = (struct captured){true, status, type, arena_str(r->arena, body)};
    return true;
}

void req_reply(struct req *r, int status, const char *type, struct str body)
{
    struct exchange *x = exchange_of(r);

    if (capture(r, status, type, body))
        return;
    if (!reply_begin(x, status))
        return;
    send_whole(x, status, type, compress(x, type, body), 0);
}

void req_reply_empty(struct req *r, int status)
{
    struct exchange *x = exchange_of(r);

    if (capture(r, status, NULL, STR("")))
        return;
    if (reply_begin(x, status))
        send_whole(x, status, NULL, (struct str){"", 0}, 0);
}

void req_reply_file(struct req *r, int status, const char *type, int fd, int64_t off, int64_t len)
{
    struct exchange *x = exchange_of(r);
    struct conn *c = x->conn;

    if (!reply_begin(x, status)) {
        close(fd);
        return;
    }
    if (r->method == HTTP_M_HEAD || len == 0) {
        close(fd);
        exchange_settle(x);
        conn_write(c, reply_head(x, status, type, len, 0), (struct str){NULL, 0}, false);
        exchange_answered(x);
        return;
    }
    struct evbuffer_file_segment *seg =
        evbuffer_file_segment_new(fd, off, len, EVBUF_FS_CLOSE_ON_FREE);
    if (!seg) {
        close(fd);
        reply_problem(x, ERR_IO);
        return;
    }
    exchange_settle(x);
    conn_write(c, reply_head(x, status, type, len, 0), (struct str){NULL, 0}, false);
    if (c->state != CONN_CLOSED && evbuffer_add_file_segment(c->out, seg, 0, len) != 0)
        conn_cut(c, true);
    evbuffer_file_segment_free(seg);
    exchange_answered(x);
}

void reply_static(struct exchange *x, const struct static_file *f)
{
    struct str body = f->body;

    x->page = true;
    if (f->immutable)
        req_set_header(&x->r, "cache-control", "public, max-age=31536000, immutable");
    if (f->gzip.p)
        req_set_header(&x->r, "vary", "accept-encoding");
    if (req_not_modified(&x->r, f->etag))
        return;
    if (f->gzip.p && gzip_accepted(req_header(&x->r, "accept-encoding"))) {
        req_set_header(&x->r, "content-encoding", "gzip");
        body = f->gzip;
    }
    if (reply_begin(x, 200))
        send_whole(x, 200, f->type, body, REPLY_KEEP);
}
