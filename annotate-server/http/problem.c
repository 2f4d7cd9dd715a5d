/* Owns error answers: application/problem+json (RFC 9457), each with the request's id. */
#include <stdarg.h>
#include <stdio.h>

#include "annotate-server/http/conn.h"

#include "base/utf8.h"

enum { DETAIL_MAX = 1024 };

static void add_member(struct buf *b, const char *name, const char *value)
{
    struct str v = str_of(value);

    if (!value)
        return;
    v.n = utf8_valid(v); /* a detail may have been cut in the middle of a character */
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, v);
}

/* Unless whoever fails has said it more exactly. */
static void set_if_absent(struct req *r, const char *name, const char *value)
{
    const struct buf *extra = &exchange_of(r)->extra;

    if (extra->n == 0 || !strcasestr(extra->p, name))
        req_set_header(r, name, value);
}

static void fail(
    struct req *r, enum err e, const char *pointer, const char *extra, const char *detail)
{
    int status = err_status(e);
    struct buf b;

    buf_init(&b, BUF_MAX_LINE);
    buf_printf(&b, "{\"type\":\"/errors/%s\"", err_slug(e));
    add_member(&b, "title", err_title(e));
    buf_printf(&b, ",\"status\":%d", status);
    add_member(&b, "detail", detail);
    add_member(&b, "pointer", pointer);
    add_member(&b, "request_id", r->id);
    if (extra)
        buf_printf(&b, ",%s", extra);
    buf_putc(&b, '}');
    if (status == 503 || status == 429)
        set_if_absent(r, "retry-after", "1");
    if (status == 401)
        set_if_absent(r, "www-authenticate", "Bearer");
    req_reply(r, status, "application/problem+json", buf_view(&b));
    buf_release(&b);
}

void req_fail_extra(
    struct req *r, enum err e, const char *pointer, const char *extra, const char *fmt, ...)
{
    char detail[DETAIL_MAX];
    va_list ap;

    if (fmt) {
        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
    }
    fail(r, e, pointer, extra, fmt ? detail : NULL);
}

void req_fail(struct req *r, enum err e, const char *pointer, const char *fmt, ...)
{
    char detail[DETAIL_MAX];
    va_list ap;

    if (fmt) {
        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
    }
    fail(r, e, pointer, NULL, fmt ? detail : NULL);
}
